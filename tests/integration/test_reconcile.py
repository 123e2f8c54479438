"""Reconciliation on a real SSH server and the sandbox: to zero after a run, each tampering by its name."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import json
import os
import re
import tempfile
import urllib.request
from decimal import Decimal
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow.api_fastapi.core_api.security import get_user
from airflow.providers.common.compat.sdk import AirflowFailException
from fastapi.testclient import TestClient

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.flows.reconcile import compare
from airflow_provider_asperion.ledger import DocumentKey
from airflow_provider_asperion.monitoring import data, forms, rights
from airflow_provider_asperion.monitoring.app import make_app
from airflow_provider_asperion.monitoring.routes import reconcile as route
from airflow_provider_asperion.operators.reconcile import ReconcileOperator
from airflow_provider_asperion.operators.reconciling import reconcile
from airflow_provider_asperion.sandbox.schema import SALES_ORDERS
from tests.support.cli_world import world
from tests.support.orders_runner import Runner

pytestmark = pytest.mark.feature("X5")
HEAD = "ORDER_NO;ORDER_DATE;STATUS;CUSTOMER_NO;NAME;EMAIL;SKU;QUANTITY;PRICE;VAT_CODE\n"
FILE = HEAD + (
    "4711;20260115;paid;900;Piet Puk;piet.puk@example.org;SKU-00001;2;12.50;V21\n"
    "4711;20260115;paid;900;Piet Puk;piet.puk@example.org;SKU-00002;1;9.99;V9\n"
    "4712;20260115;paid;901;Kees Kwik;kees.kwik@example.org;SKU-99999;1;3.00;V21\n"
    "4713;20260115;paid;902;Jan Jansen;jan@example.org;SKU-00002;two;3.00;V21\n"
    "4714;20260115;draft;903;Toos Tak;toos@example.org;SKU-00002;1;3.00;V21\n"
    "4715;20260115;paid;903;Toos Tak;toos@example.org;SKU-00003;3;7.77;\n"
    "4716;20260115;paid;903;Toos Tak;toos@example.org;SKU-00003;1;0.05;V21\n"
)


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=0) as made:
        made.flow["delivery"] = {"unclear_wait_seconds": 0.01, "busy_wait_seconds": 5}
        made.flow["filter"] = {"status": ["paid"]}
        made.run = Runner(made)
        (inbox / "orders.csv").write_text(FILE)
        assert made.run() == {"created": 3, "filtered": 1, "refused": 2}
        yield made


def statement(place):
    place.write()
    now = dt.datetime.now(dt.UTC)
    found = asyncio.run(reconcile("default", now - dt.timedelta(hours=1), now + dt.timedelta(hours=1)))
    (orders,) = [one for one in found if one.flow == "orders_to_asperion"]
    assert all(one.ties for one in found if one is not orders)
    return orders


def change(place, **changes):
    request = urllib.request.Request(f"{place.sandbox.url}/_sandbox/change", json.dumps(changes).encode())
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["changed"] == 1


def named(found):
    return [(one.name, one.subject) for one in found.differences]


def test_to_zero_after_a_run(place):
    found = statement(place)
    assert named(found) == []
    counts = {
        (row.name, row.currency): [(cell.count, cell.amount) for cell in row.cells] for row in found.counts
    }
    sum_of_all = Decimal("58.35")
    assert counts == {
        ("done", "EUR"): [(3, sum_of_all)] * 3,
        ("filtered", ""): [(1, None), (1, None), (0, None)],
        ("refused", ""): [(1, None), (1, None), (0, None)],
        ("refused", "EUR"): [(1, Decimal("3.00")), (1, None), (0, None)],
    }
    assert [(row.rate, row.sides[0]) for row in found.rates] == [
        (Decimal(9), (Decimal("9.99"), Decimal("0.90"), Decimal("10.89"))),
        (Decimal(21), (Decimal("48.36"), Decimal("10.16"), Decimal("58.52"))),
    ]
    assert all(row.sides[0] == row.sides[1] for row in found.rates)
    assert found.requests == 4, "VAT codes, who answers, how many orders there are, and one page of them"


TAMPERED = {
    "an order is deleted": ({"key": "4711", "remove": True}, ("gone", "4711"), None),
    "a cent more in the net amount": (
        {"key": "4711", "set": {"amountExclVat": 35.00}},
        ("amount_differs", "4711"),
        "0.01",
    ),
    "a cent less in the amount with VAT": (
        {"key": "4716", "set": {"amountInclVat": 0.05}},
        ("vat_differs", "4716"),
        "-0.01",
    ),
    "VAT and total a cent more": (
        {"key": "4715", "set": {"vatAmount": 4.91, "amountInclVat": 28.22}},
        ("vat_differs", "4715"),
        "0.01",
    ),
    "another reference": ({"key": "4711", "set": {"reference": "4799"}}, ("other_document", "4711"), None),
}


@pytest.mark.parametrize("told", TAMPERED.values(), ids=TAMPERED)
def test_what_somebody_changed_in_asperion_is_named_and_nothing_else(place, told):
    changes, expected, by = told
    change(place, resource="salesorderwithlines", **changes)
    found = statement(place)
    assert named(found) == [expected]
    assert found.differences[0].by == (by and Decimal(by))


def test_two_documents_of_one_reference_are_named(place):
    with place.sandbox.box.state.lock:
        (table,) = [
            table
            for path, table in place.sandbox.box.state.administration(1).tables.items()
            if path == SALES_ORDERS.path
        ]
        (row,) = table.find("reference", "4711")
        lines = [dict(line) for line in row.values["lines"]]
        table.add({**row.values, "id": None, "lines": lines})
    found = statement(place)
    assert named(found) == [("twice", "4711")]
    assert len(found.differences[0].ids) == 2
    done = next(row for row in found.counts if row.name == "done")
    assert [cell.count for cell in done.cells] == [3, 3, 4]


def test_a_change_that_leaves_the_amounts_is_a_note(place):
    later = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    change(place, resource="salesorderwithlines", key="4711", set={"status": 2, "dateLastChange": later})
    found = statement(place)
    assert named(found) == []
    assert [(one.name, one.key) for one in found.notes] == [("changed_since", "4711")]


def archived(inbox):
    (path,) = (inbox / "archive").rglob("orders.csv")
    return path


def rewritten(inbox, old, new):
    path = archived(inbox)
    before = path.stat()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (before.st_atime, before.st_mtime))


def test_what_somebody_changed_in_the_archive_is_named(place, inbox):
    rewritten(inbox, "SKU-00001;2;12.50", "SKU-00001;2;12.51")
    found = statement(place)
    assert named(found) == [("file_changed", "orders.csv"), ("amount_differs", "4711")]
    assert found.differences[1].by == Decimal("-0.02")


def test_a_document_that_was_taken_out_of_the_archive_is_named_alone(place, inbox):
    line = "4711;20260115;paid;900;Piet Puk;piet.puk@example.org;SKU-00001;2;12.50;V21\n"
    rewritten(inbox, line + line.replace("SKU-00001;2;12.50;V21", "SKU-00002;1;9.99;V9"), "")
    assert named(statement(place)) == [("file_changed", "orders.csv"), ("only_in_ledger", "4711")]


def test_a_document_that_the_ledger_never_saw_is_named(place, inbox):
    path = archived(inbox)
    (path.parent / "smuggled.csv").write_text(FILE.replace("4711;", "4811;").partition("4712")[0])
    found = statement(place)
    assert named(found) == [("only_in_file", "4811")]
    assert found.files == 2


def test_a_file_that_is_gone_and_one_that_waits_are_named(place, inbox):
    archived(inbox).unlink()
    (inbox / "next.csv").write_text(FILE)
    assert named(statement(place)) == [("file_gone", "orders.csv"), ("file_waiting", "next.csv")]


def test_an_order_that_came_again_and_one_that_changed_do_not_count_twice(place, inbox):
    (inbox / "again.csv").write_text(FILE.replace("4716;", "4717;").replace("3;7.77", "3;7.78"))
    place.run()
    found = statement(place)
    assert named(found) == []
    counts = {row.name: row.cells[0].count for row in found.counts if row.currency == "EUR"}
    assert counts["done"] == 4
    assert (counts["repeated"], counts["other_content"]) == (1, 1)


def test_what_has_no_end_yet_is_named(place, inbox):
    (inbox / "open.csv").write_text(FILE.replace("471", "472"))
    place.sandbox.fault("error_before_saving", method="POST", path="/v1/salesorderwithlines", status=503)
    with pytest.raises(AssertionError, match="no end state"):
        place.run()
    assert sorted(named(statement(place))) == [("open", "4721"), ("open", "4725"), ("open", "4726")]
    place.sandbox.box.faults.rules.clear()
    place.run()
    assert named(statement(place)) == []


def test_an_order_in_asperion_that_the_ledger_has_refused_is_named(place):
    change(place, resource="salesorderwithlines", key="4716", set={"reference": "4712"})
    assert sorted(named(statement(place))) == [("other_document", "4716"), ("unexpected", "4712")]


def test_without_the_comparison_nothing_is_named(place, monkeypatch):
    """The test of the tests: with the rules switched off each of those above would be red."""
    monkeypatch.setattr(compare, "_in_asperion", lambda *parts: None)
    change(place, resource="salesorderwithlines", key="4711", remove=True)
    assert named(statement(place)) == []


def test_the_command_shows_it_and_ends_with_1_when_it_does_not_tie(place, capsys, tmp_path):
    place.write()
    assert main(["reconcile"]) == 0
    assert "it ties" in capsys.readouterr().out
    change(place, resource="salesorderwithlines", key="4711", set={"amountInclVat": 41.15})
    file = tmp_path / "out.csv"
    assert main(["reconcile", "--csv", str(file)]) == 1
    said = capsys.readouterr().out
    assert "4711: VAT differs, by 0.01" in said
    rows = list(csv.DictReader(file.open(newline="")))
    (row,) = [row for row in rows if row["row"] == "difference"]
    assert (row["what"], row["record"], row["difference"]) == ("vat_differs", "4711", "0.01")
    assert main(["reconcile", "--from", "2026-02-01", "--to", "2026-01-01"]) == 2


# The operator and the page


class Manager:
    """Stands for Airflow's auth manager: level 1 reads, level 2 triggers."""

    def is_authorized_dag(self, *, method, access_entity=None, details=None, user):
        return user.level >= (1 if method == "GET" else 2)


class Person:
    def __init__(self, level):
        self.level = level

    def get_id(self):
        return f"person-{self.level}"

    get_name = get_id


def client(level):
    app = make_app()
    app.dependency_overrides[get_user] = lambda: Person(level)
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def run_operator(place, **form):
    place.write()
    now = dt.datetime.now(dt.UTC)
    run = SimpleNamespace(
        run_type="scheduled",
        data_interval_start=now - dt.timedelta(days=1),
        data_interval_end=now + dt.timedelta(minutes=1),
    )
    ti = SimpleNamespace(dag_id="asperion_reconcile", task_id="reconcile", map_index=-1, try_number=1)
    context = {"ti": ti, "run_id": "scheduled__1", "dag_run": run, "params": form}
    return ReconcileOperator(task_id="reconcile").execute(context)


@pytest.fixture
def pages(place, monkeypatch):
    monkeypatch.setattr(rights, "get_auth_manager", Manager)
    data._ledger.cache_clear()
    yield client
    data.ledger().close()
    data._ledger.cache_clear()


def test_the_task_keeps_the_statement_and_fails_by_name(place, pages):
    assert run_operator(place)["orders_to_asperion"] == {"records": 6, "differences": 0}
    text = pages(2).get("/reconcile").text
    assert '"tag good">ties' in text
    change(place, resource="salesorderwithlines", key="4711", remove=True)
    with pytest.raises(AirflowFailException, match="4711: no longer in Asperion"):
        run_operator(place)
    text = pages(2).get("/reconcile").text
    assert "1 difference<" in text
    link = re.search(r'href="(/reconcile/[0-9a-f]{40})">Orders, SAP to Asperion', text)[1]
    shown = pages(2).get(link).text
    assert "no longer in Asperion" in shown
    assert f"/record/{DocumentKey('1', 'sales_order', '4711').id}" in shown
    assert not [value for value in ("Piet", "piet.puk", "Kees") if value in shown]
    answer = pages(2).get(f"{link}/statement.csv")
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="reconcile_orders_to_asperion_'
    )
    assert "gone,sales_order,4711" in answer.text
    for path in ("/reconcile", link, f"{link}/statement.csv"):
        assert pages(1).get(path).status_code == 403, "statements hold amounts"
    assert pages(2).get(f"/reconcile/{'0' * 40}").status_code == 404


def test_the_form_triggers_a_run_for_the_interval(place, pages, monkeypatch):
    asked = []
    monkeypatch.setattr(route, "trigger", lambda dag, conf, **by: asked.append((dag, conf)) or "manual__1")

    def sent(level, **fields):
        body = {forms.FIELD: forms.token_for(Person(level)), "integration": "default", **fields}
        return pages(level).post("/reconcile", data=body)

    interval = {"start": "2026-11-24T00:00", "end": "2026-11-25T00:00"}
    answer = sent(2, **interval)
    assert answer.status_code == 200
    assert "asperion_reconcile/runs/manual__1" in answer.text
    conf = {"reconcile_from": "2026-11-24T00:00:00+00:00", "reconcile_to": "2026-11-25T00:00:00+00:00"}
    assert asked == [("asperion_reconcile", conf)]
    assert sent(1, **interval).status_code == 403
    assert sent(2, start="2026-11-25T00:00", end="2026-11-24T00:00").status_code == 422
    assert sent(2, start="never", end="2026-11-24T00:00").status_code == 422
    assert pages(2).post("/reconcile", data={"integration": "default", **interval}).status_code == 403
    assert len(asked) == 1
