"""Our lists against a sandbox of ten thousand articles over HTTP: counts, requests, changes, shifts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from airflow_provider_asperion.asperion import (
    Asperion,
    AsperionClient,
    ClientOptions,
    Interval,
    Names,
    RetryPolicy,
    StaticToken,
    vat_in_force,
)
from airflow_provider_asperion.asperion.errors import ListShifted
from airflow_provider_asperion.asperion.paging import Pager
from airflow_provider_asperion.sandbox import Sandbox, schema

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ARTICLES, DEBTORS, ORDERS, INVOICES = 10_000, 5_000, 3_000, 50
WEEK = dt.timedelta(weeks=1)


@pytest.fixture(scope="module")
def served():
    with Sandbox(articles=ARTICLES, debtors=DEBTORS, orders=ORDERS, invoices=INVOICES) as box:
        yield box


@pytest.fixture
def box(served):
    """The large sandbox as it is at the start. Its switches are its own; what a test changes, it undoes."""
    served.box.requests.clear()
    before = served.box.switches.model_dump()
    yield served
    for name, value in before.items():
        setattr(served.box.switches, name, value)


@pytest.fixture
async def connect(box):
    async with aiohttp.ClientSession() as session:

        def make(**names):
            options = ClientOptions(total_timeout=20, retry=RetryPolicy(first_wait=0.01, longest_wait=0.05))
            return Asperion(
                AsperionClient(
                    session,
                    base_url=box.url,
                    administration=1,
                    auth=StaticToken(box.access_token),
                    names=Names.model_validate(names),
                    options=options,
                )
            )

        yield make


def stored(box, resource):
    with box.state.lock:
        return {key: dict(row.values) for key, row in box.state.administration()[resource].rows.items()}


def changed_in(values, interval):
    """The entries of an interval, told by another rule than the client's: plain local dates."""
    start, end = (bound.astimezone(AMSTERDAM).replace(tzinfo=None).isoformat() for bound in interval)
    return {key for key, one in values.items() if start <= (one["dateLastChange"] or one["dateAdded"]) < end}


def last_week():
    # Whole days, so that no seeded second lies on an end.
    today = dt.datetime.now(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - WEEK, today


@pytest.mark.feature("P1")
@pytest.mark.parametrize("page_size", [200, 100])
async def test_ten_thousand_articles_come_once_each(box, connect, page_size):
    asperion = connect(habits={"page_size": page_size})
    listing = asperion.articles()
    codes = Counter([article.code async for article in listing])
    assert codes == {f"SKU-{number:05d}": 1 for number in range(1, ARTICLES + 1)}
    assert (listing.seen, listing.walks, listing.shifted, listing.unreadable) == (ARTICLES, 1, False, 0)
    assert len(box.box.requests) == asperion.client.stats.requests == ARTICLES // page_size


async def test_the_pages_of_ten_thousand_are_answered_quickly(box, connect):
    async for _ in connect(habits={"page_size": 200}).articles():
        pass
    # Each looked the table through where nothing was remembered; generous, for busy machines.
    durations = sorted(milliseconds for _, _, _, milliseconds in box.box.requests)
    assert durations[len(durations) // 2] < 20


@pytest.mark.feature("C1")
async def test_all_debtors_and_all_documents_come_with_what_they_hold(box, connect):
    asperion = connect(habits={"page_size": 200})
    debtors = {debtor.id: debtor async for debtor in asperion.debtors()}
    assert debtors.keys() == stored(box, schema.DEBTORS).keys()
    held = stored(box, schema.SALES_ORDERS)
    orders = {order.id: order async for order in asperion.documents("sales_order")}
    assert orders.keys() == held.keys()
    for key, order in orders.items():
        assert [line.quantity for line in order.lines] == [line["quantity"] for line in held[key]["lines"]]
        assert order.net == sum(line.amount for line in order.lines) == held[key]["amountExclVat"]
        assert order.debtor_id in debtors
    assert sum(order.delivery is not None for order in orders.values()) == ORDERS // 3
    invoices = [invoice async for invoice in asperion.documents("sales_invoice")]
    assert sum(one.gross for one in invoices) == sum(
        one["amountInclVat"] for one in stored(box, schema.SALES_INVOICES).values()
    )
    assert {one.status for one in invoices} == {1, 2, 3, 6, 7, 8}
    assert len(box.box.requests) == DEBTORS // 200 + ORDERS // 200 + 1


@pytest.mark.feature("X4")
@pytest.mark.parametrize(("which", "resource"), [
    ("articles", schema.ARTICLES), ("debtors", schema.DEBTORS), ("orders", schema.SALES_ORDERS),
])  # fmt: skip
@pytest.mark.parametrize("filtered", [False, True])
async def test_last_week_is_found_with_and_without_a_filter(box, connect, which, resource, filtered):
    box.box.switches.change_date_filter = filtered
    filters = ["DateLastChange", "DateAdded"] if filtered else []
    names = {"articles": filters, "debtors": filters, "sales_order": filters}
    asperion = connect(query={"changed": names}, habits={"page_size": 200})
    start, end = last_week()
    interval = Interval(start, end)
    listing = (
        asperion.documents("sales_order", interval)
        if which == "orders"
        else getattr(asperion, which)(interval)
    )
    found = {one.id async for one in listing}
    entries = stored(box, resource)
    wanted = changed_in(entries, (start, end))
    assert found == wanted
    assert len(wanted) > 100
    assert listing.undated == 0
    pages = len(entries) // 200
    assert (len(box.box.requests) < pages / 2) is filtered
    assert (listing.seen == len(entries)) is not filtered


@pytest.mark.feature("X4")
async def test_neighbouring_weeks_hold_each_change_once(box, connect):
    asperion = connect(habits={"page_size": 200})
    start, end = last_week()
    seen = Counter()
    for week in range(9):
        interval = Interval(start - week * WEEK, end - week * WEEK)
        seen.update([debtor.id async for debtor in asperion.debtors(interval)])
    values = stored(box, schema.DEBTORS)
    assert seen.keys() == changed_in(values, (end - 9 * WEEK, end))
    assert set(seen.values()) == {1}


@pytest.mark.feature("P1")
async def test_137_changes_are_found_and_nothing_else(box, connect):
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    since = Interval(start=before)
    quiet = {article.id async for article in connect().articles(since)}
    keys = [f"SKU-{number:05d}" for number in range(7, 7 + 137 * 50, 50)]
    for key in keys:
        box.change("articles", key, characteristic5="gewijzigd")
    changed = [article async for article in connect().articles(since)]
    assert {article.code for article in changed if article.id not in quiet} == set(keys)
    assert len(changed) - len(quiet) == 137


@pytest.mark.feature("X2")
async def test_a_list_that_moves_is_walked_until_all_came(box, connect):
    box.box.switches.paging_shifts = ("remove", "insert", "remove")
    listing = connect(habits={"page_size": 200}).debtors()
    codes = [debtor.id async for debtor in listing]
    assert len(codes) == len(set(codes))
    assert set(codes) >= stored(box, schema.DEBTORS).keys()
    assert (listing.shifted, listing.walks) == (True, 2)
    assert len(box.box.requests) == 2 * (DEBTORS // 200)


@pytest.mark.feature("X2")
async def test_without_noticing_it_debtors_are_lost(box, connect, monkeypatch):
    """The protection switched off: what the test above holds is not held by chance."""
    monkeypatch.setattr(Pager, "shifted", property(lambda self: False))
    box.box.switches.paging_shifts = ("remove", "insert", "remove")
    codes = {debtor.id async for debtor in connect(habits={"page_size": 200}).debtors()}
    assert stored(box, schema.DEBTORS).keys() - codes


@pytest.mark.feature("X2")
async def test_a_list_that_never_rests_is_given_up(box, connect):
    box.box.switches.paging_shifts = ("remove", "insert") * 1_000
    listing = connect(habits={"page_size": 200, "list_walks": 2}).documents("sales_order")
    with pytest.raises(ListShifted, match="2 times") as error:
        async for _ in listing:
            pass
    assert error.value.transient


@pytest.mark.feature("S3")
async def test_reservations_add_up_to_what_open_orders_hold(box, connect):
    wanted = Counter()
    statuses = Counter()
    for order in stored(box, schema.SALES_ORDERS).values():
        statuses[str(order["status"])] += 1
        if order["status"] == 2:
            for line in order["lines"]:
                wanted[line["articleCode"]] += line["quantity"]
    listing = connect().open_order_lines()
    reserved: dict[str, Decimal] = {}
    async for line in listing:
        reserved[line.article_code] = reserved.get(line.article_code, Decimal(0)) + line.quantity
    assert reserved == wanted
    assert listing.statuses == statuses


@pytest.mark.feature("S1")
@pytest.mark.feature("P4")
async def test_further_fields_come_where_they_are_named(box, connect):
    places = {"_data": [{"warehouseId": "NOORD", "currentStock": 3.5}, {"warehouseId": "ZUID"}]}
    box.change("articles", "SKU-09999", levertijd="3 dagen", gereserveerd=Decimal("1.5"), voorraad=places)
    names = {"custom": ["levertijd"], "reserved": "gereserveerd", "warehouses": "voorraad"}
    (article,) = await connect(article=names).find_article("SKU-09999")
    assert (article.custom, article.reserved) == ({"levertijd": "3 dagen"}, Decimal("1.5"))
    assert [(one.code, one.current_stock) for one in article.warehouses] == [
        ("NOORD", Decimal("3.5")),
        ("ZUID", None),
    ]


@pytest.mark.feature("P5")
async def test_the_rate_of_an_article_follows_from_its_sales_type(box, connect):
    asperion = connect()
    codes, types = await asperion.vat_codes(), await asperion.sales_types()
    (high,) = await asperion.find_article("SKU-00001")
    today = dt.datetime.now(AMSTERDAM).date()
    assert vat_in_force(codes, today, sales_type=high.sales_type, sales_types=types).percentage == 21
    assert vat_in_force(codes, dt.date(2018, 1, 1), sales_type="HOOG", sales_types=types) is None
    assert vat_in_force(codes, today, sales_type="LAAG", sales_types=types).percentage == 9
