"""Some records of a list: by name, with all that must be known of the others."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from airflow_provider_asperion.asperion.models import Article, Debtor, WarehouseStock
from airflow_provider_asperion.flows.to_sap.chosen import Chosen
from airflow_provider_asperion.flows.to_sap.customers import CustomerSource
from airflow_provider_asperion.flows.to_sap.products import ProductSource
from airflow_provider_asperion.flows.to_sap.stock import StockSource
from airflow_provider_asperion.ledger import IdentityHasher
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.settings import CustomersToSap, ProductsToSap, StockToSap

pytestmark = pytest.mark.feature("X3")
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def products(*names, **settings):
    return Chosen(ProductSource(ProductsToSap(**settings), NOON.date()), names)


async def shown(source, *items):
    return [record.shown for item in items for record in await source.observe(item, NOON)]


async def test_those_that_were_named():
    chosen = products("A-2", "A-9")
    assert await shown(chosen, *(Article(id=number, code=f"A-{number}") for number in range(1, 4))) == ["A-2"]
    assert (chosen.met, chosen.left_out) == ({"A-2"}, set())


async def test_one_that_does_not_travel_by_the_settings_is_told_from_one_that_is_not_there():
    chosen = products("A-1", inactive="skip")
    assert await shown(chosen, Article(id=1, code="A-1", active=False)) == []
    assert (chosen.met, chosen.left_out) == ({"A-1"}, {"A-1"})


async def test_what_is_wrong_with_others_is_not_told():
    chosen = products("A-1")
    assert await shown(chosen, Article(id=2, code="A-2", ean="4006381333932")) == []
    with pytest.raises(ProblemError):
        await chosen.observe(Article(id=1, code="A-1", ean="4006381333932"), NOON)
    assert chosen.met == {"A-1"}


@pytest.mark.parametrize("rule", ["report", "flag"])
def test_what_is_gone_from_asperion(rule):
    chosen = products("A-1", gone=rule)
    assert chosen.gone("A-2", NOON) is None
    assert chosen.gone("A-1", NOON) is not None
    assert chosen.met == {"A-1"}


@pytest.mark.feature("S1")
async def test_an_article_by_its_sku_and_one_of_its_warehouses():
    places = tuple(WarehouseStock(code=code, current_stock=Decimal(1)) for code in ("N", "Z"))
    article = Article(id=1, code="A-1", warehouses=places)
    rules = {"calculation": "physical"}
    source = StockSource(StockToSap(per_warehouse=True, stock=rules))
    assert await shown(Chosen(source, ["A-1"]), article) == ["A-1@N", "A-1@Z"]
    chosen = Chosen(source, ["A-1@Z", "A-2@Z"])
    assert await shown(chosen, article) == ["A-1@Z"]
    assert chosen.met == {"A-1@Z"}


@pytest.mark.feature("C2")
async def test_a_double_of_one_that_was_named_is_seen():
    source = CustomerSource(CustomersToSap(), IdentityHasher(b"x" * 32))
    chosen = Chosen(source, ["2"])
    for number, email in enumerate(
        ["a@example.org", "A@example.org", "b@example.org", "b@example.org"], start=1
    ):
        await chosen.observe(Debtor(id=number, customer_number=str(number), email=email), NOON)
    (problem,) = chosen.doubles().values()
    assert "customers 1, 2" in problem.message
