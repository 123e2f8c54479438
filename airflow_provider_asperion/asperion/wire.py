"""Between models and bodies: reads what the API sent, writes what it shall get, by the names in names.py."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from airflow_provider_asperion.asperion.errors import BadAnswer
from airflow_provider_asperion.asperion.models import Article, Debtor, DebtorDraft, Document
from airflow_provider_asperion.asperion.names import get_field, put_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.asperion.models import Delivery, DocumentDraft, LineDraft
    from airflow_provider_asperion.asperion.names import (
        ArticleNames,
        DebtorNames,
        DeliveryNames,
        DocumentKind,
        DocumentNames,
        LineNames,
        Names,
    )

Read = TypeVar("Read", bound=BaseModel)

# Integers on the wire [go], whatever a mapping table or a settings file made of them.
_WHOLE_NUMBERS = frozenset({"payment_condition", "ledger_account", "cost_center"})


def read(model: type[Read], values: Mapping[str, object], what: str) -> Read:
    """Make a model of values from the wire.

    :raises BadAnswer: naming the fields that have another type than expected, without their values.
    """
    complaints: set[str] = set()
    try:
        return model.model_validate(values)
    except ValidationError as error:
        complaints.update(
            str(part["loc"][0]) for part in error.errors(include_input=False, include_url=False)
        )
    raise BadAnswer(f"{what}: not of the expected type: {', '.join(sorted(complaints))}")


def read_debtor(body: Mapping[str, Any], names: DebtorNames) -> Debtor:
    """Read a debtor."""
    values = {field: get_field(body, getattr(names, field)) for field in Debtor.model_fields}
    numbers = {"vat_number", "coc_number", "customer_number", "phone", "mobile", "postcode", "comments"}
    return read(Debtor, {**values, **_texts(values, numbers)}, "debtor")


def write_debtor(draft: DebtorDraft, names: DebtorNames) -> dict[str, Any]:
    """Write a debtor; what is None is left out."""
    return debtor_fields({field: getattr(draft, field) for field in DebtorDraft.model_fields}, names)


def debtor_fields(values: Mapping[str, object], names: DebtorNames) -> dict[str, Any]:
    """Write fields of a debtor under their names of the wire.

    :raises ValueError: for a field that a draft does not have.
    """
    unknown = values.keys() - DebtorDraft.model_fields.keys()
    if unknown:
        raise ValueError(f"a debtor has no field {', '.join(sorted(unknown))}")
    body: dict[str, Any] = {}
    for field, value in values.items():
        put_field(body, getattr(names, field), _id_value(field, value))
    return body


def read_article(body: Mapping[str, Any], names: ArticleNames) -> Article:
    """Read an article."""
    state = get_field(body, names.active_state)
    values = {
        "id": get_field(body, names.id),
        "code": get_field(body, names.code),
        "description": get_field(body, names.description),
        "long_description": get_field(body, names.long_description),
        "price": amount(get_field(body, names.price)),
        "ean": get_field(body, names.ean),
        "unit": get_field(body, names.unit),
        "sales_type": get_field(body, names.sales_type),
        "active": _active(state, names),
        "current_stock": amount(get_field(body, names.current_stock)),
        "characteristics": tuple(_text(get_field(body, name)) for name in names.characteristics),
    }
    return read(Article, {**values, **_texts(values, {"code", "ean", "unit"})}, "article")


def _active(state: object, names: ArticleNames) -> bool | None:
    """Read the active state: its words are a guess, and it may be a boolean."""
    if isinstance(state, bool):
        return state
    known = {names.active_value.casefold(): True, names.inactive_value.casefold(): False}
    return known.get(str(state).casefold())


def read_document(body: Mapping[str, Any], kind: DocumentKind, names: DocumentNames) -> Document:
    """Read a sales order or invoice."""
    lines = get_field(body, names.lines)
    items = lines.get("_data") if isinstance(lines, dict) else lines
    values = {
        "kind": kind,
        "id": get_field(body, names.id),
        "reference": get_field(body, names.reference),
        "number": get_field(body, names.number),
        "debtor_id": get_field(body, names.debtor_id),
        "debtor_customer_number": get_field(body, names.debtor_customer_number),
        "date": get_field(body, names.date),
        "status": get_field(body, names.status),
        "net": amount(get_field(body, names.net)),
        "vat": amount(get_field(body, names.vat)),
        "gross": amount(get_field(body, names.gross)),
        "line_count": len(items) if isinstance(items, list) else None,
    }
    texts = _texts(values, {"reference", "number", "debtor_customer_number"})
    return read(Document, {**values, **texts}, kind)


def write_document(kind: DocumentKind, draft: DocumentDraft, names: Names) -> dict[str, Any]:
    """Write a sales order or invoice; what is None, or has no name on the wire, is left out."""
    wire, date_format = names.document(kind), names.habits.date_format
    body: dict[str, Any] = {}
    plain = set(type(draft).model_fields) - {"reference", "date", "delivery_date", "delivery", "lines"}
    for field in sorted(plain):
        put_field(body, getattr(wire, field), _id_value(field, getattr(draft, field)))
    put_field(body, wire.bookyear, draft.bookyear or draft.date.year)
    put_field(body, wire.bookperiod, draft.bookperiod or draft.date.month)
    put_field(body, wire.date, write_date(draft.date, date_format))
    if draft.delivery_date is not None:
        put_field(body, wire.delivery_date, write_date(draft.delivery_date, date_format))
    if draft.delivery is not None:
        _put_delivery(body, draft.delivery, wire.delivery)
    # Last, because it may share a name (description) with another field: being found again comes first.
    put_field(body, wire.reference, draft.reference)
    body[wire.lines] = {"_data": [_write_line(line, wire.line) for line in draft.lines]}
    return body


def _put_delivery(body: dict[str, Any], delivery: Delivery, names: DeliveryNames) -> None:
    for field in type(delivery).model_fields:
        put_field(body, getattr(names, field), getattr(delivery, field))


def _write_line(line: LineDraft, names: LineNames) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for field in type(line).model_fields:
        put_field(body, getattr(names, field), _id_value(field, getattr(line, field)))
    return body


def write_date(date: dt.date, form: str) -> str:
    """Write a date as midnight of that day, without zone."""
    return dt.datetime.combine(date, dt.time()).strftime(form)


def amount(value: object) -> Decimal | None:
    """Read an amount: a JSON number, or its text.

    :raises BadAnswer: for anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    raise BadAnswer("an amount is no number")


def _id_value(field: str, value: object) -> object:
    """Turn an id that came as text into the number the wire has for it."""
    if field in _WHOLE_NUMBERS and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value


def _texts(values: Mapping[str, object], fields: set[str]) -> dict[str, object]:
    """Read fields as text that a server may as well send as numbers."""
    return {field: _text(values[field]) for field in fields}


def _text(value: object) -> object:
    """Return a number as text; whatever is neither is left for the model to refuse."""
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if number else value
