"""The way back reconciled: published = in the files = posted by SAP; amounts of orders = Asperion's."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from sqlalchemy import update

from airflow_provider_asperion.flows.reconcile import to_sap
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger.tables import outbox
from airflow_provider_asperion.operators.reconciling import reconcile
from tests.integration.test_answers import answer, sent, status
from tests.integration.test_to_sap import Runner
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("X5")
PRODUCTS, ORDERS = "products_to_sap/products_matmas05", "orders_to_sap/orders_orders05"
DOCUMENT = re.compile(r"<IDOC .*?</IDOC>", re.DOTALL)


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=8) as made:
        made.answers = inbox / "answers"
        made.answers.mkdir()
        made.other_flows = {
            name: {"folder": {"folder": str(inbox / name)}} for name in ("products_to_sap", "orders_to_sap")
        }
        made.other_flows |= {"stock_to_sap": {"enabled": False}, "customers_to_sap": {"enabled": False}}
        made.other_flows["answers_from_sap"] = {
            "folder": {"inbox": str(made.answers), "stable_looks": 1, "minimum_age_seconds": 0},
        }
        yield made


@pytest.fixture
def published(place):
    run = Runner(place)
    assert run("products_to_sap")["counts"] == {"create": 12}
    assert run("orders_to_sap")["counts"] == {"create": 8}
    return place


def statements(place):
    place.write()
    now = dt.datetime.now(dt.UTC)
    hour = dt.timedelta(hours=1)
    return {one.flow: one for one in asyncio.run(reconcile("default", now - hour, now + hour))}


def named(place, flow):
    found = statements(place)
    assert [one.flow for one in found.values() if not one.ties] in ([flow], [])
    return [(one.name, one.subject) for one in found[flow].differences]


def the_file(place, name):
    (path,) = (place.inbox / name).glob("*.xml")
    return path


def test_to_zero_after_a_run_and_after_sap_has_fetched(published):
    found = statements(published)
    assert [one.ties for one in found.values()] == [True] * 3
    (products,) = found[PRODUCTS].counts
    assert (products.name, [cell.count for cell in products.cells]) == ("create", [12, 12])
    (orders,) = found[ORDERS].counts
    assert found[ORDERS].sides == ("asperion", "ledger", "files")
    assert [cell.count for cell in orders.cells] == [8, 8, 8]
    amounts = {cell.amount for cell in orders.cells}
    assert len(amounts) == 1
    assert amounts != {None}
    the_file(published, "orders_to_sap").unlink()
    assert named(published, ORDERS) == [], "SAP has fetched it"


def test_a_document_that_is_no_longer_in_its_file_is_named(published):
    path = the_file(published, "products_to_sap")
    text = path.read_text()
    gone = DOCUMENT.findall(text)[3]
    number = re.search(r"<DOCNUM>(\d+)</DOCNUM>", gone)[1]
    (key,) = [key for key, snapshot in sent(PRODUCTS).items() if snapshot.number == number]
    path.write_text(text.replace(gone, ""))
    assert named(published, PRODUCTS) == [("file_changed", path.name), ("only_in_ledger", key)]


def test_a_document_that_nobody_sent_is_named(published):
    path = the_file(published, "products_to_sap")
    text = path.read_text()
    first = DOCUMENT.findall(text)[0]
    number = re.search(r"<DOCNUM>(\d+)</DOCNUM>", first)[1]
    path.write_text(text.replace(first, first + first.replace(number, "4" * 16)))
    assert named(published, PRODUCTS) == [("file_changed", path.name), ("only_in_file", path.name)]


def test_an_order_that_was_changed_or_deleted_in_asperion_is_named(published):
    changed, gone, *_ = sorted(sent(ORDERS))
    with published.sandbox.box.state.lock:
        rows = published.sandbox.box.state.administration(1).tables["salesorderwithlines"].rows
        ids = {row.values["orderNumber"]: key for key, row in rows.items()}
        amount = rows[ids[changed]].values["amountInclVat"]
    published.sandbox.change("salesorderwithlines", ids[changed], amountInclVat=amount + 1)
    published.sandbox.remove("salesorderwithlines", ids[gone])
    assert named(published, ORDERS) == [("amount_differs", changed), ("gone", gone)]
    (row,) = statements(published)[ORDERS].counts
    assert [cell.count for cell in row.cells] == [7, 8, 8]


def test_what_sap_refused_and_what_it_did_not_answer_in_time_is_named(published):
    published.other_flows["answers_from_sap"]["enabled"] = True
    published.write()
    products = sent(PRODUCTS)
    posted, failed, silent, *_ = sorted(products)
    told = [(one.number, "53") for key, one in products.items() if key not in (failed, silent)]
    (published.answers / "STATUS_1.xml").write_text(status(*told, (products[failed].number, "51")))
    answer()
    found = statements(published)
    assert [(one.name, one.key) for one in found[PRODUCTS].differences] == [("failed", failed)]
    (row,) = found[PRODUCTS].counts
    assert [cell.count for cell in row.cells] == [12, 12, 10]
    published.other_flows["reconcile"] = {"answer_hours": 0}
    found = statements(published)
    assert sorted((one.name, one.key) for one in found[PRODUCTS].differences) == [
        ("failed", failed),
        ("unanswered", silent),
    ]
    assert posted not in str(found[PRODUCTS].differences)


def test_what_was_replaced_before_sap_answered_counts_by_itself(published):
    published.sandbox.change("articles", "SKU-00007", description="Een andere naam")
    assert Runner(published)("products_to_sap")["counts"] == {"update": 1, "none": 11}
    found = statements(published)[PRODUCTS]
    assert found.ties
    counts = {row.name: [cell.count for cell in row.cells] for row in found.counts}
    assert counts == {"create": [11, 11], "replaced": [1, 1], "update": [1, 1]}


def test_a_publication_without_an_end_is_named(published):
    with runtime.open_ledger() as ledger, ledger.transaction() as work:
        work.connection.execute(
            update(outbox).where(outbox.c.flow == PRODUCTS).values(state="uploaded", updated_at=work.now)
        )
    ((name, subject),) = named(published, PRODUCTS)
    assert (name, subject) == ("unfinished", the_file(published, "products_to_sap").name)


def test_without_the_comparison_nothing_is_named(published, monkeypatch):
    monkeypatch.setattr(to_sap, "_difference", lambda *parts, **more: None)
    changed, *_ = sorted(sent(ORDERS))
    with published.sandbox.box.state.lock:
        rows = published.sandbox.box.state.administration(1).tables["salesorderwithlines"].rows
        key = next(key for key, row in rows.items() if row.values["orderNumber"] == changed)
    published.sandbox.remove("salesorderwithlines", key)
    assert named(published, ORDERS) == []
