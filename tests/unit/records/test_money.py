"""Amounts: exact, rounded where the settings say, never a cent lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.records import Order
from airflow_provider_asperion.records.money import line_amount, order_totals, round_cents


def order(*lines, included=False):
    return Order.model_validate(
        {
            "reference": "1",
            "date": dt.date(2026, 1, 1),
            "customer": {},
            "prices_include_vat": included,
            "lines": [
                {"number": str(n), "quantity": q, "price": p, "vat_rate": r}
                for n, (q, p, r) in enumerate(lines)
            ],
        }
    )


@pytest.mark.parametrize(
    ("amount", "half", "cents"),
    [("0.005", "up", "0.01"), ("0.005", "even", "0.00"), ("-0.005", "up", "-0.01"), ("2.675", "up", "2.68")],
)
def test_half_cents(amount, half, cents):
    assert round_cents(Decimal(amount), half) == Decimal(cents)


@pytest.mark.pain(8)
def test_vat_per_line_rate_and_document():
    # 3 x 99.99 at 25 %: 74.99 as one sum, 75.00 line by line.
    three = order(*[("1", "99.99", "25")] * 3)
    assert order_totals(three, rounding="line").vat == Decimal("75.00")
    assert order_totals(three, rounding="rate").vat == Decimal("74.99")
    mixed = order(("1", "0.02", "21"), ("1", "0.06", "9"))
    assert order_totals(mixed, rounding="rate").vat == Decimal("0.01")
    assert order_totals(mixed, rounding="document").vat == Decimal("0.01")


def test_prices_including_vat():
    totals = order_totals(order(("1", "121.00", "21"), included=True))
    assert (totals.net, totals.vat, totals.gross) == (Decimal("100.00"), Decimal("21.00"), Decimal("121.00"))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 999).map(str),
            st.decimals(0, 9999, places=2).map(str),
            st.sampled_from(["21", "9", "0"]),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["line", "rate", "document"]),
    st.booleans(),
)
@pytest.mark.pain(8)
def test_net_and_vat_always_make_gross(lines, rounding, included):
    made = order(*lines, included=included)
    totals = order_totals(made, rounding=rounding)
    assert totals.net + totals.vat == totals.gross
    stated = totals.gross if included else totals.net
    assert stated == sum(line_amount(line) for line in made.lines)
