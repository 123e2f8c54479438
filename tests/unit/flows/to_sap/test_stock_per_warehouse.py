"""Stock per warehouse: a level for each, keys that never mix, and what becomes of one that is gone."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.models import Article, WarehouseStock
from airflow_provider_asperion.asperion.names import Names
from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.flows.to_sap.stock import StockSource, key_of, parts_of, shown_as
from airflow_provider_asperion.records import ProblemError, StockLevel
from airflow_provider_asperion.settings import StockToSap

pytestmark = pytest.mark.feature("S1", "S3")
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
CODES = st.text("AB-@%2540 ", min_size=1, max_size=6)


def place(code, stock, **more):
    return WarehouseStock(code=code, current_stock=Decimal(stock), **more)


def article(*places, **changes):
    values = {"id": 1, "code": "A", "unit": "stuk", "active": True, "current_stock": Decimal(9), **changes}
    return Article(**values, warehouses=places)


def source(calculation="physical", **settings):
    return StockSource(StockToSap(per_warehouse=True, stock={"calculation": calculation}, **settings))


async def observed(made, one):
    return [(found.key, StockLevel.model_validate(found.record)) for found in await made.observe(one, NOW)]


@given(st.tuples(CODES, st.none() | CODES), st.tuples(CODES, st.none() | CODES))
def test_two_levels_never_have_one_key(first, second):
    assert parts_of(key_of(*first)) == first
    assert (key_of(*first) == key_of(*second)) == (first == second)


async def test_each_warehouse_is_a_level_of_its_own():
    found = await observed(source(), article(place("NORTH", 4), place("SOUTH", "2.9")))
    assert [(key, level.sku, level.warehouse, level.quantity) for key, level in found] == [
        ("A@NORTH", "A", "NORTH", 4),
        ("A@SOUTH", "A", "SOUTH", 2),
    ]
    assert {level.observed_at for _, level in found} == {NOW}


async def test_an_article_without_warehouses_stays_one_level():
    ((key, level),) = await observed(source(), article())
    assert (key, level.warehouse, level.quantity) == ("A", None, 9)


async def test_warehouses_are_not_told_apart_unless_the_settings_say_so():
    made = StockSource(StockToSap(stock={"calculation": "physical"}))
    ((key, level),) = await observed(made, article(place("NORTH", 4), place("SOUTH", 5)))
    assert (key, level.quantity) == ("A", 9)


async def test_reservations_of_orders_cannot_be_told_per_warehouse():
    with pytest.raises(ProblemError) as caught:
        await observed(source("available_minus_reserved"), article(place("NORTH", 4)))
    problem = caught.value.problem
    assert (problem.rule, problem.record) == ("stock.not_told_per_warehouse", "A@NORTH")
    assert "reservations: api" in problem.remedy


async def test_reservations_that_the_api_tells_count():
    rules = {"calculation": "available_minus_reserved", "reservations": "api"}
    made = StockSource(StockToSap(per_warehouse=True, stock=rules))
    places = (place("N", 4, reserved=Decimal(1)), place("S", 5, reserved=Decimal(5)))
    found = await observed(made, article(*places))
    assert [level.quantity for _, level in found] == [3, 0]


async def test_what_lies_there_is_no_answer_where_the_article_tells_what_is_free():
    one = article(place("NORTH", 4), available=Decimal(3))
    with pytest.raises(ProblemError, match=r"stock\.not_told_per_warehouse"):
        await observed(source("available"), one)


async def test_a_warehouse_that_is_there_twice_is_refused():
    with pytest.raises(ProblemError) as caught:
        await observed(source(), article(place("NORTH", 4), place("NORTH", 5)))
    assert (caught.value.problem.rule, caught.value.problem.record) == ("stock.warehouse_double", "A")


@given(st.lists(st.integers(-5, 100), min_size=1, max_size=6))
def test_of_whole_pieces_none_is_lost_and_none_is_made(stocks):
    one = article(*(place(f"W{number}", stock) for number, stock in enumerate(stocks)))
    made = StockSource(StockToSap(per_warehouse=True, stock={"calculation": "physical", "floor": None}))
    found = asyncio.run(observed(made, one))
    assert sum(level.quantity for _, level in found) == sum(stocks)


async def test_a_warehouse_that_is_gone_is_reported_or_emptied():
    made = source()
    await made.observe(article(place("NORTH", 4)), NOW)
    problem = made.gone("A@SOUTH", NOW)
    assert (problem.rule, problem.record) == ("stock.gone", "A@SOUTH")
    made = source(gone="zero")
    await made.observe(article(place("NORTH", 4)), NOW)
    found = made.gone("A@SOUTH", NOW)
    assert isinstance(found, Observed)
    level = StockLevel.model_validate(found.record)
    assert (found.key, found.shown, level.warehouse, level.quantity) == ("A@SOUTH", "A@SOUTH", "SOUTH", 0)


async def test_of_an_article_that_did_not_travel_nothing_is_emptied():
    made = source(gone="zero")
    await made.observe(article(place("NORTH", 4), active=False), NOW)
    with pytest.raises(ProblemError):
        await made.observe(article(place("N", 4), place("N", 5), code="B"), NOW)
    assert [made.gone(key, NOW) for key in ("A@SOUTH", "B@N", "C")] == [None, None, None]


async def test_the_field_that_tells_warehouses_must_be_named():
    with pytest.raises(ProblemError, match=r"stock\.no_warehouses"):
        await source().prepare(SimpleNamespace(names=Names()))
    named = Names(article={"warehouses": "voorraad"})
    await source().prepare(SimpleNamespace(names=named))


def test_people_see_sku_and_warehouse():
    assert (shown_as("A", None), shown_as("A", "NORTH")) == ("A", "A@NORTH")
