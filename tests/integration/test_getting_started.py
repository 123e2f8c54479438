"""The outputs on the page for beginners are those of the commands, tried on its own sample."""

from __future__ import annotations

import json
import os
import re
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from tests.support.cli_world import world
from tests.support.docs_examples import DOCS

pytestmark = [pytest.mark.feature("W1"), pytest.mark.feature("W7")]
PAGE = (DOCS / "getting-started.md").read_text(encoding="utf-8")


def block(kind):
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch) as made:
        yield made


def test_the_plan_of_the_sample_is_the_one_on_the_page(place, tmp_path, capsys):
    (tmp_path / "orders.csv").write_text(block("csv sample"))
    capsys.readouterr()
    assert main(["plan", str(tmp_path / "orders.csv")]) == 0
    assert capsys.readouterr().out == block("text plan")


@pytest.mark.parametrize("name", ["broken.xml", "other.csv"])
def test_what_is_said_of_a_file_that_is_not_understood(place, tmp_path, capsys, name):
    sample = block("csv sample")
    content = {"broken.xml": "<ORDERS05><IDOC", "other.csv": sample.replace("ORDER_NO", "ORDERNR")}[name]
    (tmp_path / name).write_text(content)
    capsys.readouterr()
    assert main(["read", str(tmp_path / name)]) == 1
    assert f"    {capsys.readouterr().err}" in PAGE


def test_what_check_says_of_what_is_missing(place, capsys):
    place.inbox.rmdir()
    place.asperion = {"access_token": None}
    place.write()
    capsys.readouterr()
    assert main(["check"]) == 1
    said = capsys.readouterr().out.replace(str(place.inbox), "orders")
    told = [
        line for line in said.splitlines() if line.startswith(("FAIL  sftp folder", "FAIL  asperion login"))
    ]
    assert len(told) == 2
    for line in told:
        # Where the rest of the path is told, too, the page has a server whose root is the folder.
        assert line.partition(";")[0].strip() in PAGE


def test_the_article_that_the_page_makes_lets_the_order_through(place, tmp_path, capsys):
    (said,) = re.findall(r"/_sandbox/change -d '(.*)'$", PAGE, re.MULTILINE)
    change = json.loads(said)
    place.sandbox.change(change["resource"], change["key"], **change["set"])
    (tmp_path / "orders.csv").write_text(block("csv sample"))
    capsys.readouterr()
    assert main(["plan", str(tmp_path / "orders.csv"), "--key", "4712"]) == 0
    assert "1 order: 1 create" in capsys.readouterr().out
