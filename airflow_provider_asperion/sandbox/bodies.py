"""Reads request bodies: the fields known, by their types, and complaints about the rest.

Fields that are not known, ``_meta`` and read-only ones are left alone: a third-party client sends them, and
the API took it [inferred from go].
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox.encoding import decode
from airflow_provider_asperion.sandbox.errors import Complaints, Refusal

if TYPE_CHECKING:
    from airflow_provider_asperion.sandbox.schema import Field
    from airflow_provider_asperion.sandbox.state import Values

LARGEST = Decimal(10**15)


def read_object(content: bytes, content_type: str) -> Values:
    """Read a body that must be one JSON object.

    :raises Refusal: 415 when it does not say that it is JSON, 400 when it is none.
    """
    if not content_type.lower().startswith("application/json"):
        raise Refusal(415, "media")
    try:
        body = decode(content)
    except ValueError:
        raise Refusal(400, "json") from None
    if not isinstance(body, dict):
        raise Refusal(400, errors={"$": ["type_object"]})
    return body


def read_fields(body: Values, fields: tuple[Field, ...], complaints: Complaints, prefix: str = "") -> Values:
    """Return the writable fields of a body.

    :param prefix: what the names of errors begin with.
    """
    values = {}
    for field in fields:
        if field.read_only or field.filter_only or field.name not in body:
            continue
        try:
            values[field.name] = read_value(field, body[field.name])
        except OverflowError:
            complaints.add(prefix + field.name, "too_large")
        except ValueError:
            complaints.add(prefix + field.name, f"type_{field.kind}")
    return values


def read_value(field: Field, value: Any) -> Any:
    """Return the value of a field as it is stored.

    :raises OverflowError: a number is too large.
    :raises ValueError: it is of another type.
    """
    return None if value is None else _READERS[field.kind](value)


def read_lines(body: Values, fields: tuple[Field, ...], complaints: Complaints) -> list[Values]:
    """Return the lines: ``{"_data": [...]}``, in requests as in answers [go]."""
    lines = body.get("lines")
    items = lines.get("_data") if isinstance(lines, dict) else None
    if not isinstance(items, list) or not items:
        complaints.add("lines", "required")
        return []
    read = []
    for number, item in enumerate(items):
        if isinstance(item, dict):
            read.append(read_fields(item, fields, complaints, line_name(number, "")))
        else:
            complaints.add(line_name(number, "").rstrip("."), "type_object")
            read.append({})
    return read


def line_name(number: int, field: str) -> str:
    """Return how errors name a field of a line: its path in the body [inferred]."""
    return f"lines[{number}].{field}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError
    if abs(value) >= 2**31:
        raise OverflowError
    return value


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError
    number = Decimal(value)
    if abs(number) > LARGEST or int(number.as_tuple().exponent) < -12:
        raise OverflowError
    return number


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _date(value: Any) -> str:
    """Take RFC 3339, a day, or a zone-less date-time [go, inherited]; kept without zone."""
    if not isinstance(value, str) or len(value) < 10:
        raise ValueError
    return dt.datetime.fromisoformat(value).replace(tzinfo=None, microsecond=0).isoformat()


def _any(value: Any) -> Any:
    return value


_READERS = {
    "text": _text,
    "int": _int,
    "number": _decimal,
    "bool": _bool,
    "date": _date,
    "any": _any,
}
