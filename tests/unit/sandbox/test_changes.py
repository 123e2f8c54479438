"""Changes behind the API's back, the dates they leave, filters on those, and lists that move while paged."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from airflow_provider_asperion.sandbox import Sandbox, schema

pytestmark = pytest.mark.feature("X1")

NOW = "2026-03-04T05:06:07"
CHANGE = "/_sandbox/change"


async def one(api, path):
    return (await api.get(f"/v1/{path}")).json()


async def test_stock_and_status_are_changed_though_no_client_may_write_them(api, stranger):
    changes = [
        {"resource": "articles", "key": "SKU-00001", "set": {"currentStock": 12.5, "price": None}},
        {"resource": "SalesOrdersWithLines", "key": "WS1000001", "set": {"status": 7}},
        {"resource": "salesinvoices", "key": 100001, "set": {"status": 8}},
        {"resource": "vatcodes", "key": "V21", "set": {"validUntil": "2026-12-31"}},
    ]
    answer = await stranger.post(CHANGE, json=changes)
    assert (answer.status_code, answer.json()) == (200, {"changed": 4})
    article = await one(api, "articles/100001")
    assert (article["currentStock"], article["price"], article["dateLastChange"]) == (12.5, None, NOW)
    order = await one(api, "salesorderwithlines/100001")
    assert (order["status"], order["dateLastChange"], len(order["lines"]["_data"]) > 0) == (7, NOW, True)
    assert (await one(api, "salesinvoiceswithlines/100001"))["status"] == 8
    code = await one(api, "vatcodes/V21")
    assert (code["validUntil"], "dateLastChange" in code) == ("2026-12-31T00:00:00", False)
    listed = (await api.get("/v1/articles?pageSize=1")).json()["_data"][0]
    assert listed["currentStock"] == 12.5


async def test_the_other_administration_is_named(api, stranger):
    change = {"administration": 2, "resource": "articles", "key": "SKU-00001", "set": {"description": "x"}}
    await stranger.post(CHANGE, json=change)
    assert (await one(api, "articles/100001"))["description"] != "x"
    other = await api.get("/v1/articles/200001", headers={"X-Tenant-Id": "2"})
    assert other.json()["description"] == "x"


async def test_the_day_of_a_change_may_be_given(api, stranger):
    change = {"resource": "debtors", "key": "10001", "set": {"dateLastChange": "2026-01-02"}}
    await stranger.post(CHANGE, json=change)
    assert (await one(api, "debtors/100001"))["dateLastChange"] == "2026-01-02T00:00:00"


async def test_fields_that_nobody_knows_are_shown(api, stranger, order):
    places = {"_data": [{"warehouseId": "A", "currentStock": 4}]}
    change = {
        "resource": "articles",
        "key": "SKU-00001",
        "set": {"levertijd": "3 dagen", "warehouses": places},
    }
    await stranger.post(CHANGE, json=change)
    article = await one(api, "articles/100001")
    assert (article["levertijd"], article["warehouses"]) == ("3 dagen", places)
    assert (await api.get("/v1/articles?pageSize=1&fields=levertijd")).json()["_data"][0][
        "levertijd"
    ] == "3 dagen"
    # A write of the API leaves them be.
    await api.patch("/v1/articles/100001", json={"description": "new"})
    assert (await one(api, "articles/100001"))["levertijd"] == "3 dagen"
    assert "levertijd" not in await one(api, "articles/100002")


async def test_an_article_is_removed(api, stranger):
    answer = await stranger.post(CHANGE, json={"resource": "articles", "key": "SKU-00002", "remove": True})
    assert answer.status_code == 200
    assert (await api.get("/v1/articles/100002")).status_code == 404
    listed = (await api.get("/v1/articles?pageSize=200&ActiveState=All")).json()
    assert (listed["_meta"]["totalCount"], listed["_data"][1]["code"]) == (199, "SKU-00003")
    found = await api.get("/v1/articles", params={"Code": "SKU-00002", "Code_comparison": "Equals"})
    assert found.json()["_data"] == []
    made = await api.post("/v1/articles", json={"code": "SKU-00002", "description": "again"})
    assert made.json()["id"] == 100201


WRONG = [
    {"resource": "articles", "key": "SKU-99999", "set": {}},
    {"resource": "nothing", "key": 1, "set": {}},
    {"administration": 3, "resource": "articles", "key": "SKU-00001", "set": {}},
    {"resource": "articles", "key": "SKU-00001", "set": {"price": "ten"}},
    {"resource": "articles", "key": "SKU-00001", "set": {"price": 1e30}},
    {"resource": "articles", "key": "SKU-00001", "set": {"id": 5}},
    {"resource": "salesorderwithlines", "key": "WS1000001", "set": {"lines": []}},
    {"resource": "articles", "key": "SKU-00001", "odd": 1},
    {"resource": "articles"},
    "SKU-00001",
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_of_a_list_with_a_wrong_change_none_is_made(api, stranger, wrong):
    before = await one(api, "articles/100003")
    right = {"resource": "articles", "key": "SKU-00003", "set": {"description": "x"}}
    answer = await stranger.post(CHANGE, json=[right, wrong])
    assert (answer.status_code, "error" in answer.json()) == (400, True)
    assert await one(api, "articles/100003") == before
    assert (await stranger.post(CHANGE, content=b"{")).status_code == 400


async def test_only_this_machine_may_change(emulator):
    transport = httpx.ASGITransport(emulator, client=("192.0.2.7", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as far:
        change = {"resource": "articles", "key": "SKU-00001", "remove": True}
        assert (await far.post(CHANGE, json=change)).status_code == 403


def test_changes_in_a_test():
    box = Sandbox()
    box.change("articles", "SKU-00007", currentStock=3, levertijd="morgen")
    box.change("articles", "SKU-00007", administration=2, currentStock=4)
    box.remove("articles", "SKU-00008")
    assert (box.summary()["stock"]["SKU-00007"], box.summary(2)["stock"]["SKU-00007"]) == (3, 4)
    assert "SKU-00008" not in box.summary()["stock"]
    with pytest.raises(ValueError, match="no entry"):
        box.remove("articles", "SKU-00008")


async def test_two_of_a_number_are_not_guessed_between(api, stranger):
    await api.post("/v1/articles", json={"code": "SKU-00001", "description": "twice"})
    change = {"resource": "articles", "key": "SKU-00001", "set": {"price": 1}}
    assert (await stranger.post(CHANGE, json=change)).status_code == 400
    assert (await stranger.post(CHANGE, json={**change, "key": 100001})).status_code == 200


# Dates of changes


async def test_each_write_sets_the_date(api, order):
    made = (await api.post("/v1/articles", json={"code": "N", "description": "n"})).json()
    assert (made["dateAdded"], made["dateLastChange"]) == (NOW, None)
    await api.patch(f"/v1/articles/{made['id']}", json={"description": "m"})
    assert (await one(api, f"articles/{made['id']}"))["dateLastChange"] == NOW
    placed = (await api.post("/v1/SalesOrderWithLines", json=order())).json()
    assert (placed["dateAdded"], placed["dateLastChange"]) == (NOW, None)


@pytest.mark.parametrize("moves", [True, False])
async def test_whether_stock_is_a_change_of_the_article_is_a_switch(api, box, stranger, order, moves):
    box.switches.stock_changes_date = moves
    for number in (1, 2):
        key, date = f"SKU-0000{number}", "2026-01-09T00:00:00"
        box.change([_change(key, dateLastChange=date)])
    await api.post("/v1/SalesOrderWithLines", json=order())
    box.change([_change("SKU-00002", currentStock=1)])
    for number in (1, 2):
        article = await one(api, f"articles/10000{number}")
        assert article["dateLastChange"] == (NOW if moves else "2026-01-09T00:00:00")
    box.change([_change("SKU-00002", currentStock=1, price=1)])
    assert (await one(api, "articles/100002"))["dateLastChange"] == NOW


def _change(key, **fields):
    from airflow_provider_asperion.sandbox.changes import Change

    return Change(resource="articles", key=key, set=fields)


async def test_a_filter_on_the_date_of_change_is_a_switch(api, box, stranger):
    box.change([_change("SKU-00001", description="x")])
    query = {"DateLastChange_from": "2026-03-04", "DateLastChange_to": "2026-03-04", "pageSize": 200}
    everything = (await api.get("/v1/articles", params=query)).json()["_meta"]["totalCount"]
    assert everything == 195
    box.switches.unknown_parameters = "refuse"
    assert (await api.get("/v1/articles", params=query)).status_code == 400
    box.switches.change_date_filter = True
    found = (await api.get("/v1/articles", params=query)).json()["_data"]
    assert "SKU-00001" in {item["code"] for item in found}
    assert len(found) < 10
    assert all(item["dateLastChange"].startswith("2026-03-04") for item in found)
    document = (await stranger.get("/swagger/v1/swagger.json")).json()
    names = {parameter["name"] for parameter in document["paths"]["/v1/articles"]["get"]["parameters"]}
    assert {"DateLastChange_from", "DateLastChange_to"} <= names


# Lists that move


async def walked(api, path):
    url, ids = f"/v1/{path}", []
    while url:
        body = (await api.get(url)).json()
        ids += [item["id"] for item in body["_data"]]
        url = body["_meta"]["nextPage"]
    return ids


async def test_an_entry_goes_while_the_list_is_paged(api, box):
    box.switches.paging_shifts = ("remove",)
    ids = await walked(api, "debtors?pageSize=100")
    assert (len(ids), 100101 in ids, 100001 in ids) == (399, False, True)
    assert box.switches.paging_shifts == ()
    after = await walked(api, "debtors?pageSize=100")
    assert (len(after), 100101 in after, 100001 in after) == (399, True, False)


async def test_an_entry_comes_in_front_while_the_list_is_paged(api, box):
    box.switches.paging_shifts = ("insert",)
    ids = await walked(api, "articles?pageSize=50&ActiveState=All")
    assert (len(ids), len(set(ids)), 100201 in ids) == (201, 200, False)
    again = await walked(api, "articles?pageSize=50&ActiveState=All")
    assert (again[0], len(again)) == (100201, 201)
    codes = {row.values["code"] for row in box.state.administration()[schema.ARTICLES].rows.values()}
    assert len(codes) == 201


async def test_one_shift_for_each_later_page(api, box):
    box.switches.paging_shifts = ("remove", "insert", "remove")
    await api.get("/v1/SalesOrderWithLines?pageSize=5")
    assert len(box.switches.paging_shifts) == 3
    await walked(api, "SalesOrderWithLines?pageSize=5")
    assert box.switches.paging_shifts == ("remove",)
    again = await walked(api, "SalesOrderWithLines?pageSize=100")
    assert len(again) == 12
    box.reset()
    assert box.switches.paging_shifts == ()


def test_the_clock_of_the_sandbox_is_used(box):
    assert box.now() == dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
    box.change([_change("SKU-00001", description="x")])
    row = box.state.administration()[schema.ARTICLES].rows[100001]
    assert row.values["dateLastChange"] == NOW


# Documents with their lines


@pytest.mark.parametrize("path", ["SalesOrderWithLines", "salesinvoiceswithlines"])
async def test_documents_show_their_lines_in_lists_and_alone(api, path):
    listed = (await api.get(f"/v1/{path}?pageSize=100")).json()["_data"]
    assert len(listed) == 12
    for document in listed:
        assert document["lines"]["_meta"]["totalCount"] == len(document["lines"]["_data"]) > 0
        assert await one(api, f"{path}/{document['id']}") == document


async def test_documents_are_found_by_status_and_day(api):
    paid = (await api.get("/v1/salesinvoiceswithlines?Status=7")).json()["_data"]
    assert {item["status"] for item in paid} == {7}
    assert len(paid) == 5
    orders = (await api.get("/v1/SalesOrderWithLines?DateAdded_from=2026-02-20")).json()["_data"]
    assert 0 < len(orders) < 12
    assert min(item["dateAdded"] for item in orders) >= "2026-02-20"
