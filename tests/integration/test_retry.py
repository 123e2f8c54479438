"""Refused orders are tried again, read anew from the archive with today's mapping, settings and articles."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import DocumentKey
from tests.support.cli_world import world
from tests.support.orders_runner import Runner, add_article

pytestmark = pytest.mark.feature("X4", "W4", "O7")
HEAD = "ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;SKU;QUANTITY;PRICE\n"
FILE = HEAD + (
    "4711;20260115;900;Piet Puk;piet.puk@example.org;SKU-00001;2;12.50\n"
    "4712;20260115;901;Kees Kwik;kees.kwik@example.org;SKU-99999;1;3.00\n"
    "4713;20260115;902;Jan Jansen;jan@example.org;SKU-00002;two;3.00\n"
    "4714;20260115;903;Toos Tak;toos@example.org;SKU-99998;1;3.00\n"
)


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=0) as made:
        made.flow["delivery"] = {"unclear_wait_seconds": 0.01, "busy_wait_seconds": 5}
        yield made


@pytest.fixture
def run(place, inbox):
    (inbox / "orders.csv").write_text(FILE)
    runner = Runner(place)
    assert runner() == {"created": 1, "refused": 3}
    return runner


def orders(place):
    return sorted(order["reference"] for order in place.sandbox.summary()["orders"])


def test_one_record_then_a_rule_then_all(run, place):
    assert run("4712") == {"refused": 1}, "nothing was mended yet"
    add_article(place, "SKU-99999")
    assert run("4712") == {"created": 1}
    assert orders(place) == ["4711", "4712"]
    add_article(place, "SKU-99998")
    assert run("article.missing") == {"created": 1}
    assert orders(place) == ["4711", "4712", "4714"]
    assert run("article.missing") == {}, "there is none left"
    assert run("*") == {"refused": 1}, "only what is still refused is read again"
    assert orders(place) == ["4711", "4712", "4714"]


@pytest.mark.feature("W2")
@pytest.mark.pain(6)
def test_with_todays_mapping(run, place):
    rows = {"lines.quantity": "decimal('2' if line.QUANTITY == 'two' else line.QUANTITY)"}
    place.flow["mappings"] = {"orders_csv": {"rows": rows}}
    assert run("mapping.row") == {"created": 1}
    assert orders(place) == ["4711", "4713"]
    assert run("orders.csv") == {"refused": 2}, (
        "what was refused by its place is closed once it is understood"
    )


def test_the_trail_of_a_record_tells_both_tries(run, place):
    add_article(place, "SKU-99999")
    run("4712")
    with runtime.open_ledger() as ledger:
        names = [event.name for event in ledger.trail(DocumentKey("1", "sales_order", "4712"))]
    assert names.index("refused") < names.index("done")


def test_a_retry_that_got_no_answer_is_tried_by_the_next_one(run, place):
    add_article(place, "SKU-99999")
    place.sandbox.fault("error_before_saving", method="POST", path="/v1/salesorderwithlines", status=503)
    with pytest.raises(AssertionError, match="no end state"):
        run("4712")
    place.sandbox.box.faults.rules.clear()
    assert run("4712") == {"created": 1}
    assert orders(place) == ["4711", "4712"]


def test_a_file_that_is_gone_is_named(run, place, inbox):
    (archived,) = (inbox / "archive").rglob("orders.csv")
    archived.unlink()
    assert run("*") == {}
    assert [(problem.rule, problem.file) for problem in run.problems] == [("file.gone", "orders.csv")]


def test_a_retry_in_two_runs_at_once_places_one_order(run, place):
    add_article(place, "SKU-99999")

    async def both():
        return await asyncio.gather(run._run(("4712",), False), other._run(("4712",), False))

    other = Runner(place)
    other.count, run.count = 50, 60
    counts = asyncio.run(both())
    assert orders(place) == ["4711", "4712"]
    assert sorted(key for one in counts for key in one) in (["created", "skipped"], ["created", "created"])


@pytest.mark.pain(6)
def test_the_command_lists_what_is_refused_and_triggers_a_run_for_it(run, capsys, monkeypatch):
    asked = []

    def trigger(dag, **given):
        asked.append((dag, given["conf"]))
        return SimpleNamespace(run_id="manual__1")

    monkeypatch.setattr("airflow.api.common.trigger_dag.trigger_dag", trigger)
    capsys.readouterr()
    assert main(["retry", "article.missing", "--list"]) == 0
    said = capsys.readouterr().out
    assert "orders.csv  4712  article.missing" in said
    assert "2 records: 2 article.missing" in said
    assert asked == []
    assert main(["retry", "--all", "--dry-run"]) == 0
    assert "orders.csv  4713  mapping.row" in capsys.readouterr().out
    assert main(["retry", "4712"]) == 0
    assert "Run manual__1 was triggered." in capsys.readouterr().out
    assert asked == [
        ("sap_orders_to_asperion", {"retry": ["*"], "dry_run": True}),
        ("sap_orders_to_asperion", {"retry": ["4712"], "dry_run": False}),
    ]
    assert main(["retry", "4711"]) == 1, "it was delivered"
    assert main(["retry"]) == 2


def test_the_command_changes_a_value_of_one_record(run, place, capsys, monkeypatch):
    made = SimpleNamespace(run_id="manual__1")
    monkeypatch.setattr("airflow.api.common.trigger_dag.trigger_dag", lambda dag, **given: made)
    monkeypatch.setattr("sys.stdin", io.StringIO("2\n"))
    assert main(["retry", "4712", "--set", "lines.1.SKU=SKU-00003"]) == 0
    assert main(["retry", "orders.csv", "--set", "lines.1.SKU=X"]) == 2, "several records"
    assert main(["retry", "4712", "--set", "lines.1.SKU"]) == 2
    assert main(["retry", "4712", "--set", "lines.7.SKU=X"]) == 1
    assert "patch.stale" in capsys.readouterr().err
    assert run("4712") == {"created": 1}
    with runtime.open_ledger() as ledger:
        trail = ledger.trail(DocumentKey("1", "sales_order", "4712"))
    changed = [event.detail["field"] for event in trail if event.name == "patched"]
    assert changed == ["lines.1.SKU"]
    assert "SKU-00003" not in str(trail)
