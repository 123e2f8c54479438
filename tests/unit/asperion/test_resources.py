"""The typed calls: look-ups that do not trust the server's comparison, writes that go out whole."""

from __future__ import annotations

import datetime as dt
import json
import logging
from decimal import Decimal

import pytest
from aiohttp import web

from airflow_provider_asperion.asperion.errors import BadAnswer, LookupUnsupported, Rejected, ServerFault
from airflow_provider_asperion.asperion.models import (
    ArticleDraft,
    Debtor,
    DebtorDraft,
    Delivery,
    DocumentDraft,
    LineDraft,
)

DEBTORS = "/v1/debtors"
ARTICLES = "/v1/articles"
ORDERS = "/v1/SalesOrderWithLines"
INVOICES = "/v1/salesinvoiceswithlines"
PATHS = {"sales_order": ORDERS, "sales_invoice": INVOICES}


def server_with(name, *items, ignore_case=False):
    """Answer a list as the API is believed to: by substring unless Equals is asked for."""

    def fits(value, query):
        wanted = query[name[0].upper() + name[1:]]
        if ignore_case:
            value, wanted = value.lower(), wanted.lower()
        equals = query.get(name[0].upper() + name[1:] + "_comparison") == "Equals"
        return value == wanted if equals else wanted in value

    async def handler(request: web.Request) -> web.Response:
        found = [item for item in items if fits(item[name], request.query)]
        return web.json_response({"_data": found, "_meta": {"administrationId": 12, "nextPage": None}})

    return handler


@pytest.mark.feature("O5")
async def test_a_debtor_is_found_by_equal_value_only(asperion, api):
    api.script(
        DEBTORS,
        server_with(
            "emailAddress", {"id": 1, "emailAddress": "an@x.nl"}, {"id": 2, "emailAddress": "jan@x.nl"}
        ),
    )
    assert [debtor.id for debtor in await asperion.find_debtors("email", "an@x.nl")] == [1]
    assert api.calls(DEBTORS)[0][0]["EmailAddress_comparison"] == "Equals"


@pytest.mark.feature("O5")
@pytest.mark.parametrize("setting", ["Contains", "StartsWith"])
async def test_a_server_that_ignores_the_comparison_is_seen_through(make_asperion, api, setting):
    asperion = make_asperion(names={"query": {"equals": setting}})
    everything = [{"id": 1, "emailAddress": "jan@x.nl"}, {"id": 2, "emailAddress": "an@x.nl.example"}]
    api.script(DEBTORS, server_with("emailAddress", *everything))
    assert await asperion.find_debtors("email", "an@x.nl") == []


@pytest.mark.feature("O5")
@pytest.mark.parametrize("stored", ["jan@x.nl", "Jan@X.nl", " jan@x.nl "])
@pytest.mark.parametrize("given", ["jan@x.nl", "JAN@x.nl", "  jan@x.nl"])
async def test_case_and_blanks_make_no_second_debtor(asperion, api, stored, given):
    api.script(DEBTORS, server_with("emailAddress", {"id": 1, "emailAddress": stored}, ignore_case=True))
    assert [debtor.id for debtor in await asperion.find_debtors("email", given)] == [1]


async def test_a_server_that_minds_case_is_asked_in_lower_case_too(asperion, api):
    api.script(DEBTORS, server_with("emailAddress", {"id": 1, "emailAddress": "jan@x.nl"}))
    assert len(await asperion.find_debtors("email", "Jan@X.nl")) == 1


async def test_without_the_probe_another_case_is_not_found(make_asperion, api):
    asperion = make_asperion(names={"habits": {"case_probe": False}})
    api.script(DEBTORS, server_with("emailAddress", {"id": 1, "emailAddress": " jan@x.nl"}))
    assert await asperion.find_debtors("email", "jan@x.nl") == []
    assert len(api.calls(DEBTORS)) == 1


@pytest.mark.feature("O5")
@pytest.mark.parametrize(
    ("field", "name", "stored", "given"),
    [
        ("vat_number", "vatNumber", "NL123456789B01", "nl123456789b01"),
        ("coc_number", "cocNumber", "12345678", "12345678"),
        ("customer_number", "customerNumber", "C-100", "c-100"),
    ],
)
async def test_other_fields_can_identify(asperion, api, field, name, stored, given):
    api.script(DEBTORS, server_with(name, {"id": 1, name: stored}))
    assert [debtor.id for debtor in await asperion.find_debtors(field, given)] == [1]


async def test_a_number_is_looked_for_once(asperion, api):
    api.script(DEBTORS, server_with("customerNumber", {"id": 1, "customerNumber": "1001"}))
    assert await asperion.find_debtors("customer_number", "100") == []
    assert len(api.calls(DEBTORS)) == 1


async def test_duplicates_are_shown_not_hidden(asperion, api):
    twice = [{"id": 1, "emailAddress": "a@x.nl"}, {"id": 2, "emailAddress": "A@x.nl"}]
    api.script(DEBTORS, server_with("emailAddress", *twice, ignore_case=True))
    assert len(await asperion.find_debtors("email", "a@x.nl")) == 2


async def test_an_empty_value_finds_nobody(asperion, api):
    with pytest.raises(ValueError, match="no value"):
        await asperion.find_debtors("email", "  ")
    assert api.requests == []


async def test_a_debtor_is_created_with_what_is_known(asperion, api):
    api.script(f"POST {DEBTORS}", {"id": 7, "name": "Jansen BV", "customerNumber": 1007})
    draft = DebtorDraft(
        name="Jansen BV", address="Dorpsstraat 1", country="NL", kind="1", payment_condition="3"
    )
    debtor = await asperion.create_debtor(draft)
    assert (debtor.id, debtor.customer_number) == (7, "1007")
    assert json.loads(api.calls(DEBTORS)[0][2]) == {
        "name": "Jansen BV",
        "address": "Dorpsstraat 1",
        "countryCode": "NL",
        "debtorKindId": "1",
        "paymentConditionId": 3,
    }


async def test_a_debtor_can_be_validated_only(asperion, make_asperion, api, build):
    api.script(f"POST {DEBTORS}", build.answer({"title": "t", "status": 400, "errors": {"name": ["x"]}}, 400))
    with pytest.raises(Rejected):
        await asperion.create_debtor(DebtorDraft(name="x"), validate_only=True)
    assert api.calls(DEBTORS)[0][0] == {"validateOnly": "true"}
    silent = make_asperion(names={"habits": {"validate_debtor": False}})
    assert await silent.create_debtor(DebtorDraft(name="x"), validate_only=True) is None
    assert len(api.calls(DEBTORS)) == 1


@pytest.mark.feature("X2")
@pytest.mark.parametrize("body", ['{"name": "no id"}', "", "[]", '{"_data": []}'])
async def test_created_under_an_unknown_id_is_unclear(asperion, api, build, body):
    api.script(f"POST {DEBTORS}", build.answer(body, 201))
    with pytest.raises(BadAnswer) as caught:
        await asperion.create_debtor(DebtorDraft(name="x"))
    assert caught.value.unclear


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_an_update_sends_the_whole_debtor(make_asperion, api, verb):
    asperion = make_asperion(names={"habits": {"update_verb": verb}})
    whole = {"id": 7, "name": "Old", "unknownField": [1.10], "city": "Ede", "_meta": {"self": "x"}}
    api.script(f"GET {DEBTORS}/7", whole)
    api.script(f"{verb} {DEBTORS}/7", web.Response(status=204))
    debtor = await asperion.update_debtor(7, {"name": "New", "payment_condition": "4"})
    assert debtor.name == "New"
    sent = json.loads(api.calls(f"{DEBTORS}/7", verb)[0][2], parse_float=Decimal)
    assert sent == {
        "id": 7,
        "name": "New",
        "unknownField": [Decimal("1.1")],
        "city": "Ede",
        "paymentConditionId": 4,
    }


async def test_an_update_that_changes_nothing_is_not_sent(asperion, api):
    api.script(f"GET {DEBTORS}/7", {"id": 7, "name": "Same"})
    await asperion.update_debtor(7, {"name": "Same"})
    assert api.calls(f"{DEBTORS}/7", "PUT") == []


async def test_an_update_of_an_unknown_field_is_a_mistake_of_the_caller(asperion, api):
    api.script(f"GET {DEBTORS}/7", {"id": 7})
    with pytest.raises(ValueError, match="nickname"):
        await asperion.update_debtor(7, {"nickname": "x"})


@pytest.mark.feature("O7")
async def test_an_article_is_found_exactly_and_inactive_too(asperion, api):
    items = [
        {"id": 1, "code": "A-1", "activeState": "Inactive", "price": 12.50, "currentStock": 3},
        {"id": 2, "code": "A-10"},
    ]
    api.script(ARTICLES, server_with("code", *items))
    (article,) = await asperion.find_article(" A-1")
    assert (article.id, article.active, article.price, article.current_stock) == (
        1,
        False,
        Decimal("12.50"),
        3,
    )
    assert api.calls(ARTICLES)[0][0]["ActiveState"] == "All"


@pytest.mark.feature("S2")
async def test_an_article_is_changed_without_its_stock_ever_being_sent(make_asperion, api):
    names = {
        "article": {"warehouses": "places", "reserved": "held", "price": "prices.sales", "custom": ["lead"]}
    }
    asperion = make_asperion(names=names)
    now = {
        "id": 7,
        "code": "A",
        "description": "Old",
        "unit": "stuk",
        "currentStock": 3,
        "held": 1,
        "places": {"_data": []},
        "prices": {"sales": 1, "cost": 0.5},
        "_meta": {"self": "x"},
    }
    api.script(f"GET {ARTICLES}/7", now)
    api.script(f"PUT {ARTICLES}/7", web.Response(status=204))
    changes = ArticleDraft(
        code="A",
        description="New",
        price=Decimal("2.50"),
        active=False,
        characteristics=(None, "XL"),
        custom={"lead": "3 days"},
    )
    article = await asperion.update_article(7, changes)
    assert (article.description, article.current_stock) == ("New", 3)
    sent = json.loads(api.calls(f"{ARTICLES}/7", "PUT")[0][2], parse_float=Decimal)
    assert sent == {
        "id": 7,
        "code": "A",
        "description": "New",
        "unit": "stuk",
        "prices": {"sales": Decimal("2.50"), "cost": Decimal("0.5")},
        "activeState": "Inactive",
        "characteristic2": "XL",
        "lead": "3 days",
    }


@pytest.mark.feature("O7")
async def test_an_article_is_created_with_what_is_known_of_it(asperion, api):
    api.script(f"POST {ARTICLES}", {"id": 9, "code": "N", "description": "New"})
    article = await asperion.create_article(ArticleDraft(code="N", description="New", active=True))
    assert (article.id, article.code) == (9, "N")
    sent = json.loads(api.calls(ARTICLES, "POST")[0][2])
    assert sent == {"code": "N", "description": "New", "activeState": "Active"}


@pytest.mark.feature("O7")
async def test_an_article_code_is_no_substring(make_asperion, api):
    asperion = make_asperion(names={"query": {"equals": "Contains", "active_state": None}})
    api.script(ARTICLES, server_with("code", {"id": 2, "code": "A-10"}, {"id": 3, "code": "BA-1"}))
    assert await asperion.find_article("A-1") == []
    assert "ActiveState" not in api.calls(ARTICLES)[0][0]


@pytest.mark.parametrize(
    ("state", "active"), [(True, True), ("active", True), ("Inactive", False), (None, None), (3, None)]
)
async def test_the_active_state_is_read_in_any_form(asperion, api, state, active):
    api.script(ARTICLES, server_with("code", {"id": 1, "code": "A", "activeState": state}))
    assert (await asperion.find_article("A"))[0].active is active


@pytest.mark.feature("O4")
@pytest.mark.parametrize(("kind", "name"), [("sales_order", "reference"), ("sales_invoice", "invoiceNumber")])
async def test_a_document_is_found_by_its_reference(asperion, api, kind, name):
    api.script(PATHS[kind], server_with(name, {"id": 5, name: "45001"}, {"id": 6, name: "450011"}))
    (document,) = await asperion.find_documents(kind, "45001")
    assert (document.id, document.kind, document.reference) == (5, kind, "45001")


@pytest.mark.feature("O4")
async def test_the_reference_field_is_a_setting(make_asperion, api):
    asperion = make_asperion(names={"sales_invoice": {"reference": "description"}})
    api.script(INVOICES, server_with("description", {"id": 5, "description": "45001"}))
    assert [found.id for found in await asperion.find_documents("sales_invoice", "45001")] == [5]


@pytest.mark.feature("O4")
async def test_without_a_filter_recent_documents_are_compared(make_asperion, api, build):
    asperion = make_asperion(
        names={"habits": {"sales_order": {"lookup": "recent", "recent_filter": "DateAdded"}}}
    )
    api.script(ORDERS, build.listing({"id": 5, "reference": "1"}, {"id": 6, "reference": "2"}))
    found = await asperion.find_documents("sales_order", "2", since=dt.date(2026, 11, 1))
    assert [document.id for document in found] == [6]
    assert api.calls(ORDERS)[0][0]["DateAdded_from"] == "2026-11-01"


async def test_a_broken_document_of_somebody_else_hides_nothing(asperion, api):
    items = [{"id": {}, "reference": "450011"}, {"id": 6, "reference": "45001"}]
    api.script(ORDERS, {"_data": items, "_meta": {"administrationId": 12}})
    assert [document.id for document in await asperion.find_documents("sales_order", "45001")] == [6]


async def test_recent_documents_one_by_one(asperion, api, build):
    api.script(ORDERS, build.listing({"id": 5}, nextPage="2"), build.listing({"id": 6}))
    found = asperion.recent_documents("sales_order", dt.date(2026, 11, 1))
    assert [document.id async for document in found] == [5, 6]
    assert api.calls(ORDERS)[0][0].keys() == {"page", "pageSize"}


@pytest.mark.feature("X2")
async def test_where_nothing_can_be_found_again_it_is_said(make_asperion, api):
    asperion = make_asperion(names={"habits": {"sales_order": {"lookup": "ledger"}}})
    with pytest.raises(LookupUnsupported, match="held for a person"):
        await asperion.find_documents("sales_order", "1")
    assert api.requests == []


def order(**changes) -> DocumentDraft:
    return DocumentDraft(
        reference="45001",
        debtor_id=7,
        debtor_customer_number="1007",
        date=dt.date(2026, 11, 23),
        payment_condition="3",
        delivery=Delivery(name="Magazijn", address="Kade 2", postcode="1000 AA", city="Ede", country="NL"),
        lines=(
            LineDraft(
                article_id=1,
                article_code="A-1",
                quantity=Decimal(3),
                price=Decimal("0.10"),
                vat_code="1",
                ledger_account="8000",
                amount=Decimal("0.30"),
            ),
        ),
        **changes,
    )


@pytest.mark.feature("O8")
async def test_an_order_is_written_whole(asperion, api):
    api.script(
        f"POST {ORDERS}", {"id": 9, "reference": "45001", "amountExclVat": 0.30, "lines": {"_data": [{}]}}
    )
    placed = await asperion.create_document("sales_order", order())
    assert (placed.id, placed.net, placed.gross, placed.line_count) == (9, Decimal("0.30"), None, 1)
    content = api.calls(ORDERS)[0][2]
    assert b'"price":0.10' in content
    assert json.loads(content) == {
        "reference": "45001",
        "debtorId": 7,
        "debtorCustomerNumber": "1007",
        "date": "2026-11-23T00:00:00",
        "paymentConditionId": 3,
        "deliveryName": "Magazijn",
        "deliveryAddress": "Kade 2",
        "deliveryPostCode": "1000 AA",
        "deliveryCity": "Ede",
        "deliveryCountryCode": "NL",
        "lines": {
            "_data": [
                {
                    "articleId": 1,
                    "articleCode": "A-1",
                    "quantity": 3,
                    "price": 0.1,
                    "amount": 0.3,
                    "vatCode": "1",
                }
            ]
        },
    }


@pytest.mark.feature("O9")
async def test_an_invoice_has_amounts_and_accounts_only(asperion, api):
    api.script(f"POST {INVOICES}", {"id": 9, "status": 1, "invoiceNumber": None})
    placed = await asperion.create_document("sales_invoice", order(journal="70", description="Webshop"))
    assert (placed.status, placed.number) == (1, None)
    assert json.loads(api.calls(INVOICES)[0][2]) == {
        "invoiceNumber": "45001",
        "description": "Webshop",
        "debtorCustomerNumber": "1007",
        "date": "2026-11-23T00:00:00",
        "paymentConditionId": 3,
        "journalId": "70",
        "bookyear": 2026,
        "bookperiod": 11,
        "lines": {"_data": [{"amount": 0.3, "vatCode": "1", "ledgerAccountId": 8000}]},
    }


async def test_the_reference_wins_where_it_shares_a_field(make_asperion, api):
    asperion = make_asperion(names={"sales_invoice": {"reference": "description"}})
    api.script(f"POST {INVOICES}", {"id": 9})
    await asperion.create_document("sales_invoice", order(description="Webshop"))
    assert json.loads(api.calls(INVOICES)[0][2])["description"] == "45001"


async def test_a_dotted_name_makes_a_nested_object(make_asperion, api):
    asperion = make_asperion(
        names={"sales_order": {"delivery": {"city": "deliveryAddress.city", "address": None}}}
    )
    api.script(f"POST {ORDERS}", {"id": 9})
    await asperion.create_document("sales_order", order())
    assert json.loads(api.calls(ORDERS)[0][2])["deliveryAddress"] == {"city": "Ede"}


@pytest.mark.feature("X3")
async def test_orders_are_not_validated_where_that_may_place_them(asperion, api):
    assert await asperion.create_document("sales_order", order(), validate_only=True) is None
    assert api.requests == []


@pytest.mark.feature("X3")
async def test_invoices_can_be_validated_only(asperion, api):
    api.script(f"POST {INVOICES}", {})
    await asperion.create_document("sales_invoice", order(), validate_only=True)
    assert api.calls(INVOICES)[0][0] == {"validateOnly": "true"}


@pytest.mark.feature("X2")
async def test_an_order_that_failed_in_the_server_is_sent_once(asperion, api, build):
    api.script(f"POST {ORDERS}", build.answer({}, 500))
    with pytest.raises(ServerFault) as caught:
        await asperion.create_document("sales_order", order())
    assert caught.value.unclear
    assert len(api.calls(ORDERS)) == 1


async def test_one_document_by_id(asperion, api):
    raw = []

    async def handler(request: web.Request) -> web.Response:
        raw.append(request.raw_path)
        return web.json_response({"id": "a/b"})

    api.script(f"{ORDERS}/a/b", handler)
    assert (await asperion.get_document("sales_order", "a/b")).id == "a/b"
    assert raw == [f"{ORDERS}/a%2Fb"]


@pytest.mark.feature("O10")
async def test_lists_to_choose_from(asperion, api, build):
    vat = {
        "id": "1",
        "description": "21%",
        "salesCode": True,
        "percentage": 21.0,
        "countryCode": "NL",
        "validFrom": None,
    }
    choice = {"id": "1", "description": "Something", "type": "Sales", "_meta": {"self": "x"}}
    api.script("/v1/vatcodes", build.listing(vat))
    for name in (
        "paymentconditions",
        "paymentmethods",
        "journals",
        "debtorkinds",
        "salestypes",
        "ledgeraccounts",
    ):
        api.script(f"/v1/{name}", build.listing(choice))
    (code,) = await asperion.vat_codes()
    assert (code.id, code.percentage, code.sales) == ("1", Decimal(21), True)
    calls = (
        asperion.payment_conditions,
        asperion.payment_methods,
        asperion.journals,
        asperion.debtor_kinds,
        asperion.sales_types,
        asperion.ledger_accounts,
    )
    for call in calls:
        assert [(entry.id, entry.description) for entry in await call()] == [("1", "Something")]
    assert (await asperion.journals())[0].type == "Sales"


async def test_administrations_are_listed_without_the_tenant_header(make_asperion, api, build):
    asperion = make_asperion(administration=None)
    api.script("/v1/administrations", build.listing({"id": 12, "name": "Demo"}, administration=99))
    assert [one.id for one in await asperion.administrations()] == [12]
    assert "X-Tenant-Id" not in api.calls("/v1/administrations")[0][1]


async def test_a_field_of_another_type_is_named_without_its_value(asperion, api):
    api.script(f"{DEBTORS}/7", {"id": 7, "name": {"first": "Jansen"}})
    with pytest.raises(BadAnswer) as caught:
        await asperion.get_debtor(7)
    assert "name" in str(caught.value)
    assert "Jansen" not in str(caught.value)


@pytest.mark.feature("W6")
def test_nothing_personal_in_the_text_of_a_model(caplog):
    personal = {"name": "Jansen", "email": "j@x.nl", "address": "Kade 2", "phone": "061", "city": "Ede"}
    shown = f"{DebtorDraft(**personal)!r}{Debtor(id=1, **personal)}{Delivery(name='Jansen', city='Ede')}"
    logging.getLogger(__name__).warning("%s", Debtor(id=1, **personal))
    for value in personal.values():
        assert value not in shown + caplog.text
