"""The process of the system tests never opens the ledger of the running Airflow itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support import live_ledger

SYSTEM = Path(__file__).parents[1] / "system"
LEDGER = "airflow_provider_asperion.ledger"
OPENERS = {"sqlite3", "sqlalchemy", f"{LEDGER}.Ledger", f"{LEDGER}.ledger", f"{LEDGER}.database"}


def openers_in(source: str) -> set[str]:
    """Return the modules that a module imports with which a ledger can be opened."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return {name for name in found if any(f"{name}.".startswith(f"{one}.") for one in OPENERS)}


def test_system_tests_ask_the_live_ledger_through_a_process_of_its_own():
    files = sorted(SYSTEM.glob("*.py"))
    assert len(files) > 3
    assert {path.name: found for path in files if (found := openers_in(path.read_text()))} == {}


@pytest.mark.parametrize("line", ["import sqlite3", "from airflow_provider_asperion.ledger import Ledger"])
def test_who_opens_it_is_seen(line):
    assert openers_in(f"if True:\n    {line}")


def test_names_of_the_ledger_may_be_used():
    assert not openers_in("from airflow_provider_asperion.ledger import DocumentKey")


def test_an_answer_and_what_was_written_come_back(tmp_path):
    path = tmp_path / "ledger.db"
    path.touch()
    assert live_ledger.ask(path, "create table one (key text, number integer)") == []
    assert live_ledger.ask(path, "insert into one values (?, ?)", "a", 1) == []
    assert live_ledger.ask(path, "select * from one where key = ?", "a") == [["a", 1]]
    with pytest.raises(AssertionError, match="no such table"):
        live_ledger.ask(path, "select * from two")
