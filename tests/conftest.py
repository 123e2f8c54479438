"""What all tests share: an Airflow home of their own, and marks that mean something."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

# The numbers of the product's features: orders, products, stock, customers, platform, extras.
FEATURES = {"O": 13, "P": 5, "S": 4, "C": 4, "W": 7, "X": 8}


def _isolate_airflow() -> Path:
    """Give this session an AIRFLOW_HOME of its own; whatever Airflow the machine has is left alone.

    Airflow reads its home when it is first imported, and test modules import it: a fixture would be too late.
    """
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_", "_AIRFLOW_"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="airflow-"))
    os.environ["AIRFLOW_HOME"] = str(home)
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    # SQLite has one writer: with the default of 32 tasks at a time it answers "database is locked".
    os.environ["AIRFLOW__CORE__PARALLELISM"] = "4"
    return home


AIRFLOW_HOME = _isolate_airflow()


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a feature mark that names no feature: it would claim a proof that nobody looks for."""
    wrong = [
        f"{item.nodeid}: feature({number!r})"
        for item in items
        for mark in item.iter_markers("feature")
        for number in mark.args
        if not _is_feature(number)
    ]
    if wrong:
        raise pytest.UsageError("no such feature: " + "; ".join(wrong))


def _is_feature(number: object) -> bool:
    found = re.fullmatch(r"([A-Z])([1-9]\d?)", str(number))
    return found is not None and int(found[2]) <= FEATURES.get(found[1], 0)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]
