"""Exact arithmetic on amounts: rounding modes, line amounts and totals. Never a float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.records.base import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.records.order import Order, OrderLine

Rounding = Literal["line", "rate", "document"]
HalfCents = Literal["up", "even"]
CENT = Decimal("0.01")


class Totals(Record):
    """What a document adds up to, in its currency."""

    net: Decimal
    vat: Decimal
    gross: Decimal


def round_cents(amount: Decimal, half: HalfCents = "up") -> Decimal:
    """Round to cents: half a cent away from zero (``up``), or to the even cent (``even``)."""
    with localcontext() as context:
        context.prec = 50
        return amount.quantize(CENT, rounding=ROUND_HALF_UP if half == "up" else ROUND_HALF_EVEN)


def line_amount(line: OrderLine, half: HalfCents = "up") -> Decimal:
    """Return the total of a line: what the source states, else quantity x price less discount, in cents."""
    if line.amount is not None:
        return line.amount
    exact = line.quantity * (line.price or Decimal(0)) * (Decimal(100) - line.discount) / Decimal(100)
    return round_cents(exact, half)


def order_totals(order: Order, *, rounding: Rounding = "rate", half: HalfCents = "up") -> Totals:
    """Add an order up: VAT rounded per line, per VAT rate or once per document.

    Lines without a VAT rate count as 0 %.
    """
    amounts = [(line.vat_rate or Decimal(0), line_amount(line, half)) for line in order.lines]
    total = round_cents(sum((amount for _, amount in amounts), Decimal(0)), half)
    if order.prices_include_vat:
        vat = _vat(amounts, rounding, half, lambda rate, amount: amount - amount * 100 / (100 + rate))
        return Totals(net=total - vat, vat=vat, gross=total)
    vat = _vat(amounts, rounding, half, lambda rate, amount: amount * rate / 100)
    return Totals(net=total, vat=vat, gross=total + vat)


def _vat(amounts: Iterable[tuple[Decimal, Decimal]], rounding, half, vat_of) -> Decimal:  # type: ignore[no-untyped-def]
    """Sum the VAT of (rate, amount) pairs under a rounding rule."""
    if rounding == "line":
        return sum((round_cents(vat_of(rate, amount), half) for rate, amount in amounts), Decimal(0))
    per_rate: dict[Decimal, Decimal] = {}
    for rate, amount in amounts:
        per_rate[rate] = per_rate.get(rate, Decimal(0)) + amount
    exact = [vat_of(rate, amount) for rate, amount in per_rate.items()]
    if rounding == "rate":
        return sum((round_cents(vat, half) for vat in exact), Decimal(0))
    return round_cents(sum(exact, Decimal(0)), half)
