"""Compares what a document should add up to with what it does: before sending and after reading back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.records.money import line_amount, order_totals, round_cents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from airflow_provider_asperion.records import Order, OrderLine
    from airflow_provider_asperion.records.money import Totals
    from airflow_provider_asperion.settings import TotalRules

_REMEDY = "have the sender correct the document, or raise totals.tolerance if the difference is accepted"


def check_control_totals(order: Order, rules: TotalRules) -> list[Problem]:
    """Compare an order with what its source says it adds up to; return a problem per difference."""
    problems = list(_line_problems(order, rules))
    control, totals = order.control, order_totals(order, rounding=rules.rounding, half=rules.half)
    if control.line_count is not None and control.line_count != len(order.lines):
        problems.append(
            Problem(
                rule="total.line_count",
                message=f"the source announces {control.line_count} lines, there are {len(order.lines)}",
                remedy="have the sender send the whole document again",
                field="control.line_count",
            )
        )
    stated = {"net": control.net, "vat": control.vat, "gross": control.gross}
    rates_known = any(line.vat_rate is not None for line in order.lines)
    for name, expected in stated.items():
        comparable = name == ("gross" if order.prices_include_vat else "net") or rates_known
        if expected is not None and comparable:
            problems += difference(f"control.{name}", expected, getattr(totals, name), rules.tolerance)
    return problems


def check_placed(
    order: Order, totals: Totals, *, net: Decimal | None, gross: Decimal | None, tolerance: Decimal
) -> list[Problem]:
    """Compare what Asperion holds with what was meant; amounts that it does not tell are not compared."""
    problems = []
    if net is not None:
        problems += difference("net", totals.net, net, tolerance, rule="total.placed")
    if gross is not None and any(line.vat_rate is not None for line in order.lines):
        problems += difference("gross", totals.gross, gross, tolerance, rule="total.placed")
    return problems


def difference(
    field: str, expected: Decimal, found: Decimal, tolerance: Decimal, *, rule: str = "total.control"
) -> list[Problem]:
    """Return a problem that names two amounts and their difference, or nothing when they are near enough."""
    if abs(expected - found) <= tolerance:
        return []
    where = "Asperion holds" if rule == "total.placed" else "the lines add up to"
    return [
        Problem(
            rule=rule,
            message=f"{field} should be {expected}, {where} {found}, a difference of {found - expected}",
            remedy=_REMEDY,
            field=field,
        )
    ]


def _line_problems(order: Order, rules: TotalRules) -> Iterator[Problem]:
    """Compare each stated line amount with quantity x price."""
    for line in order.lines:
        if line.amount is None and line.price is None:
            yield Problem(
                rule="line.no_price",
                message=f"line {line.number} has neither a price nor an amount",
                remedy="map a price or an amount to the line, or have the sender fill it in",
                field=f"lines.{line.number}.price",
            )
        elif line.amount is not None and line.price is not None:
            yield from _price_problem(line, rules)


def _price_problem(line: OrderLine, rules: TotalRules) -> Iterator[Problem]:
    # The price may carry fewer digits than the amount needs: half a unit of its last digit, times the
    # quantity, is no difference.
    if line.price is None or line.amount is None:
        return
    computed = line_amount(line.model_copy(update={"amount": None}), rules.half)
    exponent = line.price.as_tuple().exponent
    slack = abs(line.quantity) * line.price.__class__(5).scaleb(int(exponent) - 1)
    if abs(computed - line.amount) > rules.price_tolerance + round_cents(slack, rules.half):
        yield Problem(
            rule="total.line",
            message=f"line {line.number} states {line.amount}, quantity x price gives {computed}",
            remedy="have the sender correct the line, or raise totals.price_tolerance",
            field=f"lines.{line.number}.amount",
        )
