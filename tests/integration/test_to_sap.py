"""From Asperion to SAP's folder over HTTP and SFTP: everything once, then what changed, and nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import tempfile
from collections import Counter
from decimal import Decimal

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators import publishing
from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from tests.support.cli_world import world

LOG = logging.getLogger(__name__)
PROFILE = ReadProfile(
    message_types=("ORDERS", "INVOIC", "MATMAS", "DEBMAS", "ADRMAS"),
    csv=CsvProfile(group_by="SKU"),
)


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=120, debtors=60, orders=30) as made:
        folder = inbox / "to_sap"
        flows = ("products", "stock", "customers", "orders")
        made.other_flows = {f"{name}_to_sap": {"folder": {"folder": str(folder / name)}} for name in flows}
        yield made


class Runner:
    """Runs a flow as its DAG would, task after task."""

    def __init__(self, place):
        self.place = place
        self.count = 0

    def __call__(self, name, *, interval=None, dry_run=False, full=False, **settings):
        self.place.other_flows[name] |= settings
        self.place.write()
        self.count += 1
        return asyncio.run(self._run(name, interval, dry_run, full))

    async def _run(self, name, interval, dry_run, full):
        run, flow = f"{name}/run{self.count}", runtime.flow("default", name)
        extraction = await publishing.extract(
            name, flow, integration="default", run=run, interval=interval, full=full, log=LOG
        )
        published = [
            await publishing.publish_batch(
                batch,
                name,
                flow,
                integration="default",
                run=run,
                owner=run,
                dry_run=dry_run,
                full=full,
                log=LOG,
            )
            for batch in extraction.batches
        ]
        return publishing.settle(
            extraction.told(),
            [batch.model_dump(mode="json") for batch in extraction.batches],
            [one.told() for one in published],
            flow_name=name,
            run=run,
            dry_run=dry_run,
            log=LOG,
        )


@pytest.fixture
def run(place):
    return Runner(place)


@pytest.fixture
def fetched(inbox):
    """Return what SAP's side reads: all documents of new files; a problem is a failure."""
    seen = set()

    def fetch(name):
        documents = []
        for path in sorted((inbox / "to_sap" / name).glob("*")):
            assert not path.name.startswith("."), f"{path.name} was left behind"
            if path not in seen:
                seen.add(path)
                with path.open("rb") as stream:
                    documents += read_documents(stream, file=path.name, profile=PROFILE)
        assert not [one for one in documents if isinstance(one, Problem)]
        return documents

    return fetch


@pytest.mark.feature("P1", "P2", "X6")
@pytest.mark.parametrize("form", ["idoc_xml", "idoc_flat", "json"])
def test_products_first_all_then_nothing_then_what_changed(run, fetched, place, form):
    writing = {"format": form}
    assert run("products_to_sap", writing=writing)["counts"] == {"create": 120}
    first = fetched("products")
    assert len({document.key for document in first}) == len(first) == 120
    assert first[0].data["E1MARAM"][0]["MSGFN"] == "009"

    again = run("products_to_sap")
    assert (again["counts"], again["files"]) == ({"none": 120}, 0)
    assert fetched("products") == []

    place.sandbox.change("articles", "SKU-00007", description="Een andere naam", longDescription="Anders")
    place.sandbox.change("articles", "SKU-00008", longDescription="Een andere lange tekst")
    assert run("products_to_sap")["counts"] == {"none": 119, "update": 1}
    (update,) = fetched("products")
    material = update.data["E1MARAM"][0]
    assert material["MATNR"] == "SKU-00007"
    assert material["E1MAKTM"][0]["MAKTX"] == "Een andere naam"
    assert set(material) == {"MSGFN", "MATNR", "E1MAKTM"}, "only what changed, and its keys"
    assert material["MSGFN"] == "004"


@pytest.mark.feature("P1")
def test_an_article_that_turned_inactive_or_is_gone_is_flagged(run, fetched, place):
    run("products_to_sap", gone="flag")
    fetched("products")
    place.sandbox.change("articles", "SKU-00007", activeState="Inactive")
    place.sandbox.remove("articles", "SKU-00008")
    assert run("products_to_sap")["counts"] == {"none": 118, "update": 1, "delete": 1}
    assert {one.key: one.data["E1MARAM"][0]["LVORM"] for one in fetched("products")} == {
        "SKU-00007": "X",
        "SKU-00008": "X",
    }
    assert run("products_to_sap")["counts"] == {"none": 119}


@pytest.mark.feature("P5", "X6")
def test_products_as_csv_with_prices(run, fetched):
    run("products_to_sap", writing={"format": "csv"}, mappings={"products_csv": {}})
    rows = {one.key: one.data["header"] for one in fetched("products")}
    assert len(rows) == 120
    row = rows["SKU-00001"]
    assert row["ACTION"] == "create"
    assert row["PRICE"] and row["PRICE_INCL_VAT"] > row["PRICE"]


@pytest.mark.feature("S1", "S2", "S3")
def test_stock_less_what_open_orders_reserve_and_changed_ones_only(run, fetched, place):
    first = run("stock_to_sap")
    levels = {one.key: one.data["header"]["QUANTITY"] for one in fetched("stock")}
    active = first["counts"]["create"]
    assert len(levels) == active == 117
    assert run("stock_to_sap")["counts"] == {"none": active}
    place.sandbox.change("articles", "SKU-00007", currentStock=Decimal(99_999))
    assert run("stock_to_sap")["counts"] == {"none": active - 1, "update": 1}
    (update,) = fetched("stock")
    assert update.key == "SKU-00007"
    assert int(update.data["header"]["QUANTITY"]) <= 99_999


@pytest.mark.feature("C1", "C2", "C4")
def test_customers_with_their_addresses_and_doubles_reported(run, fetched, place, caplog):
    place.sandbox.change("debtors", "10003", emailAddress="twice@example.nl")
    place.sandbox.change("debtors", "10004", emailAddress="TWICE@example.nl ")
    place.sandbox.change("debtors", "10005", emailAddress="")
    with caplog.at_level(logging.WARNING):
        result = run("customers_to_sap")
    assert result["extracted"] == {"seen": 60, "staged": 57, "left_out": 0, "gone": 0, "refused": 2}
    kinds = Counter(document.message_type for document in fetched("customers"))
    assert kinds == {"DEBMAS": 57, "ADRMAS": 57}
    assert "[customer.double]" in caplog.text
    assert "[customer.no_identity]" in caplog.text
    assert "example.nl" not in caplog.text.casefold()
    assert run("customers_to_sap")["counts"] == {"none": 114}
    place.sandbox.change("debtors", "10010", city="Elders")
    assert run("customers_to_sap")["counts"] == {"none": 112, "update": 2}


@pytest.mark.feature("O1", "O2", "O9")
def test_orders_once_and_their_sums_tie(run, fetched, place):
    run("orders_to_sap")
    orders = fetched("orders")
    held = {str(order["orderNumber"]): order for order in place.sandbox.summary(seeded=True)["orders"]}
    assert {order.key for order in orders} == set(held)
    for order in orders:
        sums = {one["SUMID"]: one["SUMME"] for one in order.data["E1EDS01"]}
        assert Decimal(sums["002"]) == held[order.key]["amountExclVat"]
        assert Decimal(sums["011"]) == held[order.key]["amountInclVat"]
    assert fetched("orders") == []
    assert run("orders_to_sap")["files"] == 0


@pytest.mark.feature("O2", "O9")
def test_paid_invoices_only(run, fetched, place):
    run("orders_to_sap", kind="sales_invoice", filter={"status": ["7"]})
    invoices = place.sandbox.summary(seeded=True)["invoices"]
    paid = [one for one in invoices if one["status"] == 7]
    sent = fetched("orders")
    assert len(sent) == len(paid) < len(invoices)
    held = {str(one["invoiceNumber"]): one for one in paid}
    for invoice in sent:
        sums = {one["SUMID"]: Decimal(one["SUMME"]) for one in invoice.data["E1EDS01"]}
        assert sums["010"] == held[invoice.key]["amountExclVat"]
        assert sums["011"] == held[invoice.key]["amountInclVat"]
        assert sums["010"] + sums["005"] == sums["011"]


@pytest.mark.feature("X3")
def test_a_dry_run_says_what_would_travel_and_writes_nothing(run, inbox, caplog):
    with caplog.at_level(logging.INFO):
        result = run("products_to_sap", dry_run=True)
    assert result["counts"] == {"create": 120}
    assert "SKU-00001: create" in caplog.text
    assert not (inbox / "to_sap" / "products").exists()
    assert run("products_to_sap")["counts"] == {"create": 120}


@pytest.mark.feature("X4")
def test_an_interval_sends_only_what_changed_in_it(run, fetched, place):
    now = dt.datetime.now(dt.UTC)
    place.sandbox.change("articles", "SKU-00007", description="Vandaag veranderd")
    result = run("products_to_sap", interval=(now - dt.timedelta(hours=1), now + dt.timedelta(hours=1)))
    assert result["counts"]["create"] < 120
    assert "SKU-00007" in {document.key for document in fetched("products")}


@pytest.mark.feature("X4")
def test_full_sends_all_again(run, fetched):
    run("products_to_sap")
    fetched("products")
    assert run("products_to_sap", full=True)["counts"] == {"update": 120}


@pytest.mark.feature("X4")
def test_full_sends_all_also_where_changes_are_found_by_their_date(run, fetched):
    changes = {"by": "date", "overlap_minutes": 0}
    assert run("products_to_sap", changes=changes)["counts"] == {"create": 120}
    assert run("products_to_sap")["extracted"]["seen"] < 120, "only what changed since is asked for"
    assert run("products_to_sap", full=True)["counts"] == {"update": 120}


@pytest.mark.feature("C2")
def test_a_backfill_does_not_take_a_double_for_the_customer_that_sap_has(run, fetched, place, caplog):
    run("customers_to_sap")
    fetched("customers")
    mail = next(one for one in place.sandbox.summary(seeded=True)["debtors"] if one["emailAddress"])
    now = dt.datetime.now(dt.UTC)
    other = "10011" if mail["customerNumber"] != "10011" else "10012"
    place.sandbox.change("debtors", other, emailAddress=mail["emailAddress"])
    result = run("customers_to_sap", interval=(now - dt.timedelta(hours=1), now + dt.timedelta(hours=1)))
    assert "customer.double" in caplog.text
    assert other not in {document.key for document in fetched("customers")}
    assert result["extracted"]["refused"] >= 1


@pytest.mark.feature("P1", "W2")
def test_what_is_gone_is_seen_through_a_mapping_file_of_ones_own_too(run, fetched, place):
    (place.home / "own.yaml").write_text("extends: products_matmas05\n")
    own = {"mappings": {"own.yaml": {}}, "gone": "flag"}
    assert run("products_to_sap", **own)["counts"] == {"create": 120}
    place.sandbox.remove("articles", "SKU-00008")
    assert run("products_to_sap")["counts"] == {"none": 119, "delete": 1}
