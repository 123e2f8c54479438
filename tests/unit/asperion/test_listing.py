"""Whole lists: what changed is found, what moves between pages is noticed, nothing is lost or doubled."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal

import pytest
from aiohttp import web

from airflow_provider_asperion.asperion import Asperion, AsperionError, Interval, Names
from airflow_provider_asperion.asperion.errors import BadAnswer, ListShifted, NotFound, Unreadable
from airflow_provider_asperion.asperion.models import Delivery
from airflow_provider_asperion.asperion.paging import Pager

ARTICLES = "/v1/articles"
DEBTORS = "/v1/debtors"
ORDERS = "/v1/SalesOrderWithLines"
INVOICES = "/v1/salesinvoiceswithlines"

JANUARY = Interval(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 2, 1, tzinfo=dt.UTC))


class Shop:
    """A list that answers pages, and moves when told to: ``after`` maps a call to what happens after it."""

    def __init__(self, *ids, size=2):
        self.items = [{"id": key, "code": f"A{key}"} for key in ids]
        self.size = size
        self.after = {}
        self.calls = 0

    async def __call__(self, request: web.Request) -> web.Response:
        page = int(request.query["page"])
        shown = self.items[(page - 1) * self.size : page * self.size]
        last = page * self.size >= len(self.items)
        meta = {
            "administrationId": 12,
            "nextPage": None if last else f"?page={page + 1}",
            "totalCount": len(self.items),
        }
        body = {"_data": list(shown), "_meta": meta}
        self.calls += 1
        self.after.get(self.calls, lambda: None)()
        return web.json_response(body)

    def insert(self, *ids):
        self.items[:0] = [{"id": key, "code": f"A{key}"} for key in ids]

    def append(self, *ids):
        self.items += [{"id": key, "code": f"A{key}"} for key in ids]

    def remove(self, key):
        self.items = [item for item in self.items if item["id"] != key]


async def walk(listing):
    return [entry.id async for entry in listing]


async def test_a_list_at_rest_is_walked_once(asperion, api):
    api.script(ARTICLES, Shop(1, 2, 3, 4, 5))
    listing = asperion.articles()
    assert await walk(listing) == [1, 2, 3, 4, 5]
    assert (listing.seen, listing.walks, listing.shifted, listing.undated) == (5, 1, False, 0)
    assert len(api.calls(ARTICLES)) == 3
    assert {query["ActiveState"] for query, _, _ in api.calls(ARTICLES)} == {"All"}
    assert "orderBy" not in api.calls(ARTICLES)[0][0]


async def test_it_tells_when_the_page_of_an_entry_was_asked_for(asperion, api, time):
    shop = Shop(1, 2, 3)
    shop.after[1] = lambda: setattr(time, "seconds", time.seconds + 60)
    api.script(ARTICLES, shop)
    listing = asperion.articles()
    assert listing.asked_at is None
    asked = [(entry.id, listing.asked_at - time.now()) async for entry in listing]
    assert asked == [(1, -dt.timedelta(seconds=60)), (2, -dt.timedelta(seconds=60)), (3, dt.timedelta())]


async def test_an_order_is_asked_for_where_its_syntax_is_known(make_asperion, api):
    api.script(DEBTORS, Shop(1, 2, 3))
    asperion = make_asperion(names={"query": {"order_value": "id asc"}})
    await walk(asperion.debtors())
    assert {query["orderBy"] for query, _, _ in api.calls(DEBTORS)} == {"id asc"}


# What moves while the pages are read. Each of these hides an entry, or would without a second walk.

SHIFTS = {
    "an entry goes, and the next one is on no page": lambda shop: {1: lambda: shop.remove(1)},
    "an entry comes in front": lambda shop: {1: lambda: shop.insert(9)},
    "one goes while another comes at the end": lambda shop: {
        1: lambda: shop.remove(1),
        2: lambda: shop.append(9),
    },
    "so many come in front that a page repeats": lambda shop: {1: lambda: shop.insert(7, 8)},
    "it moves in two walks": lambda shop: {1: lambda: shop.remove(1), 3: lambda: shop.insert(8)},
}


@pytest.mark.feature("X2")
@pytest.mark.parametrize("case", SHIFTS)
async def test_a_list_that_moves_is_walked_again_for_what_is_missing(asperion, api, case):
    shop = Shop(1, 2, 3, 4, 5)
    shop.after = SHIFTS[case](shop)
    api.script(ARTICLES, shop)
    listing = asperion.articles()
    came = await walk(listing)
    assert len(came) == len(set(came)) == listing.seen
    assert set(came) >= {item["id"] for item in shop.items}
    assert listing.shifted
    assert listing.walks >= 2


@pytest.mark.feature("X2")
@pytest.mark.parametrize("case", SHIFTS)
async def test_without_noticing_the_shift_entries_are_lost(asperion, api, case, monkeypatch):
    """The protection switched off: what the tests above hold is not held by chance."""
    monkeypatch.setattr(Pager, "shifted", property(lambda self: False))
    shop = Shop(1, 2, 3, 4, 5)
    shop.after = SHIFTS[case](shop)
    api.script(ARTICLES, shop)
    came = set(await walk(asperion.articles()))
    assert came < {item["id"] for item in shop.items} | {1}
    assert {item["id"] for item in shop.items} - came


@pytest.mark.feature("O4", "X2")
@pytest.mark.parametrize("noticed", [True, False])
async def test_an_order_that_was_placed_is_found_among_recent_ones_although_the_list_moves(
    make_asperion, api, monkeypatch, noticed
):
    if not noticed:
        monkeypatch.setattr(Pager, "shifted", property(lambda self: False))
    shop = Shop(1, 2, 3, 4, 5)
    for item in shop.items:
        item["reference"] = f"R{item['id']}"
    shop.items[4]["orderNumber"] = []  # somebody else's order that cannot be read hides nothing
    shop.after = {1: lambda: shop.remove(1)}
    api.script(ORDERS, shop)
    asperion = make_asperion(names={"habits": {"sales_order": {"lookup": "recent"}}})
    found = await asperion.find_documents("sales_order", "R3")
    assert [document.id for document in found] == ([3] if noticed else [])


async def test_a_list_that_grows_at_its_end_is_whole(asperion, api):
    shop = Shop(1, 2, 3, 4, 5)
    shop.after = {1: lambda: shop.append(6, 7)}
    api.script(ARTICLES, shop)
    listing = asperion.articles()
    assert await walk(listing) == [1, 2, 3, 4, 5, 6, 7]
    assert (listing.walks, listing.shifted) == (1, False)


async def test_a_server_that_gives_all_on_each_page_is_at_rest(asperion, api, build):
    api.script(ARTICLES, build.listing({"id": 1, "code": "A"}, nextPage="?page=2", totalCount=1))
    listing = asperion.articles()
    assert await walk(listing) == [1]
    assert listing.walks == 1


@pytest.mark.feature("X2")
async def test_a_list_that_never_rests_is_an_error_to_try_again(make_asperion, api):
    shop = Shop(1, 2, 3, 4, 5)
    shop.after = {call: lambda: shop.insert(100 + shop.calls) for call in range(1, 100)}
    api.script(ARTICLES, shop)
    listing = make_asperion(names={"habits": {"list_walks": 3}}).articles()
    with pytest.raises(ListShifted, match="3 times") as error:
        await walk(listing)
    assert error.value.transient
    assert isinstance(error.value, AsperionError)
    assert listing.walks == 3


async def test_pages_that_go_in_circles_stay_a_bad_answer(asperion, api, build):
    api.script(ARTICLES, build.listing({"id": 1, "code": "A"}, nextPage="?page=2", totalCount=9))
    listing = asperion.articles()
    with pytest.raises(BadAnswer, match="circles"):
        await walk(listing)
    assert listing.walks == Names().habits.list_walks


async def test_entries_without_an_id_are_not_thrown_together(make_asperion, api, build):
    asperion = make_asperion(names={"debtor": {"id": "number"}})
    api.script(DEBTORS, build.listing({"number": 1}, {"number": 2}, totalCount=2))
    assert await walk(asperion.debtors()) == [1, 2]


# What changed


def dated(key, changed="none", added="none"):
    given = {"dateLastChange": changed, "dateAdded": added}
    return {
        "id": key,
        "code": f"A{key}",
        **{name: value for name, value in given.items() if value != "none"},
    }


CHANGED = [
    (dated(1, "2026-01-01T01:00:00"), True, "the first moment"),
    (dated(2, "2025-12-31"), False, "the day before"),
    (dated(3, "2026-02-01T00:59:59"), True, "the last second"),
    (dated(4, "2026-02-01T01:00:00"), False, "the end belongs to the next"),
    (dated(5, "2026-03-01T00:00:00", "2026-01-15T00:00:00"), False, "changed later"),
    (dated(6, None, "2026-01-15T00:00:00"), True, "added, never changed"),
    (dated(7, None, "2025-01-15T00:00:00"), False, "added long ago, never changed"),
    (dated(8, None, None), None, "says nothing"),
    (dated(9, None), None, "says nothing at all"),
    (dated(10, added="2025-01-15T00:00:00"), None, "knows no changes: may have changed since"),
    (dated(11, "soon"), None, "is no date"),
]


@pytest.mark.feature("P1")
@pytest.mark.parametrize("which", ["articles", "debtors"])
async def test_what_changed_is_found_by_the_body(asperion, api, build, which):
    api.script(f"/v1/{which}", build.listing(*(item for item, _, _ in CHANGED), totalCount=len(CHANGED)))
    listing = getattr(asperion, which)(JANUARY)
    assert await walk(listing) == [item["id"] for item, wanted, _ in CHANGED if wanted is not False]
    assert listing.undated == sum(wanted is None for _, wanted, _ in CHANGED)
    assert listing.seen == len(CHANGED)
    assert "DateLastChange_from" not in api.calls(f"/v1/{which}")[0][0]


async def test_the_zone_of_dates_without_one_is_a_setting(make_asperion, api, build):
    item = dated(1, "2026-01-31T23:30:00")
    for zone, wanted in (("Europe/Amsterdam", [1]), ("America/New_York", [])):
        api.script(ARTICLES, build.listing(item))
        asperion = make_asperion(names={"habits": {"time_zone": zone}})
        assert await walk(asperion.articles(JANUARY)) == wanted


def test_an_unknown_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        Names.model_validate({"habits": {"time_zone": "Europe/Nowhere"}})
    with pytest.raises(ValueError, match="time zone"):
        Names.model_validate({"habits": {"time_zone": "../etc/passwd"}})


async def test_filters_of_the_api_are_asked_a_day_wider_and_compared(make_asperion, api, build):
    changed, added = dated(1, "2026-01-31T10:00:00"), dated(2, None, "2026-01-31T10:00:00")
    too_much, later = dated(3, "2025-12-31T00:00:00"), dated(4, "2026-02-05", "2026-01-15")
    api.script(
        ARTICLES,
        build.listing(changed, too_much, totalCount=2),
        build.listing(added, changed, later, totalCount=3),
    )
    filters = {"query": {"changed": {"articles": ["DateLastChange", "DateAdded"]}}}
    listing = make_asperion(names=filters).articles(JANUARY)
    assert await walk(listing) == [1, 2]
    first, second = (query for query, _, _ in api.calls(ARTICLES))
    assert (first["DateLastChange_from"], first["DateLastChange_to"]) == ("2025-12-31", "2026-02-02")
    assert (second["DateAdded_from"], second["DateAdded_to"]) == ("2025-12-31", "2026-02-02")
    assert "DateAdded_from" not in first
    assert (listing.walks, listing.shifted, listing.seen) == (2, False, 4)


async def test_an_open_interval_asks_for_one_side_only(make_asperion, api, build):
    api.script(DEBTORS, build.listing(dated(1, "2026-01-31T10:00:00")))
    asperion = make_asperion(names={"query": {"changed": {"debtors": ["DateLastChange"]}}})
    assert await walk(asperion.debtors(Interval(start=JANUARY.start))) == [1]
    query = api.calls(DEBTORS)[0][0]
    assert (query["DateLastChange_from"], "DateLastChange_to" in query) == ("2025-12-31", False)
    assert await walk(asperion.debtors()) == [1]
    assert "DateLastChange_from" not in api.calls(DEBTORS)[1][0]


async def test_a_filter_by_the_document_date_is_compared_with_the_document_date(make_asperion, api, build):
    invoices = [{"id": 1, "date": "2026-01-15T00:00:00"}, {"id": 2, "date": "2026-02-02T00:00:00"}]
    api.script(INVOICES, build.listing(*({**one, "lines": {"_data": []}} for one in invoices)))
    asperion = make_asperion(names={"query": {"changed": {"sales_invoice": ["Date"]}}})
    listing = asperion.documents("sales_invoice", JANUARY)
    assert await walk(listing) == [1]
    assert (listing.undated, api.calls(INVOICES)[0][0]["Date_from"]) == (0, "2025-12-31")


# Articles

ARTICLE = {
    "id": 1,
    "code": "A1",
    "vat": 21,
    "currentStock": 10.5,
    "free": 8,
    "held": "2.5",
    "coming": 100,
    "places": {"_data": [{"warehouseId": 7, "currentStock": 4}, {"warehouseId": "B", "currentStock": 6.5}]},
    "levertijd": 3,
    "seizoen": "zomer",
    "nieuw": True,
    "dateAdded": "2026-01-01",
    "dateLastChange": None,
}
ARTICLE_NAMES = {
    "vat_code": "vat",
    "available": "free",
    "reserved": "held",
    "on_order": "coming",
    "warehouses": "places",
    "custom": ["levertijd", "seizoen", "nieuw", "absent"],
}


@pytest.mark.feature("S1")
@pytest.mark.feature("P4")
async def test_an_article_with_all_that_may_be_told_of_it(make_asperion, api, build):
    api.script(ARTICLES, build.listing(ARTICLE))
    (article,) = [one async for one in make_asperion(names={"article": ARTICLE_NAMES}).articles()]
    assert (article.vat_code, article.current_stock, article.available) == ("21", Decimal("10.5"), 8)
    assert (article.reserved, article.on_order) == (Decimal("2.5"), 100)
    assert [(one.code, one.current_stock) for one in article.warehouses] == [
        ("7", Decimal(4)),
        ("B", Decimal("6.5")),
    ]
    assert article.custom == {"levertijd": "3", "seizoen": "zomer", "nieuw": "true", "absent": None}
    assert (article.date_added, article.date_changed) == ("2026-01-01", None)


async def test_what_is_not_named_is_not_guessed(asperion, api, build):
    api.script(ARTICLES, build.listing(ARTICLE))
    (article,) = [one async for one in asperion.articles()]
    assert (article.available, article.reserved, article.on_order, article.vat_code) == (None,) * 4
    assert (article.warehouses, article.custom) == ((), {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"places": [1]},
        {"places": [{}]},
        {"held": "many"},
        {"seizoen": {"a": 1}},
        {"code": None},
        {"dateAdded": 5},
        {"id": [1]},
    ],
)
async def test_an_article_that_is_none_is_told_and_the_others_come(make_asperion, api, build, wrong):
    api.script(ARTICLES, build.listing({**ARTICLE, **wrong}, {"id": 2, "code": "A2"}))
    asperion, problems = make_asperion(names={"article": ARTICLE_NAMES}), []
    listing = asperion.articles(on_problem=problems.append)
    assert await walk(listing) == [2]
    (problem,) = problems
    assert (problem.rule, problem.record, listing.seen) == (
        "asperion.unreadable",
        "None" if wrong.get("id") else "1",
        2,
    )
    assert listing.unreadable == 1
    # Nobody listens: then it may not be passed over, for whoever compares would take it for gone.
    with pytest.raises(Unreadable):
        await walk(asperion.articles())
    assert "many" not in str(problem)


# Documents

ORDER = {
    "id": 5,
    "reference": "WS1",
    "orderNumber": 77,
    "debtorId": 9,
    "debtorCustomerNumber": "D9",
    "date": "2026-01-31T00:00:00",
    "deliveryDate": "2026-02-05T00:00:00",
    "description": "geheim",
    "comments": "bel Jansen",
    "paymentConditionId": 30,
    "paymentMethodId": "ideal",
    "salesTypeId": "HOOG",
    "status": 2,
    "deliveryName": "Jansen",
    "deliveryAddress": "Laadkade 1",
    "deliveryPostCode": 1234,
    "deliveryCity": "Zwolle",
    "deliveryCountryCode": "NL",
    "amountExclVat": 25.10,
    "vatAmount": 5.27,
    "amountInclVat": 30.37,
    "dateAdded": "2026-01-31T10:00:00",
    "dateLastChange": "2026-02-01T10:00:00",
    "lines": {
        "_data": [
            {
                "id": 1,
                "articleId": 3,
                "articleCode": "A3",
                "description": "Bezem",
                "quantity": 2.5,
                "unit": "stuk",
                "price": 10.04,
                "discount": 0,
                "amount": 25.10,
                "vatCode": "V21",
                "vatAmount": 5.27,
                "costCenterId": 100,
            },
            {"id": 2, "description": "Dank u"},
        ]
    },
}


@pytest.mark.feature("O1")
async def test_an_order_with_everything_on_it(asperion, api, build):
    api.script(ORDERS, build.listing(ORDER))
    (order,) = [one async for one in asperion.documents("sales_order")]
    assert (order.kind, order.id, order.reference, order.number) == ("sales_order", 5, "WS1", "77")
    assert (order.description, order.remarks, order.status) == ("geheim", "bel Jansen", 2)
    assert (order.payment_condition, order.payment_method, order.sales_type) == (30, "ideal", "HOOG")
    assert (order.net, order.vat, order.gross) == (Decimal("25.1"), Decimal("5.27"), Decimal("30.37"))
    assert order.delivery == Delivery(
        name="Jansen", address="Laadkade 1", postcode="1234", city="Zwolle", country="NL"
    )
    assert (order.delivery_date, order.date_changed) == ("2026-02-05T00:00:00", "2026-02-01T10:00:00")
    first, second = order.lines
    assert (first.article_code, first.quantity, first.price) == ("A3", Decimal("2.5"), Decimal("10.04"))
    assert (first.vat_code, first.amount, first.cost_center) == ("V21", Decimal("25.1"), 100)
    assert (second.id, second.article_code, second.quantity) == (2, None, None)
    assert order.line_count == 2


@pytest.mark.feature("O9")
async def test_an_invoice_with_everything_on_it(asperion, api, build):
    line = {"id": 1, "amount": 100, "vatAmount": 21, "vatCode": "V21", "ledgerAccountId": 8000}
    head = {
        "id": 3,
        "invoiceNumber": None,
        "status": 1,
        "journalId": "70",
        "bookyear": 2026,
        "bookperiod": 1,
        "paymentDueDate": "2026-02-28",
        "description": "order 1",
    }
    api.script(INVOICES, build.listing({**head, "lines": [line]}))
    listing = asperion.documents("sales_invoice", JANUARY)
    (invoice,) = [one async for one in listing]
    # [go] knows no date of change on invoices: each one comes, and is counted.
    assert listing.undated == 1
    assert (invoice.reference, invoice.status, invoice.journal) == (None, 1, "70")
    assert (invoice.bookyear, invoice.bookperiod, invoice.payment_due_date) == (2026, 1, "2026-02-28")
    assert (invoice.lines[0].amount, invoice.lines[0].ledger_account) == (Decimal(100), 8000)
    assert invoice.delivery is None


async def test_documents_without_lines_are_asked_for_one_by_one(asperion, api, build):
    heads = [{**ORDER, "id": key} for key in (5, 6)]
    for head in heads:
        del head["lines"]
    api.script(ORDERS, build.listing(*heads))
    for key in (5, 6):
        api.script(f"{ORDERS}/{key}", {**ORDER, "id": key})
    orders = [one async for one in asperion.documents("sales_order")]
    assert [(order.id, len(order.lines)) for order in orders] == [(5, 2), (6, 2)]


async def test_a_document_that_goes_before_it_is_asked_for_is_left_out(asperion, api, build):
    api.script(ORDERS, build.listing({**ORDER, "id": 6, "lines": None}, ORDER), build.listing(ORDER))
    listing = asperion.documents("sales_order")
    assert await walk(listing) == [5]
    assert (listing.seen, listing.walks, listing.shifted) == (1, 2, True)


async def test_documents_that_are_never_found_by_their_id_are_not_taken_for_gone(asperion, api, build):
    """Where the API has no call for one document, each 404 would else hide one."""
    api.script(ORDERS, build.listing({**ORDER, "lines": None}, {**ORDER, "id": 6, "lines": None}))
    with pytest.raises(NotFound):
        await walk(asperion.documents("sales_order"))
    assert len(api.calls(ORDERS)) == 2


async def test_only_what_changed_is_asked_for_one_by_one(asperion, api, build):
    old = {**ORDER, "id": 6, "dateLastChange": "2025-01-01T00:00:00", "lines": None}
    api.script(ORDERS, build.listing({**ORDER, "dateLastChange": "2026-01-31T10:00:00"}, old))
    assert await walk(asperion.documents("sales_order", JANUARY)) == [5]
    assert api.calls(f"{ORDERS}/6") == []


async def test_no_personal_value_is_in_a_repr_or_a_log(asperion, api, build, caplog):
    caplog.set_level(logging.DEBUG)
    api.script(ORDERS, build.listing(ORDER))
    listing = asperion.documents("sales_order")
    orders = [one async for one in listing]
    text = f"{orders!r} {listing!r} {caplog.text}"
    for value in ("Jansen", "Laadkade", "Zwolle", "geheim"):
        assert value not in text


# Reservations


def order(key, status, *lines):
    return {**ORDER, "id": key, "status": status, "lines": {"_data": list(lines)}}


@pytest.mark.feature("S3")
async def test_what_open_orders_reserve(make_asperion, api, build):
    api.script(
        ORDERS,
        build.listing(
            order(1, 2, {"id": 1, "articleCode": "A", "quantity": 3.5}, {"id": 2, "description": "text"}),
            order(2, 1, {"id": 3, "articleCode": "A", "quantity": 100}),
            order(3, "backorder", {"id": 4, "articleId": 8, "quantity": 10, "done": 4}),
            order(4, 7, {"id": 5, "articleCode": "A", "quantity": 100}),
            totalCount=4,
        ),
    )
    names = {
        "habits": {"open_order_statuses": ["2", "backorder"]},
        "sales_order": {"line": {"delivered": "done"}},
    }
    listing = make_asperion(names=names).open_order_lines()
    lines = [(one.order_id, one.article_code, one.article_id, one.quantity) async for one in listing]
    assert lines == [(1, "A", None, Decimal("3.5")), (3, None, 8, Decimal(6))]
    assert listing.statuses == {"2": 1, "1": 1, "backorder": 1, "7": 1}
    assert listing.seen == 4


async def test_a_concept_reserves_only_where_the_settings_say_so(make_asperion, api, build):
    api.script(ORDERS, build.listing(order(1, 1, {"id": 1, "articleCode": "A", "quantity": 3})))
    assert [one async for one in make_asperion().open_order_lines()] == []
    asperion: Asperion = make_asperion(names={"habits": {"open_order_statuses": ["1", "2"]}})
    assert [one.quantity async for one in asperion.open_order_lines()] == [3]


async def test_a_sales_type_leads_to_its_vat_code(make_asperion, api, build):
    item = {"id": "H", "description": "hoog", "vatCode": 21, "rate": "V21", "ledgerAccountId": 8000}
    api.script("/v1/salestypes", build.listing(item))
    (one,) = await make_asperion().sales_types()
    assert (one.id, one.vat_code, one.ledger_account) == ("H", "21", 8000)
    (one,) = await make_asperion(names={"sales_type": {"vat_code": "rate"}}).sales_types()
    assert one.vat_code == "V21"
    (one,) = await make_asperion(names={"sales_type": {"vat_code": None}}).sales_types()
    assert one.vat_code is None
