"""Amounts per VAT rate: their sum is the whole, to the cent, however VAT is rounded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.reconcile.amounts import (
    Amounts,
    merged,
    split,
    total,
    with_remainder,
    without_vat,
)
from airflow_provider_asperion.records import Order
from airflow_provider_asperion.records.money import order_totals

pytestmark = pytest.mark.feature("X5")
CENTS = st.integers(-(10**7), 10**7).map(lambda cents: Decimal(cents) / 100)
RATES = st.sampled_from([None, Decimal(0), Decimal(9), Decimal(21), Decimal("5.5")])
PARTS = st.lists(st.tuples(RATES, CENTS), min_size=1, max_size=9).map(tuple)
WAYS = {"rounding": st.sampled_from(["line", "rate", "document"]), "half": st.sampled_from(["up", "even"])}


def order_of(parts, *, include_vat):
    lines = [
        {"number": str(n), "quantity": 1, "amount": amount, "vat_rate": rate}
        for n, (rate, amount) in enumerate(parts)
    ]
    values = {"reference": "1", "date": dt.date(2026, 1, 1), "customer": {}, "lines": lines}
    return Order.model_validate({**values, "prices_include_vat": include_vat})


@given(parts=PARTS, include_vat=st.booleans(), **WAYS)
def test_the_parts_add_up_to_what_the_order_adds_up_to(parts, include_vat, rounding, half):
    found = split(parts, include_vat=include_vat, rounding=rounding, half=half)
    whole = order_totals(order_of(parts, include_vat=include_vat), rounding=rounding, half=half)
    assert total(found.values()) == (whole.net, whole.vat, whole.gross)
    assert found.keys() == {rate for rate, _ in parts}
    for amounts in found.values():
        assert amounts.net + amounts.vat == amounts.gross
        assert all(amount == amount.quantize(Decimal("0.01")) for amount in amounts)


@given(PARTS)
def test_merging_keeps_the_sums(parts):
    known = all(rate is not None for rate, _ in parts)
    found = merged(parts)
    assert sum(amount for _, amount in found) == sum(amount for _, amount in parts)
    if known:
        assert len({rate for rate, _ in found}) == len(found)
    else:
        assert found == parts, "lines without a rate stay in their order: they are matched by it"


@given(PARTS, CENTS, CENTS)
def test_what_lines_leave_over_stands_under_no_rate(parts, net, vat):
    whole = Amounts(net, vat, net + vat)
    found = split(parts, include_vat=False, rounding="rate", half="up")
    assert total(with_remainder(found, whole).values()) == whole


def test_prices_with_vat_become_net_line_by_line():
    assert without_vat(((Decimal(21), Decimal("1.21")), (Decimal(9), Decimal("1.00"))), "up") == (
        (Decimal(21), Decimal("1.00")),
        (Decimal(9), Decimal("0.92")),
    )
