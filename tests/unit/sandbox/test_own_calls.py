"""The sandbox's own calls: for checkers, and to switch it while it runs."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.faults import KINDS

pytestmark = pytest.mark.feature("X1")


async def test_the_state_tells_documents_and_what_is_there_twice(api, stranger, order, invoice):
    for reference in ("A1", "A1", "A2"):
        await api.post("/v1/SalesOrderWithLines", json=order(reference=reference))
    await api.post("/v1/salesinvoiceswithlines", json=invoice())
    for address in ("x@example.com", " X@Example.com"):
        await api.post("/v1/debtors", json={"name": "x", "emailAddress": address})
    first = (await stranger.get("/_sandbox/state")).json()["administrations"]["1"]
    assert [one["reference"] for one in first["orders"]] == ["A1", "A1", "A2"]
    assert first["orders"][0]["amountInclVat"] == 24.2
    assert first["orders"][0]["lineCount"] == 1
    assert [one["invoiceNumber"] for one in first["invoices"]] == ["A1"]
    assert (first["debtorCount"], len(first["debtors"]), first["articleCount"]) == (402, 2, 200)
    assert first["duplicates"]["orders"] == {"A1": 2}
    assert first["duplicates"]["debtorEmails"] == {"x@example.com": 2}
    assert (await stranger.get("/_sandbox/state")).json()["administrations"]["2"]["orders"] == []


async def test_reset_goes_back_to_the_start(api, stranger, box, order):
    stock = (await api.get("/v1/articles/100001")).json()["currentStock"]
    made = (await api.post("/v1/SalesOrderWithLines", json=order())).json()
    box.switches.latency_ms = 5
    await stranger.post("/_sandbox/faults", json={"kind": "error_before_saving"})
    assert (await stranger.post("/_sandbox/reset")).status_code == 204
    assert box.switches.latency_ms == 0
    assert (await stranger.get("/_sandbox/faults")).json() == []
    assert (await stranger.get("/_sandbox/requests")).json() == []
    assert box.state.administration()[schema.SALES_ORDERS].get(str(made["id"])) is None
    assert (await api.get("/v1/articles/100001")).json()["currentStock"] == stock
    assert (await api.post("/v1/SalesOrderWithLines", json=order())).json()["id"] == made["id"]


async def test_requests_are_told_without_queries_or_bodies(api, stranger):
    await api.get("/v1/Debtors/?EmailAddress=private@example.com")
    await api.post("/v1/debtors", json={})
    log = await stranger.get("/_sandbox/requests")
    assert [(one["method"], one["path"], one["status"]) for one in log.json()] == [
        ("GET", "/v1/debtors", 200),
        ("POST", "/v1/debtors", 400),
    ]
    assert "private" not in log.text
    await stranger.delete("/_sandbox/requests")
    assert (await stranger.get("/_sandbox/requests")).json() == []


async def test_switches_are_changed_while_it_runs(api, stranger):
    answer = await stranger.patch("/_sandbox/switches", json={"max_page_size": 3, "unique_references": True})
    assert (answer.json()["max_page_size"], answer.json()["first_page"]) == (3, 1)
    assert len((await api.get("/v1/debtors")).json()["_data"]) == 3


@pytest.mark.parametrize("changes", [{"max_page_size": 0}, {"odd": 1}, {"vat_rounding": "up"}, [1], "x"])
async def test_switches_that_are_none_change_nothing(stranger, box, changes):
    before = box.switches.model_dump()
    assert (await stranger.patch("/_sandbox/switches", json=changes)).status_code == 400
    assert box.switches.model_dump() == before


async def test_faults_are_switched_and_counted_while_it_runs(api, stranger):
    rules = [{"kind": "too_many_requests", "every": 2}, {"kind": "latency", "ms": 1}]
    assert (await stranger.post("/_sandbox/faults", json=rules)).status_code == 200
    assert [(await api.get("/v1/journals")).status_code for _ in range(4)] == [200, 429, 200, 429]
    assert [rule["fired"] for rule in (await stranger.get("/_sandbox/faults")).json()] == [2, 4]
    assert (await stranger.delete("/_sandbox/faults")).status_code == 204
    assert (await api.get("/v1/journals")).status_code == 200
    assert (await stranger.post("/_sandbox/faults", json={"kind": "odd"})).status_code == 400
    assert (await stranger.post("/_sandbox/faults", content=b"{")).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_can_be_switched(stranger, kind):
    assert (await stranger.post("/_sandbox/faults", json={"kind": kind})).json()[0]["kind"] == kind


@pytest.mark.parametrize("path", ["state", "requests", "switches", "faults"])
async def test_only_this_machine_may_ask(emulator, path):
    transport = httpx.ASGITransport(emulator, client=("192.0.2.7", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as far:
        assert (await far.get(f"/_sandbox/{path}")).status_code == 403
