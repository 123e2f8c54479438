"""EAN numbers (GTIN): their form and check digit."""

from __future__ import annotations

from typing import Literal

from airflow_provider_asperion.records import Problem, ProblemError, shape_of

GTIN_LENGTHS = (8, 12, 13, 14)


def is_gtin(text: str) -> bool:
    """Whether a number is a GTIN-8, -12, -13 or -14: digits, of which the last one checks the others.

    Source: GS1 General Specifications, check digit: from the right, weights 3 and 1 in turn.
    """
    if len(text) not in GTIN_LENGTHS or not (text.isascii() and text.isdigit()):
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text)))
    return weighted % 10 == 0


def checked_ean(
    text: str | None, *, wrong: Literal["refuse", "drop"], setting: str, record: str, source: str
) -> str | None:
    """Return an EAN without blanks; None where there is none.

    :param wrong: refuse one that is no GTIN, or leave it out.
    :param setting: the name of that setting.
    :param source: who can correct it: Asperion or SAP.
    :raises ProblemError: it is no GTIN, and such are refused.
    """
    digits = (text or "").replace(" ", "")
    if not digits or is_gtin(digits):
        return digits or None
    if wrong == "drop":
        return None
    raise ProblemError(
        Problem(
            rule="product.ean",
            message="the EAN is no GTIN of 8, 12, 13 or 14 digits with a right check digit",
            remedy=f"correct it in {source}, or set {setting}: drop",
            record=record,
            field="ean",
            shape=shape_of(digits),
        )
    )
