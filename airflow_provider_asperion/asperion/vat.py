"""Which VAT code holds on a day: from a sales type to its code, and whether that is in force."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.asperion.models import Id, SalesType, VatCode


def vat_in_force(
    codes: Iterable[VatCode],
    day: dt.date,
    *,
    vat_code: Id | None = None,
    sales_type: Id | None = None,
    sales_types: Iterable[SalesType] = (),
) -> VatCode | None:
    """Return the VAT code that is in force on a day; its ``percentage`` is the rate.

    Of several entries of one code, the one that came into force last counts. The first and the last day of
    its validity both belong to it [inferred].

    :param vat_code: id of the code, where it is known.
    :param sales_type: else the id of a sales type, which leads to one [help].
    :return: None where no code is named, it is unknown, or it is not in force on that day.
    """
    wanted = vat_code if vat_code is not None else _code_of(sales_type, sales_types)
    if wanted is None:
        return None
    # Ids are text on VAT codes [go], but a mapping table or a settings file may have made them numbers.
    fitting = [code for code in codes if str(code.id) == str(wanted) and in_force(code, day)]
    return max(fitting, key=lambda code: _day(code.valid_from) or dt.date.min, default=None)


def in_force(code: VatCode, day: dt.date) -> bool:
    """Whether a VAT code is in force on a day; an end or a start that is not told is none."""
    start, end = _day(code.valid_from), _day(code.valid_until)
    return (start is None or start <= day) and (end is None or day <= end)


def _code_of(sales_type: Id | None, sales_types: Iterable[SalesType]) -> str | None:
    if sales_type is None:
        return None
    return next((one.vat_code for one in sales_types if str(one.id) == str(sales_type)), None)


def _day(text: str | None) -> dt.date | None:
    """Read the day of a date of the wire: a validity begins and ends with whole days."""
    try:
        day = dt.date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    # .NET writes year 1 for no date at all.
    return day if day.year > 1 else None
