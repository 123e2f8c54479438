"""JSON of the answers: amounts are exact numbers [go], dates have no zone, nested lines are wrapped."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_asperion.sandbox.schema import Field, Resource
    from airflow_provider_asperion.sandbox.state import Row, Values


def encode(value: Any) -> str:
    """Write a value as JSON; a Decimal becomes a number with exactly its digits."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{quoted(key)}:{encode(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value)


def decode(content: bytes) -> Any:
    """Read JSON; every number with a point becomes a Decimal.

    :raises ValueError: when it is not JSON.
    """
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse)
    except (RecursionError, InvalidOperation) as error:
        raise ValueError("not readable as JSON") from error


def encode_row(
    row: Row, resource: Resource, *, base: str, date_form: str, only: Collection[str] | None = None
) -> bytes:
    """Write one entry, with its own address in ``_meta.self`` and its lines in ``_data`` [go].

    :param base: what addresses begin with; empty: they are relative.
    :param only: names of the fields to write, in lower case; None: all.
    """
    wanted = (resource.path, base, date_form)
    if only is None and row.encoded_for == wanted:
        return row.encoded
    address = f"{base}/v1/{resource.path}/{row.key}"
    body = shape(row.values, resource.fields, date_form, only)
    body |= {name: value for name, value in row.extra.items() if only is None or name.lower() in only}
    if resource.line_fields and (only is None or "lines" in only):
        lines = [
            {
                **shape(line, resource.line_fields, date_form),
                "_meta": {"self": f"{address}/lines/{line['id']}"},
            }
            for line in row.values["lines"]
        ]
        body["lines"] = {"_data": lines, "_meta": {"totalCount": len(lines)}}
    body["_meta"] = {"self": address}
    content = encode(body).encode()
    if only is None:
        row.encoded, row.encoded_for = content, wanted
    return content


def shape(
    values: Values, fields: tuple[Field, ...], date_form: str, only: Collection[str] | None = None
) -> Values:
    """Return the fields of an entry as they stand in an answer."""
    return {
        field.name: _date(values.get(field.name), date_form)
        if field.kind == "date"
        else values.get(field.name)
        for field in fields
        if not field.filter_only and (only is None or field.name.lower() in only)
    }


def _date(value: str | None, form: str) -> str | None:
    """Write a stored zone-less date-time; the API's own notation is not proven [go, inherited]."""
    if value is None or form == "datetime":
        return value
    return value[:10] if form == "date" else f"{value}+01:00"


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
