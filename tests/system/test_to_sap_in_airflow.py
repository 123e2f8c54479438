"""The way back in a real Airflow: all of it once, then what changed, whoever is killed. Each record once.

The tests build on each other, in this order.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
from airflow_provider_asperion.sap.reading import read_documents

from .conftest import ARTICLES, DEBTORS, ORDERS

if TYPE_CHECKING:
    from airflow_provider_asperion.records import SourceDocument

    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("O1", "P1", "S1", "C1", "X2", "X4", "W6")]

PRODUCTS = "asperion_products_to_sap"
FLOWS = {
    PRODUCTS: "products",
    "asperion_stock_to_sap": "stock",
    "asperion_customers_to_sap": "customers",
    "asperion_orders_to_sap": "orders",
}
CHANGED = 137
PROFILE = ReadProfile(
    message_types=("ORDERS", "MATMAS", "DEBMAS", "ADRMAS"), csv=CsvProfile(name="stock", group_by="SKU")
)


class Sap:
    """SAP's side: reads every file once."""

    def __init__(self, landscape: Landscape) -> None:
        self._folder = landscape.sshd.folder / "in"
        self._seen: set[str] = set()

    def fetch(self, flow: str) -> list[SourceDocument]:
        documents: list[SourceDocument] = []
        names = {path.name for path in (self._folder / flow).glob("*")}
        assert not any(name.startswith(".") for name in names), "a temporary file was left behind"
        if flow == "products":
            assert {name for name in names if name.endswith(".done")} == {
                f"{name}.done" for name in names if not name.endswith(".done")
            }
        for name in sorted(names - self._seen):
            self._seen.add(name)
            if name.endswith(".done"):
                continue
            with (self._folder / flow / name).open("rb") as stream:
                for one in read_documents(stream, file=name, profile=PROFILE):
                    assert not isinstance(one, Problem), one
                    documents.append(one)
        return documents


@pytest.fixture(scope="module")
def sap(landscape: Landscape) -> Sap:
    return Sap(landscape)


def run(landscape: Landscape, dag: str, **conf: object) -> dict[str, object]:
    run_id = landscape.trigger(dag, **conf)
    assert landscape.wait(run_id, dag) == "success", landscape.tasks(run_id, dag)
    return landscape.result(run_id, dag)


@pytest.fixture(scope="module", autouse=True)
def _dags_are_on(landscape: Landscape) -> None:
    for dag in FLOWS:
        landscape.airflow.wait_for_dag(dag)


def test_killed_in_publishing_then_cleared_all_is_there_once(landscape: Landscape, sap: Sap) -> None:
    """The first run of all: 10,000 articles, killed while a batch is published, cleared until it is done."""
    landscape.airflow.request("PATCH", f"dags/{PRODUCTS}?update_mask=is_paused", {"is_paused": False})
    run_id = newest(landscape, PRODUCTS)
    for _ in range(2):
        deadline = time.monotonic() + 120
        while not landscape.kill_tasks("publish", with_worker=False):
            assert time.monotonic() < deadline, landscape.tasks(run_id, PRODUCTS)
        assert landscape.wait(run_id, PRODUCTS) == "failed"
        landscape.clear(run_id, PRODUCTS, only_failed=True)
    assert landscape.wait(run_id, PRODUCTS) == "success", landscape.tasks(run_id, PRODUCTS)
    keys = Counter(document.key for document in sap.fetch("products"))
    assert len(keys) == ARTICLES
    assert set(keys.values()) == {1}
    assert snapshots(landscape, "products_to_sap/products_matmas05") == ARTICLES
    assert not any((landscape.home / "asperion" / "staging").rglob("*/*"))


def test_nothing_changed_writes_no_file(landscape: Landscape, sap: Sap) -> None:
    result = run(landscape, PRODUCTS)
    assert (result["counts"], result["files"]) == ({"none": ARTICLES}, 0)
    assert sap.fetch("products") == []


@pytest.mark.feature("P2")
def test_after_some_changes_exactly_those_travel(landscape: Landscape, sap: Sap) -> None:
    changed = [f"SKU-{number * 7 + 1:05d}" for number in range(CHANGED)]
    for sku in changed:
        landscape.box.change("articles", sku, description=f"Nieuwe naam {sku}", longDescription="verrijkt")
    assert run(landscape, PRODUCTS)["counts"] == {"none": ARTICLES - CHANGED, "update": CHANGED}
    documents = sap.fetch("products")
    assert sorted(document.key for document in documents) == sorted(changed)
    assert all("E1MTXHM" not in document.data["E1MARAM"][0] for document in documents)


def test_two_runs_at_once_and_a_cleared_one_send_nothing_twice(landscape: Landscape, sap: Sap) -> None:
    landscape.box.change("articles", "SKU-00005", description="Twee tegelijk")
    runs = [landscape.trigger(PRODUCTS), landscape.trigger(PRODUCTS)]
    assert {landscape.wait(one, PRODUCTS) for one in runs} == {"success"}
    landscape.clear(runs[0], PRODUCTS, only_failed=False)
    assert landscape.wait(runs[0], PRODUCTS) == "success"
    assert [document.key for document in sap.fetch("products")] == ["SKU-00005"]


def test_stock_customers_and_orders(landscape: Landscape, sap: Sap) -> None:
    for dag in list(FLOWS)[1:]:
        landscape.airflow.request("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
    for dag in list(FLOWS)[1:]:
        run_id = newest(landscape, dag)
        assert landscape.wait(run_id, dag) == "success", landscape.tasks(run_id, dag)
    stock = [document.key for document in sap.fetch("stock")]
    assert len(stock) == len(set(stock)) == ARTICLES - ARTICLES // 40
    kinds = Counter(document.message_type for document in sap.fetch("customers"))
    assert kinds["DEBMAS"] == kinds["ADRMAS"] >= DEBTORS
    orders = [document.key for document in sap.fetch("orders")]
    assert len(orders) == len(set(orders)) == ORDERS
    for dag in list(FLOWS)[1:]:
        assert run(landscape, dag)["files"] == 0


@pytest.mark.feature("X3")
def test_a_dry_run_writes_nothing(landscape: Landscape, sap: Sap) -> None:
    landscape.box.change("articles", "SKU-00006", description="Alleen kijken")
    assert run(landscape, PRODUCTS, dry_run=True)["counts"]["update"] == 1
    assert sap.fetch("products") == []
    assert run(landscape, PRODUCTS)["counts"]["update"] == 1


def test_nothing_personal_in_logs_database_and_ledger(landscape: Landscape, sap: Sap) -> None:
    """W6: a byte search for e-mail addresses, names and streets of Asperion's debtors."""
    with landscape.box.state.lock:
        table = landscape.box.state.administrations[1].tables["debtors"]
        people = [row.values for row in table.rows.values()]
    addresses = {str(person["emailAddress"]).lower().encode() for person in people if person["emailAddress"]}
    # Looking for a text takes as long as reading all of it: every fiftieth name and street is enough.
    others = {str(person[field]).encode() for person in people[::50] for field in ("name", "address")}
    assert len(addresses) > DEBTORS / 2
    assert len(others) > 100
    found = []
    for path in landscape.home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        seen = {word.lower() for word in re.findall(rb"[\w.+-]+@[\w-]+\.[\w.-]+", content)} & addresses
        seen |= {secret for secret in others if secret in content}
        found += [f"{path.relative_to(landscape.home)}: {secret.decode()}" for secret in seen]
    assert found == []


def newest(landscape: Landscape, dag: str) -> str:
    """Return the run that begins when a DAG is switched on."""
    deadline = time.monotonic() + 60
    while True:
        runs = landscape.airflow.request("GET", f"dags/{dag}/dagRuns?order_by=-id&limit=1")["dag_runs"]
        if runs:
            return str(runs[0]["dag_run_id"])
        assert time.monotonic() < deadline, f"{dag} has no run"
        time.sleep(0.05)


def snapshots(landscape: Landscape, flow: str) -> int:
    statement = "select count(*) from asperion_snapshots where flow = ? and published_at is not null"
    ((count,),) = landscape.ask_ledger(statement, flow)
    return int(count)


def test_the_ledger_is_sound_after_all_that(landscape: Landscape, sap: Sap) -> None:
    assert landscape.ask_ledger("pragma integrity_check") == [["ok"]]
