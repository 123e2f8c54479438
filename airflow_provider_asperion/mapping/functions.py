"""The functions of one mapping: those on values, those that look around in the document, look-ups."""

from __future__ import annotations

import datetime as dt
import difflib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context

from airflow_provider_asperion.mapping import values
from airflow_provider_asperion.mapping.addresses import join_street, split_street
from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.navigation import Scope, qualifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2.runtime import Context

    from airflow_provider_asperion.mapping.look_ups import LookUp

LOOK_UP = "look_up"
# The functions that are made anew for each document.
SCOPED = frozenset({*Scope({}).functions(), LOOK_UP})


def functions_of(
    overrides: Mapping[str, Callable[..., Any]], look_ups: Mapping[str, LookUp]
) -> dict[str, Callable[..., Any]]:
    """Return the functions by name, those of the caller in place of ours.

    A ``decimal`` or ``date`` of the caller (the dialect of a delimited file) is called with text only: what
    is a number or day already stays as it is, what is absent gives None.
    """
    chosen: dict[str, Callable[..., Any]] = {
        "strip_zeros": values.strip_zeros,
        "country": values.country,
        "email": values.email,
        "concat_names": values.concat_names,
        "first_of": values.first_of,
        "is_person": values.is_person,
        "split_street": split_street,
        "join_street": join_street,
        "pad": values.pad,
        "qualifier": qualifier,
        **overrides,
        "decimal": _number_by(overrides["decimal"]) if "decimal" in overrides else values.decimal,
        "date": _day_by(overrides["date"]) if "date" in overrides else values.date,
    }
    return {**_arithmetic(chosen["decimal"]), **chosen}


def _number_by(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    def decimal(value: Any) -> Any:
        """Return a number as the dialect of the file writes it."""
        if isinstance(value, (Decimal, int, float)):
            return values.decimal(value)
        return _read_by(read, value, "this is no number in the form that the settings name")

    return decimal


def _day_by(read: Callable[[str], Any]) -> Callable[..., Any]:
    def date(value: Any, picture: str | None = None) -> Any:
        """Return a day as the dialect of the file writes it, or by a picture of its own."""
        if picture is not None or isinstance(value, dt.date):
            return values.date(value, picture)
        return _read_by(read, value, "this is no date in the form that the settings name")

    return date


def _read_by(read: Callable[[str], Any], value: Any, complaint: str) -> Any:
    text = values.text_of(value)
    try:
        return None if text is None else read(text)
    except (ValueError, ArithmeticError):
        remedy = "correct the value in the source, or the number and date forms in the settings"
        raise BadValueError(complaint, remedy=remedy, value=text) from None


def _arithmetic(decimal: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    """Return the functions that calculate, reading numbers as the sender writes them."""

    def sum_of(segments: Any, field: str) -> Any:
        """Return the sum of a field over segments; None when none of them has it."""
        rows = [segments] if isinstance(segments, dict) else list(segments or ())
        numbers = [decimal(row.get(field)) for row in rows]
        known = [number for number in numbers if number is not None]
        return sum(known[1:], known[0]) if known else None

    def net_price(price: Any = None, per: Any = None, amount: Any = None, quantity: Any = None) -> Any:
        """Return the price per piece: price / per, or where there is no price amount / quantity.

        SAP states prices per a number of pieces (E1EDP01-VPREI per PEINH): 630.00 per 1000 is 0.63.
        """
        stated, pieces = decimal(price), decimal(per)
        if stated is not None:
            return values.tidy(stated / pieces) if pieces else stated
        total, count = decimal(amount), decimal(quantity)
        return values.tidy(total / count) if total is not None and count else None

    def negate(number: Any, when: Any = True) -> Any:
        """Return a number below zero where ``when`` holds, whatever its sign was; else as it is."""
        known = decimal(number)
        return -abs(known) if known is not None and when else known

    def absolute(number: Any) -> Any:
        """Return a number without its sign."""
        known = decimal(number)
        return None if known is None else abs(known)

    def rounded(number: Any, decimals: int = 0) -> Any:
        """Return a number with 0 to 10 decimals, half away from zero."""
        return values.round_half_up(decimal(number), decimals)

    return {
        "sum_of": sum_of,
        "net_price": net_price,
        "negate": negate,
        "abs": absolute,
        "round": rounded,
    }


def look_up_in(look_ups: Mapping[str, LookUp], trail: list[str]) -> Callable[[Any, str], str | None]:
    """Return the function ``look_up`` of one document, which notes the tables that it used in a trail."""

    def look_up(value: Any, table: str) -> str | None:
        """Return what a value becomes in a look-up table."""
        if table not in look_ups:
            raise unknown_table(table, look_ups)
        trail.append(table)
        return look_ups[table].find(values.text_of(value), name=table)

    return look_up


@pass_context
def look_up_filter(context: Context, value: Any, table: str) -> Any:
    """Return what a value becomes in a look-up table, as a filter."""
    return context.parent[LOOK_UP](value, table)


def unknown_table(table: str, look_ups: Mapping[str, LookUp]) -> BadValueError:
    """Return the fault of naming a table that nobody defined."""
    close = difflib.get_close_matches(table, look_ups, n=1)
    return BadValueError(
        f"there is no look-up table {table!r}",
        remedy=f"did you mean {close[0]!r}?" if close else f"add {table!r} to look_ups in the settings",
    )
