"""Splits a street line into street and house number, as written in NL, BE, DE, FR and beyond."""

from __future__ import annotations

import re

from airflow_provider_asperion.mapping.values import text_of

LONGEST = 200
_DIGITS = r"\d{1,5}(?:\s?[-/+]\s?\d{1,5})?"
_ADDITION = r"(?:[\s/-]?(?:bis|ter|quater|hs|huis|boven|rood|zw|[IVX]{1,4}|[A-Z]\d{0,3})\b)"
_BOX = r"(?:[\s,]*(?:bus|bte|bo[iî]te|box|app?|apt|unit|kamer)\b\.?\s*[\w-]{1,6})"
_NUMBER_LAST = re.compile(
    rf"(?P<street>\S.*?)[\s,]+(?:(?:nr|no|n°|nummer)\.?\s*)?(?P<number>{_DIGITS}{_ADDITION}?{_BOX}?)",
    re.IGNORECASE,
)
# A letter may follow (12A Rue ...), but not the e of an ordinal: 2e Hugo de Grootstraat.
_NUMBER_FIRST = re.compile(
    rf"(?P<number>{_DIGITS}(?:[A-DF-Z]|\s?(?:bis|ter))?)(?:,\s*|\s+)(?P<street>[^\d\s].*)", re.IGNORECASE
)


def split_street(line: object, house_number: object = None) -> dict[str, str]:
    """Return ``street`` and ``number`` of a street line; what is not there has no key.

    ``Kerkstraat 12-a`` and ``16, Rue de la Loi`` both split. A line without a number, or with a number
    that belongs to the name as in ``2e Hugo de Grootstraat``, is all street.

    :param line: street line (E1EDKA1-STRAS).
    :param house_number: house number where the source has it apart (E1EDKA1-HAUSN); the line is then
        taken as it is.
    """
    street, number = text_of(line), text_of(house_number)
    if street is not None and number is None and len(street) <= LONGEST:
        found = _NUMBER_LAST.fullmatch(street) or _NUMBER_FIRST.fullmatch(street)
        if found:
            street, number = found["street"].rstrip(" ,"), found["number"]
    parts = {"street": street, "number": number}
    return {name: value for name, value in parts.items() if value}


def join_street(street: object, house_number: object = None) -> str | None:
    """Return street and house number as one line; None when there is no street."""
    name, number = text_of(street), text_of(house_number)
    return f"{name} {number}" if name and number else name
