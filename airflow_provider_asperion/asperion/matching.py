"""When two values name the same thing. The server's comparison is never trusted: it may be a substring."""

from __future__ import annotations

import unicodedata
from typing import Literal

MatchField = Literal["email", "customer_number", "vat_number", "coc_number"]


def same_debtor_value(field: MatchField, left: str, right: str) -> bool:
    """Whether two values of a debtor's field are the same to a person.

    Case, blanks around and Unicode variants do not count; nor do the dots, dashes and blanks with which
    people write VAT and Chamber of Commerce numbers.
    """
    return bool(normal_form(field, left)) and normal_form(field, left) == normal_form(field, right)


def same_code(left: str, right: str) -> bool:
    """Whether two article codes or references are the same: exactly, but for blanks around."""
    return unicodedata.normalize("NFC", left).strip() == unicodedata.normalize("NFC", right).strip()


def variants(field: MatchField, value: str) -> list[str]:
    """Return how a value may be written in Asperion, the given form first.

    A server that minds case finds an address only in the form it is stored in: mostly lower case; numbers
    with letters in upper case. A value without letters has one form.
    """
    given = value.strip()
    other = given.lower() if field == "email" else given.upper()
    return list(dict.fromkeys((given, other)))


def has_case(value: str) -> bool:
    """Whether a value can be written in another case."""
    return value.lower() != value.upper()


def normal_form(field: MatchField, value: str) -> str:
    """Return the form in which two values of a field are compared; empty when nothing is left."""
    text = unicodedata.normalize("NFKC", value).strip().casefold()
    if field == "email":
        return "".join(text.split())
    if field == "customer_number":
        return " ".join(text.split())
    return "".join(filter(str.isalnum, text))
