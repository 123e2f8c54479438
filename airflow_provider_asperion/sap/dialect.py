"""How a sender writes numbers and dates, and the strict reading of both: what is unclear is refused."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field, model_validator

from airflow_provider_asperion.records import Record, shape_of

DecimalSign = Literal[".", ","]
DateForm = Literal["YYYYMMDD", "YYYY-MM-DD", "DD.MM.YYYY", "DD-MM-YYYY", "DD/MM/YYYY", "MM/DD/YYYY"]

# No amount or quantity of SAP's holds more; a bound keeps arithmetic cheap.
MOST_DIGITS = 31
# SAP's "no date" and "unlimited" (DATS), and its "leave this field alone" (NODATA).
_NO_DATES = frozenset({"00000000", "99991231", "31129999", "12319999"})
_ABSENT = frozenset({"", "/"})
_BLANKS = " \u00a0\u202f"

_DATE_PARTS = {"YYYY": r"(?P<year>\d{4})", "MM": r"(?P<month>\d{2})", "DD": r"(?P<day>\d{2})"}


class Dialect(Record):
    """Numbers and dates as one sender writes them. The defaults are those of SAP's IDocs.

    The decimal sign is never guessed: ``1.234`` means two things. Thousands may be set apart only where
    ``thousands`` says so: by a blank, or by whichever of point and comma is not the decimal sign (the user
    formats of SAP's SU3: ``1.234,56``, ``1,234.56``, ``1 234,56``).
    """

    decimal_sign: DecimalSign = Field(".", description="Decimal sign of numbers.")
    thousands: bool = Field(False, description="Whether thousands may be set apart by point, comma or blank.")
    dates: tuple[DateForm, ...] = Field(
        ("YYYYMMDD", "YYYY-MM-DD"), min_length=1, description="Forms in which dates may come."
    )

    @model_validator(mode="after")
    def _refuse_unclear_dates(self) -> Dialect:
        if {"DD/MM/YYYY", "MM/DD/YYYY"} <= set(self.dates):
            raise ValueError("DD/MM/YYYY and MM/DD/YYYY cannot be told apart: name only one of them")
        return self

    def decimal(self, value: object) -> Decimal | None:
        """Return a number; None where there is none (absent, blank, or SAP's ``/``).

        The sign stands before or after the digits (``-12.50``, ``12.50-``), with blanks between or not.

        :raises ValueError: it is no number in this dialect. Its text holds the shape, not the value.
        """
        if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
            return Decimal(value)
        text = _text(value)
        if text is None:
            return None
        found = _number(self.decimal_sign, self.thousands).fullmatch(text)
        if found is None or (found["before"] and found["after"]):
            raise ValueError(f"this is no number with the sign {self.decimal_sign}: {shape_of(text)}")
        whole, fraction = re.sub(r"[^0-9]", "", found["whole"]), found["fraction"] or ""
        if len(whole) + len(fraction) > MOST_DIGITS:
            raise ValueError(f"this number has more than {MOST_DIGITS} digits: {shape_of(text)}")
        number = Decimal(f"{whole}.{fraction}" if fraction else whole)
        return number.copy_negate() if number and "-" in (found["before"], found["after"]) else number

    def date(self, value: object, picture: str | None = None) -> dt.date | None:
        """Return a day; None where there is none (absent, blank, ``00000000``, ``99991231``, SAP's ``/``).

        :param picture: one form such as ``MM/DD/YYYY``, in place of those of the dialect.
        :raises ValueError: it is no day of the calendar in any of the forms.
        """
        if isinstance(value, dt.date):
            return value
        text = _text(value)
        if text is None or re.sub(r"[./-]", "", text) in _NO_DATES:
            return None
        for form in (picture,) if picture else self.dates:
            found = _date(form).fullmatch(text)
            if found is not None:
                try:
                    return dt.date(int(found["year"]), int(found["month"]), int(found["day"]))
                except ValueError:
                    continue
        raise ValueError(
            f"this is no date in the form {picture or ' or '.join(self.dates)}: {shape_of(text)}"
        )


IDOC = Dialect()


def parse_decimal(value: object) -> Decimal | None:
    """Return a number of an IDoc: decimal point, no thousands. See :meth:`Dialect.decimal`."""
    return IDOC.decimal(value)


def parse_date(value: object) -> dt.date | None:
    """Return a date of an IDoc (``YYYYMMDD``). See :meth:`Dialect.date`."""
    return IDOC.date(value)


def _text(value: Any) -> str | None:
    """Return the trimmed text, None when there is none.

    What a template has no value for (Jinja2's undefined) is falsy and no text: it counts as none.
    """
    if isinstance(value, str):
        text = value.strip()
        return None if text in _ABSENT else text
    if value is None or not (value or isinstance(value, (bool, float, list, dict))):
        return None
    raise ValueError(f"a {type(value).__name__} stands where a text is needed")


@lru_cache
def _number(sign: DecimalSign, thousands: bool) -> re.Pattern[str]:
    point, group = (r"\.", ",") if sign == "." else (",", r"\.")
    grouped = "|".join(rf"[0-9]{{1,3}}(?:{between}[0-9]{{3}})+" for between in (group, f"[{_BLANKS}]"))
    whole = rf"(?:{grouped}|[0-9]*)" if thousands else "[0-9]*"
    return re.compile(
        rf"(?=.*[0-9])(?P<before>[+-]?)[{_BLANKS}]*(?P<whole>{whole})(?:{point}(?P<fraction>[0-9]*))?"
        rf"[{_BLANKS}]*(?P<after>[+-]?)"
    )


@lru_cache
def _date(form: str) -> re.Pattern[str]:
    parts = re.split("(YYYY|MM|DD)", form)
    if sorted(part for part in parts if part in _DATE_PARTS) != sorted(_DATE_PARTS):
        raise ValueError("the form of a date needs YYYY, MM and DD once each, as in 'DD.MM.YYYY'")
    return re.compile("".join(_DATE_PARTS.get(part) or re.escape(part) for part in parts), re.ASCII)
