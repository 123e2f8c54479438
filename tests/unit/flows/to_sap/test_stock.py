"""Stock: each calculation, exact, and never more than there is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.models import Article
from airflow_provider_asperion.flows.to_sap.stock import StockCalculator, stock_of
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.settings import StockRules

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
pieces = st.decimals(-(10**9), 10**9, places=3)


def quantities(physical=100, available=80, reserved=30, purchases=50):
    found = {"physical": physical, "available": available, "reserved": reserved, "purchases": purchases}
    return {name: None if value is None else Decimal(value) for name, value in found.items()}


def calculated(rules=None, **given_quantities):
    return StockCalculator(rules or StockRules())(quantities(**given_quantities))


@pytest.mark.feature("S3")
@pytest.mark.parametrize(
    ("calculation", "expected"),
    [
        ("physical", 100),
        ("available", 80),
        ("available_minus_reserved", 50),
        ("available_minus_reserved_plus_purchases", 100),
    ],
)
def test_the_four_calculations(calculation, expected):
    assert calculated(StockRules(calculation=calculation)) == expected


@pytest.mark.feature("S3")
def test_a_calculation_of_ones_own():
    rules = StockRules(calculation="expression", expression="(available - reserved) / 4")
    assert calculated(rules) == 12  # 12.5, down


@pytest.mark.feature("S3")
def test_a_wrong_expression_is_told_where_it_stands():
    with pytest.raises(ProblemError, match=r"stock\.expression") as caught:
        StockCalculator(StockRules(calculation="expression", expression="available - resreved"))
    assert "reserved" in caught.value.problem.remedy


@pytest.mark.feature("S3")
def test_safety_floor_and_rounding():
    assert calculated(StockRules(safety=Decimal(20))) == 30
    assert calculated(available=10, reserved=30) == 0
    assert calculated(StockRules(floor=None), available=10, reserved=30) == -20
    assert calculated(available="2.9", reserved=0) == 2
    assert calculated(StockRules(rounding="nearest"), available="2.5", reserved=0) == 3
    assert calculated(StockRules(decimals=1), available="2.96", reserved=0) == Decimal("2.9")


@pytest.mark.feature("S3")
@given(pieces, pieces, pieces, st.integers(0, 3))
def test_what_is_sent_is_exact_and_never_more_than_the_calculation(available, reserved, safety, decimals):
    rules = StockRules(safety=safety, decimals=decimals, floor=None)
    sent = StockCalculator(rules)(quantities(available=available, reserved=reserved))
    exact = available - reserved - safety
    assert 0 <= exact - sent < Decimal(1).scaleb(-decimals)


@given(pieces, pieces)
def test_not_below_the_floor(available, reserved):
    assert StockCalculator(StockRules())(quantities(available=available, reserved=reserved)) >= 0


ARTICLE = Article(id=1, code="SKU-1", current_stock=Decimal(10), unit="stuk", sales_type="HOOG")


def level(rules, article=ARTICLE, reserved=0):
    return stock_of(article, StockCalculator(rules), rules, reserved=Decimal(reserved), observed_at=NOW)


@pytest.mark.feature("S3")
def test_reservations_are_summed_from_open_orders_unless_the_api_tells_them():
    by_orders = level(StockRules(), reserved=4)
    assert (by_orders.quantity, by_orders.reserved, by_orders.physical) == (6, 4, 10)
    api = StockRules(reservations="api")
    assert level(api, ARTICLE.model_copy(update={"reserved": Decimal(3)})).quantity == 7


@pytest.mark.feature("S3")
def test_a_quantity_that_asperion_does_not_tell_is_refused_by_name():
    with pytest.raises(ProblemError) as caught:
        level(StockRules(calculation="available_minus_reserved_plus_purchases"))
    assert "purchases" in caught.value.problem.message
    assert (caught.value.problem.rule, caught.value.problem.record) == ("stock.not_told", "SKU-1")


@pytest.mark.feature("S4")
def test_whether_sap_manages_stock_is_a_setting_and_a_rule_per_article():
    assert level(StockRules()).manage_stock is True
    assert level(StockRules(manage_stock=None)).manage_stock is None
    service = ARTICLE.model_copy(update={"unit": "uur"})
    assert level(StockRules(unmanaged={"unit": ("uur",)}), service).manage_stock is False
    assert level(StockRules(unmanaged={"unit": ("uur",)})).manage_stock is True
