"""Lists of the emulator: shapes, paging, filters, tenants."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

pytestmark = pytest.mark.feature("X1")

LISTS = [
    "administrations", "articles", "debtors", "salesorderwithlines", "salesorderswithlines", "salesinvoices",
    "salesinvoiceswithlines", "paymentconditions", "paymentmethods", "vatcodes", "journals", "costcenters",
    "costunits", "ledgeraccounts", "journalentrieswithlines", "approvalroutes", "salestypes", "debtorkinds",
]  # fmt: skip


async def found(api, path, **query):
    answer = await api.get(f"/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["_data"]


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_has_the_shape_of_a_list(api, path):
    body = (await api.get(f"/v1/{path}")).json()
    assert set(body) == {"_data", "_meta"}
    assert body["_meta"]["administrationId"] == 1
    assert body["_meta"]["totalCount"] >= len(body["_data"])
    for item in body["_data"]:
        again = await api.get(item["_meta"]["self"])
        assert again.json() == item


@pytest.mark.parametrize("path", ["/v1/Debtors", "/v1/debtors/", "/V1/DEBTORS/?page=1"])
async def test_paths_in_any_case_with_or_without_slash(api, path):
    assert len((await api.get(path)).json()["_data"]) == 50


async def test_ids_keep_their_case_in_paths(api):
    assert (await api.get("/v1/vatcodes/V21")).json()["percentage"] == 21
    assert (await api.get("/v1/vatcodes/v21")).status_code == 404


async def test_pages_hold_everything_once(api):
    url, ids = "/v1/debtors?pageSize=90", []
    while url:
        body = (await api.get(url)).json()
        ids += [item["id"] for item in body["_data"]]
        url = body["_meta"]["nextPage"]
    assert len(ids) == len(set(ids)) == 400
    assert body["_meta"]["pageCount"] == 5
    assert "page=4" in body["_meta"]["previousPage"]


async def test_a_page_is_never_larger_than_allowed(api, box):
    assert len(await found(api, "debtors", pageSize=1000)) == 200
    box.switches.max_page_size = 10
    assert len(await found(api, "debtors", pageSize=1000)) == 10


@pytest.mark.parametrize(
    ("form", "meta"), [("null", {"nextPage": None}), ("empty", {"nextPage": ""}), ("missing", {})]
)
async def test_how_the_last_page_says_so(api, box, form, meta):
    box.switches.next_page_at_end = form
    answer = (await api.get("/v1/journals")).json()["_meta"]
    assert {name: value for name, value in answer.items() if name == "nextPage"} == meta


async def test_pages_may_begin_at_nought(api, box):
    box.switches.first_page = 0
    first = (await api.get("/v1/debtors?page=0&pageSize=200")).json()
    second = (await api.get("/v1/debtors?page=1&pageSize=200")).json()
    assert first["_data"][0]["id"] == 100001
    assert second["_data"][0]["id"] == 100201
    assert "page=1" in first["_meta"]["nextPage"]
    assert second["_meta"]["nextPage"] is None


async def test_links_may_be_relative(api, box):
    box.switches.absolute_links = False
    body = (await api.get("/v1/debtors?pageSize=1")).json()
    assert body["_meta"]["nextPage"].startswith("/v1/debtors?page=2")
    assert body["_data"][0]["_meta"]["self"] == "/v1/debtors/100001"


@pytest.mark.parametrize("query", ["page=x", "page=0", "pageSize=0", "pageSize=-1"])
async def test_a_page_that_is_none_is_refused(api, query):
    assert (await api.get(f"/v1/debtors?{query}")).status_code == 400


async def test_text_contains_unless_compared_otherwise(api):
    both = {"inkoop@example.nl", "hoofdinkoop@example.nl"}

    async def addresses(comparison):
        query = {"EmailAddress": "inkoop@example.nl"}
        if comparison:
            query["EmailAddress_comparison"] = comparison
        return {item["emailAddress"] for item in await found(api, "debtors", pageSize=200, **query)}

    assert await addresses(None) == both
    assert await addresses("Contains") == both
    assert await addresses("EndsWith") == both
    assert await addresses("Equals") == {"inkoop@example.nl"}
    assert await addresses("StartsWith") == {"inkoop@example.nl"}
    assert len(await addresses("NotEquals")) == 200


@pytest.mark.parametrize(
    ("case_matters", "equals", "ends"), [("equals", 0, 2), ("always", 0, 0), ("never", 1, 2)]
)
async def test_which_comparisons_mind_case(api, box, case_matters, equals, ends):
    box.switches.case_matters = case_matters
    query = {"EmailAddress": "INKOOP@example.nl"}
    assert len(await found(api, "debtors", **query, EmailAddress_comparison="Equals")) == equals
    assert len(await found(api, "debtors", **query, EmailAddress_comparison="EndsWith")) == ends


async def test_filter_names_in_any_case_and_joined_by_and(api):
    assert len(await found(api, "debtors", customernumber="10041")) == 1
    assert len(await found(api, "debtors", CustomerNumber="10041", DebtorKindId="C")) == 0


async def test_numbers_booleans_and_what_is_neither(api):
    assert [item["id"] for item in await found(api, "paymentconditions", Id=30)] == [30]
    assert len(await found(api, "debtors", Blocked="true")) == 1
    assert {item["id"] for item in await found(api, "vatcodes", SalesCode="false")} == {"I21", "I9", "I0"}
    answer = await api.get("/v1/paymentconditions?Id=thirty")
    assert answer.status_code == 400
    assert "id" in answer.json()["errors"]


async def test_date_ranges_hold_both_ends(api, order):
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        assert (
            await api.post("/v1/SalesOrderWithLines", json=order(reference=day, date=day))
        ).status_code == 201
    days = await found(api, "SalesOrderWithLines", Date_from="2026-01-01", Date_to="2026-01-02")
    assert [item["reference"] for item in days] == ["2026-01-01", "2026-01-02"]
    assert len(await found(api, "SalesOrderWithLines", DateAdded_from="2026-03-05")) == 0
    assert len(await found(api, "SalesOrderWithLines", Date="2026-01-03")) == 1


async def test_only_active_articles_unless_asked(api):
    def codes(items):
        return {item["code"] for item in items}

    inactive = {f"SKU-{number:05d}" for number in (40, 80, 120, 160, 200)}
    assert codes(await found(api, "articles", pageSize=200)).isdisjoint(inactive)
    assert codes(await found(api, "articles", pageSize=200, ActiveState="All")) > inactive
    assert codes(await found(api, "articles", ActiveState="Inactive")) == inactive


async def test_unknown_parameters_are_ignored_or_refused(api, box):
    assert len(await found(api, "debtors", EmailAdress="typo")) == 50
    box.switches.unknown_parameters = "refuse"
    assert (await api.get("/v1/debtors?EmailAdress=typo")).status_code == 400
    assert (
        await api.get("/v1/debtors?EmailAddress=a&EmailAddress_comparison=Equals&page=1")
    ).status_code == 200


async def test_an_unknown_comparison_is_refused(api):
    answer = await api.get("/v1/debtors?Name=a&Name_comparison=Like")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["name_comparison"])


async def test_fields_order_and_meta_only(api):
    items = await found(api, "debtors", fields="id,name", orderBy="id desc", pageSize=2)
    assert [set(item) for item in items] == [{"id", "name", "_meta"}] * 2
    assert [item["id"] for item in items] == [100400, 100399]
    body = (await api.get("/v1/debtors?metaOnly=true")).json()
    assert body["_data"] == []
    assert body["_meta"]["totalCount"] == 400


@pytest.mark.parametrize(("form", "written"), [
    ("datetime", "2026-01-05T09:00:00"), ("date", "2026-01-05"), ("zoned", "2026-01-05T09:00:00+01:00"),
])  # fmt: skip
async def test_dates_in_the_form_of_the_switch(api, box, form, written):
    await found(api, "debtors")  # what was written before is not served again
    box.switches.date_form = form
    assert (await found(api, "debtors", pageSize=1))[0]["dateAdded"] == written


async def test_money_is_a_number_with_its_own_digits(api):
    text = (await api.get("/v1/articles?Code=SKU-00001")).text
    price = json.loads(text, parse_float=Decimal)["_data"][0]["price"]
    assert isinstance(price, Decimal)
    assert price.as_tuple().exponent == -2


@pytest.mark.parametrize("header", ["X-Tenant-Id", "X-TenantId", "x-tenant-id"])
async def test_either_tenant_header(stranger, box, header):
    headers = {"Authorization": f"Bearer {box.credentials.access_token}", header: "2"}
    meta = (await stranger.get("/v1/journals", headers=headers)).json()["_meta"]
    assert (meta["administrationId"], meta["administrationName"]) == (2, "Demo Retail B.V.")


async def test_without_a_tenant_the_default_answers(stranger, box):
    headers = {"Authorization": f"Bearer {box.credentials.access_token}"}
    assert (await stranger.get("/v1/journals", headers=headers)).json()["_meta"]["administrationId"] == 1


@pytest.mark.parametrize("tenant", ["3", "", "one", b"\xb2", "99999999999999999999"])
async def test_a_foreign_tenant_is_refused(api, box, tenant):
    assert (await api.get("/v1/journals", headers={"X-Tenant-Id": tenant})).status_code == 403
    box.switches.foreign_tenant_status = 404
    assert (await api.get("/v1/journals", headers={"X-Tenant-Id": tenant})).status_code == 404


async def test_administrations_share_nothing(api):
    other = {"X-Tenant-Id": "2"}
    first = {item["id"] for item in await found(api, "debtors", pageSize=200)}
    answer = await api.get("/v1/debtors", params={"pageSize": 200}, headers=other)
    assert first.isdisjoint(item["id"] for item in answer.json()["_data"])
    assert (await api.get("/v1/debtors/100001", headers=other)).status_code == 404


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/v1/nothing", 404), ("GET", "/v1/debtors/1", 404), ("GET", "/v1/debtors/1/2", 404),
    ("DELETE", "/v1/debtors/100001", 405), ("POST", "/v1/vatcodes", 405), ("POST", "/v1/debtors/100001", 405),
    ("PUT", "/v1/debtors", 405), ("PUT", "/v1/SalesOrderWithLines/1", 405), ("GET", "/elsewhere", 404),
])  # fmt: skip
async def test_what_is_not_there(api, method, path, status):
    assert (await api.request(method, path)).status_code == status


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc", "sandbox-access-token"])
async def test_without_a_token_nobody_gets_in(stranger, header):
    answer = await stranger.get("/v1/debtors", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"title", "status", "detail", "traceId"} <= set(answer.json())
