"""The functions of one mapping: those on values, those that look around in the document, look-ups."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context

from airflow_provider_asperion.mapping import values
from airflow_provider_asperion.mapping.addresses import split_street
from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.navigation import Scope, qualifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2.runtime import Context

    from airflow_provider_asperion.mapping.look_ups import LookUp

TRAIL = "_looked_up"
SCOPED = frozenset(Scope({}).functions())


def functions_of(
    overrides: Mapping[str, Callable[..., Any]], look_ups: Mapping[str, LookUp]
) -> dict[str, Callable[..., Any]]:
    """Return the functions by name, those of the caller in place of ours (CSV dialects)."""
    chosen: dict[str, Callable[..., Any]] = {
        "decimal": values.decimal,
        "date": values.date,
        "strip_zeros": values.strip_zeros,
        "country": values.country,
        "email": values.email,
        "concat_names": values.concat_names,
        "first_of": values.first_of,
        "is_person": values.is_person,
        "split_street": split_street,
        "qualifier": qualifier,
        "look_up": _look_up_in(look_ups),
        **overrides,
    }
    return {**_arithmetic(chosen["decimal"]), **chosen}


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

    return {"sum_of": sum_of, "net_price": net_price, "negate": negate, "abs": absolute}


def _look_up_in(look_ups: Mapping[str, LookUp]) -> Callable[..., Any]:
    @pass_context
    def look_up(context: Context, value: Any, table: str) -> str | None:
        """Return what a value becomes in a look-up table."""
        if table not in look_ups:
            raise unknown_table(table, look_ups)
        context.parent[TRAIL].append(table)
        return look_ups[table].find(values.text_of(value), name=table)

    return look_up


def unknown_table(table: str, look_ups: Mapping[str, LookUp]) -> BadValueError:
    """Return the fault of naming a table that nobody defined."""
    close = difflib.get_close_matches(table, look_ups, n=1)
    return BadValueError(
        f"there is no look-up table {table!r}",
        remedy=f"did you mean {close[0]!r}?" if close else f"add {table!r} to look_ups in the settings",
    )
