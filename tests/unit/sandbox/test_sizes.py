"""The seed in any size: dates that count back, documents that add up, lists that stay quick."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

import httpx
import pytest
from pydantic import ValidationError

from airflow_provider_asperion.sandbox import Sandbox, schema
from airflow_provider_asperion.sandbox.seed import Seed, seeded_state
from airflow_provider_asperion.sandbox.state import Table

pytestmark = pytest.mark.feature("X1")

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


def values(state, resource, administration=1):
    return [row.values for row in state.administration(administration)[resource].rows.values()]


@pytest.fixture(scope="module")
def large():
    return seeded_state(Seed(articles=1_000, debtors=600, orders=300, invoices=80), NOW)


def test_it_holds_what_was_asked_for(large):
    counts = {
        resource.path: len(values(large, resource, 2))
        for resource in (schema.ARTICLES, schema.DEBTORS, schema.SALES_ORDERS, schema.SALES_INVOICES)
    }
    assert list(counts.values()) == [1_000, 600, 300, 80]
    for resource, name in (
        (schema.ARTICLES, "code"),
        (schema.ARTICLES, "eanCode"),
        (schema.DEBTORS, "customerNumber"),
        (schema.SALES_ORDERS, "reference"),
        (schema.SALES_ORDERS, "orderNumber"),
    ):
        assert len({one[name] for one in values(large, resource)}) == len(values(large, resource))


@pytest.mark.parametrize("sizes", [{"articles": 0}, {"debtors": 100_000}, {"orders": -1}, {"people": 5}])
def test_sizes_that_are_none(sizes):
    with pytest.raises(ValidationError):
        Seed(**sizes)


def test_the_same_each_time_but_for_the_day():
    first, again = seeded_state(Seed(), NOW), seeded_state(Seed(), NOW)
    later = seeded_state(Seed(), NOW + dt.timedelta(days=1))
    for resource in (schema.ARTICLES, schema.DEBTORS, schema.SALES_ORDERS, schema.SALES_INVOICES):
        assert values(first, resource) == values(again, resource)
    before, after = (values(state, schema.SALES_ORDERS)[0]["dateAdded"] for state in (first, later))
    days = dt.datetime.fromisoformat(after) - dt.datetime.fromisoformat(before)
    assert days == dt.timedelta(days=1)


def test_changes_lie_in_the_last_sixty_days_or_nowhere(large):
    for resource in (schema.ARTICLES, schema.DEBTORS):
        dates = [one["dateLastChange"] for one in values(large, resource)]
        told = [dt.datetime.fromisoformat(date) for date in dates if date is not None]
        assert 0.5 < len(told) / len(dates) < 0.7
        ages = [NOW.replace(tzinfo=None) - date for date in told]
        assert min(ages) >= dt.timedelta() and max(ages) <= dt.timedelta(days=61)
        assert len({age.days for age in ages}) > 50


def test_documents_are_spread_over_the_last_weeks(large):
    for resource, count in ((schema.SALES_ORDERS, 300), (schema.SALES_INVOICES, 80)):
        documents = values(large, resource)
        weeks = Counter(one["date"][:10] for one in documents)
        assert min(weeks) > "2026-01-20" and max(weeks) <= "2026-03-04"
        assert len(weeks) > min(count, 40) / 2
    added = [one["dateAdded"] for one in values(large, schema.SALES_ORDERS)]
    assert added == sorted(added)
    assert all(
        one["dateAdded"] <= (one["dateLastChange"] or "9") for one in values(large, schema.SALES_ORDERS)
    )


def test_documents_add_up_and_have_several_statuses(large):
    rates = {one["id"]: one["percentage"] for one in values(large, schema.VAT_CODES)}
    for resource in (schema.SALES_ORDERS, schema.SALES_INVOICES):
        documents = values(large, resource)
        assert {7, 1, 2} < {one["status"] for one in documents}
        for one in documents:
            assert one["amountExclVat"] == sum(line["amount"] for line in one["lines"])
            vat = sum(line["amount"] * rates[line["vatCode"]] / 100 for line in one["lines"])
            assert abs(one["vatAmount"] - vat) <= Decimal("0.02")
            assert one["amountInclVat"] == one["amountExclVat"] + one["vatAmount"]
    assert all(
        (one["invoiceNumber"] is None) == (one["status"] == 1) for one in values(large, schema.SALES_INVOICES)
    )


async def test_what_was_there_from_the_start_is_told_on_demand(box, stranger):
    short = (await stranger.get("/_sandbox/state")).json()["administrations"]["1"]
    assert (short["orders"], short["orderCount"], short["invoiceCount"]) == ([], 12, 12)
    full = (await stranger.get("/_sandbox/state?seeded=true")).json()["administrations"]["1"]
    assert (len(full["orders"]), len(full["invoices"]), len(full["debtors"])) == (12, 12, 400)
    assert full["orders"][0]["reference"] == "WS1000001"


async def test_it_starts_anew_in_another_size_and_then_in_its_own(stranger):
    async def counts():
        held = (await stranger.get("/_sandbox/state")).json()["administrations"]["2"]
        return held["articleCount"], held["debtorCount"], held["orderCount"]

    answer = await stranger.post("/_sandbox/reset", json={"articles": 1_234, "orders": 0})
    assert answer.status_code == 204
    assert await counts() == (1_234, 400, 0)
    assert (await stranger.post("/_sandbox/reset")).status_code == 204
    assert await counts() == (200, 400, 12)
    for wrong in ({"articles": 0}, {"odd": 1}, [1]):
        assert (await stranger.post("/_sandbox/reset", json=wrong)).status_code == 400


def test_a_sandbox_takes_its_size():
    box = Sandbox(articles=300, orders=5)
    assert box.box.seed == Seed(articles=300, orders=5)
    held = box.summary(seeded=True)
    assert (held["articleCount"], held["orderCount"], len(held["orders"])) == (300, 5, 5)


# Lists of ten thousand


@pytest.fixture
def counted(monkeypatch):
    """How many entries were put to the test of a filter or passed through a list that was made anew."""
    seen = Counter()
    remembered = Table.remembered

    def counting(self, key, now, find):
        def found():
            seen["made"] += 1
            return find()

        return remembered(self, key, now, found)

    monkeypatch.setattr(Table, "remembered", counting)
    return seen


async def pages(api, path, **query):
    url: httpx.URL | None = httpx.URL(f"/v1/{path}", params={"pageSize": 200, **query})
    items = []
    while url:
        body = (await api.get(url)).json()
        items += body["_data"]
        url = body["_meta"]["nextPage"]
    return items


async def test_paging_looks_the_table_through_once(api, box, counted):
    box.reset(Seed(articles=3_000))
    assert len(await pages(api, "articles", ActiveState="All")) == 3_000
    assert counted["made"] == 1
    assert len(await pages(api, "articles")) == 3_000 - 75
    assert counted["made"] == 2
    items = await pages(api, "articles", orderBy="code desc", fields="id,code")
    assert [one["code"] for one in items] == sorted((one["code"] for one in items), reverse=True)
    assert counted["made"] == 3


async def test_a_list_is_made_anew_after_each_change(api, box, counted, clock):
    async def codes():
        return [one["code"] for one in await pages(api, "articles")]

    before = await codes()
    await api.patch("/v1/articles/100001", json={"activeState": "Inactive"})
    assert await codes() == before[1:]
    await api.post("/v1/articles", json={"code": "NEW", "description": "new"})
    assert await codes() == [*before[1:], "NEW"]
    box.switches.case_matters = "always"
    assert await pages(api, "articles", Description="MUURVERF") == []
    box.switches.case_matters = "equals"
    assert len(await pages(api, "articles", Description="MUURVERF")) > 0


async def test_what_shows_late_is_in_the_list_once_it_shows(api, fault, clock):
    fault("read_back_lag", method="POST", count=1, seconds=5)
    assert len(await pages(api, "articles", ActiveState="All")) == 200
    await api.post("/v1/articles", json={"code": "NEW", "description": "new"})
    assert len(await pages(api, "articles", ActiveState="All")) == 200
    clock.seconds += 5
    assert len(await pages(api, "articles", ActiveState="All")) == 201


async def test_no_more_than_a_few_lists_are_remembered(api, box):
    for number in range(50):
        await api.get("/v1/articles", params={"Description": f"x{number}"})
    assert len(box.state.administration()[schema.ARTICLES]._lists) <= 16
