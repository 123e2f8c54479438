"""Amounts per VAT rate that add up to the whole, whatever way VAT is rounded. Decimal only."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_asperion.records.money import round_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_asperion.records.money import HalfCents, Rounding

ZERO = Decimal(0)
Rate = Decimal | None
"""Percentage of VAT, 21 for 21 %; None where it is not known."""

Parts = tuple[tuple[Rate, Decimal], ...]
"""Line amounts with their rates."""


class Amounts(NamedTuple):
    """Without VAT, the VAT, and with it."""

    net: Decimal = ZERO
    vat: Decimal = ZERO
    gross: Decimal = ZERO

    def plus(self, other: Amounts) -> Amounts:
        """Return the sum."""
        return Amounts(self.net + other.net, self.vat + other.vat, self.gross + other.gross)

    def minus(self, other: Amounts) -> Amounts:
        """Return the difference."""
        return Amounts(self.net - other.net, self.vat - other.vat, self.gross - other.gross)


def total(parts: Iterable[Amounts]) -> Amounts:
    """Return the sum of amounts."""
    whole = Amounts()
    for part in parts:
        whole = whole.plus(part)
    return whole


def merged(parts: Parts) -> Parts:
    """Return one amount per rate where all rates are known; lines without one stay as they are, in order."""
    if any(rate is None for rate, _ in parts):
        return parts
    sums: dict[Rate, Decimal] = {}
    for rate, amount in parts:
        sums[rate] = sums.get(rate, ZERO) + amount
    return tuple(sums.items())


def split(
    parts: Iterable[tuple[Rate, Decimal]], *, include_vat: bool, rounding: Rounding, half: HalfCents
) -> dict[Rate, Amounts]:
    """Return amounts per rate; their sum is what :func:`.records.money.order_totals` gives for the document.

    Lines of which the rate is not known count as without VAT, as there.

    :param parts: amounts of lines, which with ``include_vat`` hold their VAT.
    :param rounding: VAT is rounded per line, per rate, or once; then the rate with the most VAT takes what
        rounding leaves over.
    """
    amounts: dict[Rate, Decimal] = {}
    exact: dict[Rate, Decimal] = {}
    rounded: dict[Rate, Decimal] = {}
    for rate, amount in parts:
        vat = _vat(rate or ZERO, amount, include_vat=include_vat)
        amounts[rate] = amounts.get(rate, ZERO) + amount
        rounded[rate] = rounded.get(rate, ZERO) + round_cents(vat, half)
    for rate, amount in amounts.items():
        exact[rate] = _vat(rate or ZERO, amount, include_vat=include_vat)
    vats = rounded if rounding == "line" else {rate: round_cents(vat, half) for rate, vat in exact.items()}
    if rounding == "document" and vats:
        most = max(exact, key=lambda rate: abs(exact[rate]))
        vats[most] += round_cents(sum(exact.values(), ZERO), half) - sum(vats.values(), ZERO)
    return {
        rate: Amounts(amount - vats[rate], vats[rate], amount)
        if include_vat
        else Amounts(amount, vats[rate], amount + vats[rate])
        for rate, amount in _in_cents(amounts, half).items()
    }


def without_vat(parts: Parts, half: HalfCents) -> Parts:
    """Return lines with VAT as lines without, each rounded: what an API gets that knows net prices only."""
    return tuple(
        (rate, round_cents(amount - _vat(rate or ZERO, amount, include_vat=True), half))
        for rate, amount in parts
    )


def with_remainder(parts: Mapping[Rate, Amounts], whole: Amounts) -> dict[Rate, Amounts]:
    """Return parts that add up to a whole: what they leave over stands under no rate."""
    rest = whole.minus(total(parts.values()))
    found = dict(parts)
    if rest != Amounts():
        found[None] = found.get(None, Amounts()).plus(rest)
    return found


def _vat(rate: Decimal, amount: Decimal, *, include_vat: bool) -> Decimal:
    return amount - amount * 100 / (100 + rate) if include_vat else amount * rate / 100


def _in_cents(amounts: Mapping[Rate, Decimal], half: HalfCents) -> dict[Rate, Decimal]:
    """Round the parts so that they add up to the whole in cents; the largest takes what is left over."""
    found = {rate: round_cents(amount, half) for rate, amount in amounts.items()}
    if found:
        most = max(amounts, key=lambda rate: abs(amounts[rate]))
        found[most] += round_cents(sum(amounts.values(), ZERO), half) - sum(found.values(), ZERO)
    return found
