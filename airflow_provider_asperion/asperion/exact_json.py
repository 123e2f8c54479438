"""JSON with exact numbers: Decimal in, Decimal out, never a float between."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

LONGEST_NUMBER = 40  # digits; no amount is longer, and an exponent of a million would cost a million digits


def encode(value: object) -> str:
    """Write a value as JSON; a Decimal becomes a number with exactly its digits.

    :raises TypeError: for a float, and for whatever JSON has no form for.
    :raises ValueError: for NaN, infinity and numbers of more than 40 digits.
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{_key(key)}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(encode(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return _number(value)
    if value is None or isinstance(value, str | bool | int):
        return json.dumps(value)
    raise TypeError(f"a {type(value).__name__} has no exact form in JSON")


def decode(content: bytes) -> Any:
    """Read JSON; numbers with a point or exponent become Decimal.

    :raises ValueError: when it is not JSON in UTF-8, or nested too deep.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), parse_float=_decimal, parse_constant=_refuse)
    except (RecursionError, ArithmeticError):
        raise ValueError("nested too deep, or a number out of range") from None


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a {type(key).__name__} cannot be a name in JSON")
    return json.dumps(key)


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError("NaN and infinity have no form in JSON")
    exponent = value.as_tuple().exponent
    if abs(value.adjusted()) > LONGEST_NUMBER or abs(int(exponent)) > LONGEST_NUMBER:
        raise ValueError(f"a number of more than {LONGEST_NUMBER} digits is no amount")
    return format(value, "f")


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if value and abs(value.adjusted()) > LONGEST_NUMBER:
        raise ValueError("a number out of range")
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
