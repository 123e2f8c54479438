"""Functions on single values: numbers, dates, codes, names. An absent or empty value gives None."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from jinja2 import Undefined

from airflow_provider_asperion.mapping.countries import alpha_2
from airflow_provider_asperion.mapping.faults import BadValueError

# A blank before the sign, the sign before or after the digits, a decimal point (SAP IDoc, 1.3).
_NUMBER = re.compile(r"(?P<before>[+-]?)\s*(?P<digits>\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})\s*(?P<after>[+-]?)")
_DAY = re.compile(r"(?P<YYYY>\d{4})-?(?P<MM>\d{2})-?(?P<DD>\d{2})")
_PICTURE_PARTS = {"YYYY": r"(?P<YYYY>\d{4})", "MM": r"(?P<MM>\d{1,2})", "DD": r"(?P<DD>\d{1,2})"}
_EMAIL = re.compile(r"[^@\s\"<>(),:;\[\]\\]{1,64}@[^@\s\"<>(),:;\[\]\\]+\.[^@\s\"<>(),:;\[\]\\.]{2,}")
_TITLES_OF_PERSONS = frozenset(
    {"mr", "mrs", "ms", "miss", "herr", "frau", "hr", "fr", "dhr", "heer", "mevr", "mevrouw"}
    | {"mw", "m", "mme", "mlle", "monsieur", "madame", "mademoiselle"}
)
NO_DATE = "00000000"
UNLIMITED = "99991231"
PRICE_DECIMALS = Decimal(1).scaleb(-10)


def text_of(value: object) -> str | None:
    """Return a value as trimmed text; None when it is absent, empty or SAP's no-data sign ``/``."""
    if value is None or isinstance(value, Undefined):
        return None
    if isinstance(value, (list, dict)):
        raise BadValueError("a segment stands where a field is needed", remedy="write SEGMENT.FIELD")
    if callable(value):
        raise BadValueError("a function stands where a value is needed", remedy="write FUNCTION(FIELD)")
    text = str(value).strip()
    return None if text in {"", "/"} else text


def decimal(value: object) -> Decimal | None:
    """Return a number of an IDoc: decimal point, sign before or after it (``302.35-``).

    :raises BadValueError: for anything else, such as a decimal comma.
    """
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return Decimal(str(value))
    text = text_of(value)
    if text is None:
        return None
    found = _NUMBER.fullmatch(text)
    if found is None or (found["before"] and found["after"]):
        raise BadValueError(
            "this is no number with a decimal point",
            remedy="correct the value in the source, or give the reader the number format of the sender",
            value=text,
        )
    number = Decimal(found["digits"])
    return -number if "-" in (found["before"], found["after"]) else number


def date(value: object, picture: str | None = None) -> dt.date | None:
    """Return a day: ``YYYYMMDD`` or ``YYYY-MM-DD``, else by a picture such as ``MM/DD/YYYY``.

    SAP's "no date" (``00000000``) and "unlimited" (``99991231``) give None.

    :raises BadValueError: when it is no day of the calendar in that form.
    """
    if isinstance(value, dt.date):
        return value
    text = text_of(value)
    if text is None or text in (NO_DATE, UNLIMITED):
        return None
    found = (_picture(picture) if picture else _DAY).fullmatch(text)
    try:
        return dt.date(int(found["YYYY"]), int(found["MM"]), int(found["DD"])) if found else _no_day(text)
    except ValueError as error:
        if isinstance(error, BadValueError):
            raise
        return _no_day(text)


def _picture(picture: str) -> re.Pattern[str]:
    parts = re.split("(YYYY|MM|DD)", picture)
    if sorted(part for part in parts if part in _PICTURE_PARTS) != sorted(_PICTURE_PARTS):
        raise BadValueError(
            "the form of a date needs YYYY, MM and DD once each", remedy="write it as in 'DD.MM.YYYY'"
        )
    return re.compile("".join(_PICTURE_PARTS.get(part) or re.escape(part) for part in parts))


def _no_day(text: str) -> dt.date:
    raise BadValueError(
        "this is no date",
        remedy="correct the value in the source, or name its form, as in date(FIELD, 'DD.MM.YYYY')",
        value=text,
    )


def pad(value: object, width: int) -> str | None:
    """Return a number padded with zeros to a width, as SAP keeps its keys; with letters it stays as it is."""
    text = text_of(value)
    return text.zfill(min(width, 40)) if text is not None and text.isascii() and text.isdigit() else text


def strip_zeros(value: object) -> str | None:
    """Return a key without leading zeros if it is all digits (SAP's ALPHA conversion), else as it is."""
    text = text_of(value)
    if text is None or not (text.isascii() and text.isdigit()):
        return text
    return text.lstrip("0") or "0"


def country(value: object) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a code of two or three letters, or of a name."""
    text = text_of(value)
    if text is None:
        return None
    code = alpha_2(text)
    if code is None:
        raise BadValueError(
            "this country is not known",
            remedy="correct it in the source, or translate it with a look-up table",
            value=text,
        )
    return code


def email(value: object) -> str | None:
    """Return an e-mail address without blanks, brackets or ``mailto:``; of several the first."""
    text = text_of(value)
    if text is None:
        return None
    first = re.split(r"[;,]", text)[0].strip()
    inside = re.fullmatch(r"[^<>]*<([^<>]+)>", first)
    address = (inside[1] if inside else first).strip()
    address = re.sub(r"^mailto:\s*", "", address, flags=re.IGNORECASE)
    if not _EMAIL.fullmatch(address) or ".." in address or len(address) > 254:
        raise BadValueError(
            "this is no e-mail address", remedy="correct it in the source, or leave it empty", value=text
        )
    return address


def concat_names(*parts: object) -> str | None:
    """Join the parts that have a value with one blank between: NAME1, NAME2 and so on."""
    texts = [" ".join(text.split()) for part in parts if (text := text_of(part)) is not None]
    return " ".join(texts) or None


def first_of(*values: object) -> Any:
    """Return the first value that is there; unlike ``or`` it takes 0 for a value."""
    for value in values:
        if isinstance(value, (list, dict)):
            if value:
                return value
        elif text_of(value) is not None:
            return value
    return None


def is_person(title: object) -> bool:
    """Tell whether a form of address (E1EDKA1-ANRED) is that of a person: Mr, Frau, Dhr., Mevrouw."""
    text = text_of(title)
    return text is not None and not _TITLES_OF_PERSONS.isdisjoint(re.findall(r"\w+", text.casefold())[:2])


def tidy(number: Decimal) -> Decimal:
    """Return a number with at most ten decimals and no trailing zeros."""
    with localcontext() as context:
        context.prec = 60
        rounded = number.quantize(PRICE_DECIMALS, rounding=ROUND_HALF_UP)
    whole = rounded.to_integral_value()
    return whole if whole == rounded else rounded.normalize()


def round_half_up(number: Decimal | None, decimals: int = 0) -> Decimal | None:
    """Return a number with 0 to 10 decimals, half away from zero."""
    if number is None:
        return None
    if not isinstance(decimals, int) or not 0 <= decimals <= 10:
        raise BadValueError("a number is rounded to 0 up to 10 decimals", remedy="write round(2)")
    with localcontext() as context:
        context.prec = 60
        return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
