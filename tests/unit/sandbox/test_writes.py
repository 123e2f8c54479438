"""What the emulator takes, computes and refuses."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from airflow_provider_asperion.sandbox import schema

pytestmark = pytest.mark.feature("X1")

ORDERS, INVOICES = "/v1/SalesOrderWithLines", "/v1/salesinvoiceswithlines"


def exact(answer):
    return json.loads(answer.text, parse_float=Decimal)


def rows(box, resource):
    """How many were added."""
    return sum(not row.seeded for row in box.state.administration()[resource].rows.values())


async def test_a_debtor_is_created_read_and_found(api):
    body = {
        "name": "Nieuw B.V.",
        "emailAddress": "new@example.org",
        "debtorKindId": "B",
        "paymentConditionId": 30,
    }
    answer = await api.post(
        "/v1/debtors", json={**body, "id": 7, "dateAdded": "1999-01-01", "_meta": {}, "odd": 1}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert body.items() <= made.items()
    assert made["id"] == 100401
    assert made["customerNumber"]
    assert made["dateAdded"] == "2026-03-04T05:06:07"
    assert (await api.get(f"/v1/debtors/{made['id']}")).json() == made
    query = {"EmailAddress": "new@example.org", "EmailAddress_comparison": "Equals"}
    assert (await api.get("/v1/debtors", params=query)).json()["_data"] == [made]


async def test_put_replaces_and_patch_changes(api, box):
    before = (await api.get("/v1/debtors/100001")).json()
    after = (await api.patch("/v1/debtors/100001", json={"city": "Zwolle"})).json()
    assert after == {**before, "city": "Zwolle", "dateLastChange": "2026-03-04T05:06:07"}
    after = (await api.put("/v1/debtors/100001", json={"name": "Anders"})).json()
    assert (after["name"], after["city"], after["customerNumber"]) == (
        "Anders",
        None,
        before["customerNumber"],
    )
    box.switches.put_clears_omitted = False
    after = (await api.put("/v1/debtors/100002", json={"name": "Anders"})).json()
    assert after["city"] is not None


async def test_a_changed_debtor_is_found_by_its_new_address_only(api):
    old = (await api.get("/v1/debtors/100001")).json()["emailAddress"]
    await api.patch("/v1/debtors/100001", json={"emailAddress": "other@example.com"})

    async def hits(address):
        query = {"EmailAddress": address, "EmailAddress_comparison": "Equals"}
        return [item["id"] for item in (await api.get("/v1/debtors", params=query)).json()["_data"]]

    assert await hits(old) == []
    assert await hits("other@example.com") == [100001]


async def test_an_article_is_created_and_changed_but_not_its_stock(api, box):
    made = await api.post(
        "/v1/articles", json={"code": "N1", "description": "Nieuw", "price": 1.5, "currentStock": 9}
    )
    assert made.status_code == 201
    assert (made.json()["currentStock"], made.json()["activeState"]) == (0, "Active")
    path = f"/v1/articles/{made.json()['id']}"
    assert (await api.patch(path, json={"price": 2, "currentStock": 5})).json()["currentStock"] == 0
    box.switches.current_stock_in_body = "refuse"
    answer = await api.patch(path, json={"currentStock": 5})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["currentStock"])


@pytest.mark.parametrize(
    "path", ["/v1/SalesOrderWithLines", "/v1/salesorderwithlines/", "/v1/SalesOrdersWithLines/"]
)
async def test_an_order_is_computed_by_the_server(api, order, path):
    lines = [
        {"articleCode": "SKU-00001", "quantity": 3, "price": 0.335, "discount": 10, "vatCode": "V21"},
        {"articleId": 100019, "quantity": 1, "price": 10, "vatCode": "V9"},
        {"description": "a line of text"},
    ]
    made = exact(await api.post(path, json=order(lines={"_data": lines}, amountExclVat=999)))
    assert made["amountExclVat"] == Decimal("10.90")
    assert made["vatAmount"] == Decimal("1.09")
    assert made["amountInclVat"] == Decimal("11.99")
    assert (made["status"], made["debtorCustomerNumber"], made["reference"]) == (1, "10001", "A1")
    assert made["lines"]["_meta"]["totalCount"] == 3
    assert [line["articleCode"] for line in made["lines"]["_data"]] == ["SKU-00001", "SKU-00019", None]
    assert exact(await api.get(f"{path.rstrip('/')}/{made['id']}")) == made


async def test_what_a_line_leaves_open_comes_from_the_article(api, order):
    article = exact(await api.get("/v1/articles/100001"))
    made = exact(await api.post(ORDERS, json=order(lines={"_data": [{"articleId": 100001, "quantity": 2}]})))
    line = made["lines"]["_data"][0]
    assert line["amount"] == article["price"] * 2
    assert (line["vatCode"], line["unit"], line["description"]) == (
        "V21",
        article["unit"],
        article["description"],
    )


async def test_vat_is_rounded_per_code_or_per_line(api, box, order):
    lines = {"_data": [{"articleCode": "SKU-00001", "quantity": 1, "price": 0.02, "vatCode": "V21"}] * 10}
    assert exact(await api.post(ORDERS, json=order(lines=lines)))["vatAmount"] == Decimal("0.04")
    box.switches.vat_rounding = "line"
    assert exact(await api.post(ORDERS, json=order(lines=lines)))["vatAmount"] == Decimal("0.00")


async def test_orders_move_stock_unless_switched_off(api, box, order):
    async def stock():
        return (await api.get("/v1/articles/100001")).json()["currentStock"]

    before = await stock()
    await api.post(ORDERS, json=order())
    assert await stock() == before - 2
    box.switches.orders_move_stock = False
    await api.post(ORDERS, json=order())
    assert await stock() == before - 2


async def test_a_repeated_post_makes_a_duplicate(api, box, order):
    for _ in range(2):
        assert (await api.post(ORDERS, json=order())).status_code == 201
    query = {"Reference": "A1", "Reference_comparison": "Equals"}
    assert len((await api.get(ORDERS, params=query)).json()["_data"]) == 2
    box.switches.unique_references = True
    answer = await api.post(ORDERS, json=order())
    assert (answer.status_code, list(answer.json()["errors"])) == (409, ["reference"])


async def test_unique_numbers_bind_changes_too_but_not_to_themselves(api, box):
    box.switches.unique_references = True
    assert (await api.patch("/v1/debtors/100001", json={"customerNumber": "10002"})).status_code == 409
    assert (await api.patch("/v1/debtors/100001", json={"customerNumber": "10001"})).status_code == 200


@pytest.mark.parametrize(("changes", "fields"), [
    ({"date": None}, ["date"]),
    ({"date": "31-01-2026"}, ["date"]),
    ({"date": 20260131}, ["date"]),
    ({"debtorId": None}, ["debtorId"]),
    ({"debtorId": 1}, ["debtorId"]),
    ({"debtorId": "100001"}, ["debtorId"]),
    ({"debtorId": 100400}, ["debtorId"]),
    ({"debtorId": None, "debtorCustomerNumber": "nobody"}, ["debtorCustomerNumber"]),
    ({"paymentConditionId": 31}, ["paymentConditionId"]),
    ({"paymentMethodId": "cash"}, ["paymentMethodId"]),
    ({"reference": 5}, ["reference"]),
    ({"lines": None}, ["lines"]),
    ({"lines": []}, ["lines"]),
    ({"lines": {"_data": []}}, ["lines"]),
    ({"lines": {"_data": ["x"]}}, ["lines[0]"]),
    ({"lines": {"_data": [{"articleCode": "SKU-00001"}]}}, ["lines[0].quantity"]),
    ({"lines": {"_data": [{"articleCode": "NO", "quantity": 1}]}}, ["lines[0].articleCode"]),
    ({"lines": {"_data": [{"articleId": 5, "quantity": 1}]}}, ["lines[0].articleId"]),
    ({"lines": {"_data": [{"articleCode": "SKU-00040", "quantity": 1}]}}, ["lines[0].articleCode"]),
    ({"lines": {"_data": [{"articleCode": "SKU-00001", "quantity": "1"}]}}, ["lines[0].quantity"]),
    ({"lines": {"_data": [{"articleCode": "SKU-00001", "quantity": 1e30}]}}, ["lines[0].quantity"]),
    ({"lines": {"_data": ["x", {"articleCode": "SKU-00001", "quantity": 1, "vatCode": "V22"}]}},
     ["lines[0]", "lines[1].vatCode"]),
])  # fmt: skip
async def test_orders_that_are_wrong_are_refused_by_field(api, box, order, changes, fields):
    answer = await api.post(ORDERS, json=order(**changes))
    assert answer.status_code == 400
    assert sorted(answer.json()["errors"]) == fields
    assert rows(box, schema.SALES_ORDERS) == 0


async def test_inactive_articles_may_be_accepted(api, box, order):
    box.switches.inactive_articles_on_orders = "accept"
    lines = {"_data": [{"articleCode": "SKU-00040", "quantity": 1}]}
    assert (await api.post(ORDERS, json=order(lines=lines))).status_code == 201


async def test_orders_need_the_intrade_pack(api, box, order):
    box.switches.intrade = False
    assert (await api.post(ORDERS, json=order())).status_code == 403


@pytest.mark.parametrize(("path", "resource"), [
    ("/v1/debtors", schema.DEBTORS), (ORDERS, schema.SALES_ORDERS), (INVOICES, schema.SALES_INVOICES),
    ("/v1/articles", schema.ARTICLES),
])  # fmt: skip
async def test_validate_only_checks_and_stores_nothing(api, box, order, invoice, path, resource):
    body = {ORDERS: order(), INVOICES: invoice(), "/v1/debtors": {"name": "x"}}.get(
        path, {"code": "N1", "description": "x"}
    )
    before, stock = rows(box, resource), (await api.get("/v1/articles/100001")).json()
    answer = await api.post(path, params={"validateOnly": "true"}, json=body)
    assert answer.status_code == 200
    assert (await api.post(path, params={"validateonly": "True"}, json={})).status_code == 400
    assert rows(box, resource) == before
    assert (await api.get("/v1/articles/100001")).json() == stock
    assert (await api.post(path, json=body)).status_code == 201
    assert rows(box, resource) == before + 1


async def test_an_invoice_as_the_third_party_client_sends_it(api, invoice):
    made = exact(await api.post(INVOICES, json=invoice()))
    assert (made["amountExclVat"], made["vatAmount"], made["amountInclVat"]) == (100, 21, 121)
    assert (made["status"], made["invoiceNumber"]) == (1, "A1")
    assert "debtorId" not in made
    query = {"DebtorId": 100001, "InvoiceNumber": "A1", "InvoiceNumber_comparison": "Equals"}
    assert exact(await api.get(INVOICES, params=query))["_data"] == [made]
    headers = exact(await api.get("/v1/salesinvoices", params=query))["_data"]
    assert [(header["id"], "lines" in header) for header in headers] == [(made["id"], False)]


async def test_a_vat_amount_that_a_line_states_is_kept(api, invoice):
    line = {"amount": 100, "vatAmount": 20.99, "vatCode": "V21", "ledgerAccountId": 8000}
    made = exact(await api.post(INVOICES, json=invoice(lines={"_data": [line]})))
    assert (made["vatAmount"], made["amountInclVat"]) == (Decimal("20.99"), Decimal("120.99"))


async def test_concept_invoices_may_lose_their_number(api, box, invoice):
    box.switches.concept_invoice_number = "lose"
    assert (await api.post(INVOICES, json=invoice())).json()["invoiceNumber"] is None


@pytest.mark.parametrize("field", ["bookyear", "bookperiod", "debtorCustomerNumber", "date", "journalId"])
async def test_what_an_invoice_must_have(api, invoice, field):
    assert field in (await api.post(INVOICES, json=invoice(**{field: None}))).json()["errors"]


async def test_unknown_codes_on_invoice_lines(api, invoice):
    line = {"amount": 1, "vatCode": "X", "ledgerAccountId": 1}
    errors = (await api.post(INVOICES, json=invoice(journalId="71", lines={"_data": [line]}))).json()[
        "errors"
    ]
    assert sorted(errors) == ["journalId", "lines[0].ledgerAccountId", "lines[0].vatCode"]


async def test_a_journal_entry_must_balance(api):
    def entry(amount):
        lines = [{"amount": 100, "ledgerAccountId": 8000}, {"amount": amount, "ledgerAccountId": 1300}]
        return {
            "bookyear": 2026,
            "bookperiod": 1,
            "date": "2026-01-31",
            "journalId": "90",
            "lines": {"_data": lines},
        }

    assert (await api.post("/v1/journalentrieswithlines", json=entry(-100))).status_code == 201
    answer = await api.post("/v1/journalentrieswithlines", json=entry(-99.99))
    assert list(answer.json()["errors"]) == ["lines"]


async def test_a_file_is_uploaded_to_an_invoice(api, box, invoice):
    made = (await api.post(INVOICES, json=invoice())).json()["id"]
    path = f"{INVOICES}/{made}/file"
    answer = await api.post(path, files={"File": ("a.pdf", b"%PDF-1.7", "application/pdf")})
    assert answer.status_code == 201
    assert {
        "name": "a.pdf",
        "extension": "pdf",
        "size": 8,
        "type": "application/pdf",
    }.items() <= answer.json().items()
    assert isinstance(answer.json()["id"], str)
    assert len(box.state.administration().files[made]) == 1
    assert (await api.post(path, files={"Other": ("a.pdf", b"x")})).status_code == 400
    assert (await api.post(f"{INVOICES}/1/file", files={"File": ("a.pdf", b"x")})).status_code == 404
    refused = await api.post(path, files={"File": ("a.pdf", b"x")}, headers={"Authorization": "Bearer no"})
    assert refused.status_code == 401


@pytest.mark.parametrize(("content", "kind", "status"), [
    (b"{", "application/json", 400), (b"[]", "application/json", 400), (b"\xff", "application/json", 400),
    (b"", "application/json", 400), (b'{"name": NaN}', "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b"{}", "text/plain", 415), (b"{}", "", 415),
])  # fmt: skip
async def test_bodies_that_are_no_json_object(api, content, kind, status):
    headers = {"Content-Type": kind} if kind else {}
    assert (await api.post("/v1/debtors", content=content, headers=headers)).status_code == status


@pytest.mark.parametrize(("language", "message"), [
    ("en-US", "The field is required."), ("nl-NL,nl;q=0.9", "Het veld is verplicht."),
    ("", "The field is required."),
])  # fmt: skip
async def test_messages_in_the_language_asked_for(api, language, message):
    answer = await api.post("/v1/debtors", json={}, headers={"Accept-Language": language})
    assert answer.json()["errors"] == {"name": [message]}


async def test_what_a_debtor_must_have_is_a_switch(api, box):
    box.switches.mandatory_debtor_fields = ("name", "debtorKindId")
    assert list((await api.post("/v1/debtors", json={"name": "x"})).json()["errors"]) == ["debtorKindId"]


async def test_statuses_and_content_type_are_switches(api, box):
    box.switches.created_status = 200
    box.switches.validated_status = 204
    box.switches.problem_content_type = "application/json"
    assert (await api.post("/v1/debtors", json={"name": "x"})).status_code == 200
    assert (await api.post("/v1/debtors?validateOnly=true", json={"name": "x"})).status_code == 204
    assert (await api.post("/v1/debtors", json={})).headers["content-type"] == "application/json"
