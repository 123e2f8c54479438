"""Between models and bodies: reads what the API sent, writes what it shall get, by the names in names.py."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from airflow_provider_asperion.asperion.errors import Unreadable
from airflow_provider_asperion.asperion.models import (
    Administration,
    Article,
    ArticleDraft,
    Debtor,
    DebtorDraft,
    DebtorKind,
    Delivery,
    Document,
    DocumentDetail,
    DocumentLine,
    Journal,
    LedgerAccount,
    PaymentCondition,
    PaymentMethod,
    SalesType,
    VatCode,
    WarehouseStock,
)
from airflow_provider_asperion.asperion.names import get_field, put_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_asperion.asperion.models import DocumentDraft, LineDraft
    from airflow_provider_asperion.asperion.names import (
        ArticleNames,
        DebtorNames,
        DeliveryNames,
        DocumentKind,
        DocumentNames,
        LineNames,
        Names,
        SalesTypeNames,
        WarehouseNames,
    )

Read = TypeVar("Read", bound=BaseModel)

# Integers on the wire [go], whatever a mapping table or a settings file made of them.
WHOLE_NUMBERS = frozenset({"payment_condition", "ledger_account", "cost_center"})

# Read as text, though a server may as well send them as numbers.
TEXTS: Mapping[type[BaseModel], frozenset[str]] = {
    Debtor: frozenset(
        {"vat_number", "coc_number", "customer_number", "phone", "mobile", "postcode", "comments"}
    ),
    Article: frozenset({"code", "ean", "unit", "vat_code"}),
    WarehouseStock: frozenset({"code"}),
    Document: frozenset({"reference", "number", "debtor_customer_number"}),
    DocumentDetail: frozenset({"description", "remarks"}),
    DocumentLine: frozenset({"article_code", "unit", "vat_code"}),
    Delivery: frozenset(Delivery.model_fields),
    SalesType: frozenset({"vat_code"}),
}

# Names of the wire that are no settings: a third-party client reads them [go], or all lists have them.
_CHOICE = {"id": "id", "description": "description"}
ENTRIES: Mapping[type[BaseModel], Mapping[str, str]] = {
    Administration: {"id": "id", "name": "name"},
    VatCode: {
        **_CHOICE,
        "sales": "salesCode",
        "percentage": "percentage",
        "country": "countryCode",
        "is_default": "isDefault",
        "valid_from": "validFrom",
        "valid_until": "validUntil",
    },
    PaymentCondition: _CHOICE,
    PaymentMethod: _CHOICE,
    Journal: {**_CHOICE, "type": "type"},
    DebtorKind: _CHOICE,
    LedgerAccount: {**_CHOICE, "vat_code": "vatCode", "disabled": "disabled"},
}


def read(model: type[Read], values: Mapping[str, object], what: str) -> Read:
    """Make a model of values from the wire.

    :raises Unreadable: naming the fields that have another type than expected, without their values.
    """
    complaints: set[str] = set()
    try:
        return model.model_validate(values)
    except ValidationError as error:
        complaints.update(
            str(part["loc"][0]) for part in error.errors(include_input=False, include_url=False)
        )
    raise Unreadable(f"{what}: not of the expected type: {', '.join(sorted(complaints))}")


def read_debtor(body: Mapping[str, Any], names: DebtorNames) -> Debtor:
    """Read a debtor."""
    values = {field: get_field(body, getattr(names, field)) for field in Debtor.model_fields}
    return read(Debtor, {**values, **_texts(values, TEXTS[Debtor])}, "debtor")


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
    plain = ("id", "code", "description", "long_description", "ean", "unit", "sales_type", "vat_code")
    numbers = ("price", "current_stock", "available", "reserved", "on_order")
    values = {
        **{field: get_field(body, getattr(names, field)) for field in plain},
        **_amounts(body, names, numbers),
        "active": _active(get_field(body, names.active_state), names),
        "warehouses": [_warehouse(one, names.warehouse) for one in _items(get_field(body, names.warehouses))],
        "characteristics": tuple(_text(get_field(body, name)) for name in names.characteristics),
        "date_added": get_field(body, names.date_added),
        "date_changed": get_field(body, names.date_changed),
        "custom": {name: _plain_text(get_field(body, name)) for name in names.custom},
    }
    return read(Article, {**values, **_texts(values, TEXTS[Article])}, "article")


def write_article(draft: ArticleDraft, names: ArticleNames) -> dict[str, Any]:
    """Write an article, or what of one shall change; what is None is left out."""
    body: dict[str, Any] = {}
    plain = ("code", "description", "long_description", "price", "ean", "unit", "sales_type", "vat_code")
    for field in plain:
        put_field(body, getattr(names, field), getattr(draft, field))
    if draft.active is not None:
        put_field(body, names.active_state, names.active_value if draft.active else names.inactive_value)
    for name, value in zip(names.characteristics, draft.characteristics, strict=False):
        put_field(body, name, value)
    for name, value in draft.custom.items():
        put_field(body, name, value)
    return body


def without_stock(body: dict[str, Any], names: ArticleNames) -> dict[str, Any]:
    """Return an article without what of it cannot be written: its stock [help]."""
    stock = {names.current_stock, names.available, names.reserved, names.on_order, names.warehouses}
    return {name: value for name, value in body.items() if name not in stock}


def _warehouse(body: Mapping[str, Any], names: WarehouseNames) -> WarehouseStock:
    numbers = ("current_stock", "available", "reserved", "on_order")
    values = _amounts(body, names, numbers)
    return read(WarehouseStock, {**values, "code": _text(get_field(body, names.code))}, "warehouse")


def _active(state: object, names: ArticleNames) -> bool | None:
    """Read the active state: its words are a guess, and it may be a boolean."""
    if isinstance(state, bool):
        return state
    known = {names.active_value.casefold(): True, names.inactive_value.casefold(): False}
    return known.get(str(state).casefold())


def read_document(body: Mapping[str, Any], kind: DocumentKind, names: DocumentNames) -> Document:
    """Read the head of a sales order or invoice."""
    return read(Document, _document_values(body, kind, names), kind)


def read_detail(body: Mapping[str, Any], kind: DocumentKind, names: DocumentNames) -> DocumentDetail:
    """Read a sales order or invoice with all that is known of it."""
    further = DocumentDetail.model_fields.keys() - Document.model_fields.keys() - {"lines", "delivery"}
    values = {field: get_field(body, getattr(names, field)) for field in further}
    texts = _texts(values, TEXTS[DocumentDetail])
    lines = [_line(item, names.line) for item in _items(get_field(body, names.lines))]
    delivery = {
        field: _text(get_field(body, getattr(names.delivery, field))) for field in Delivery.model_fields
    }
    return read(
        DocumentDetail,
        {
            **_document_values(body, kind, names),
            **values,
            **texts,
            "lines": lines,
            "delivery": read(Delivery, delivery, kind) if any(delivery.values()) else None,
        },
        kind,
    )


def has_lines(body: Mapping[str, Any], names: DocumentNames) -> bool:
    """Whether a document of a list came with its lines."""
    return isinstance(_data(get_field(body, names.lines)), list)


def _document_values(body: Mapping[str, Any], kind: DocumentKind, names: DocumentNames) -> dict[str, object]:
    plain = ("id", "reference", "number", "debtor_id", "debtor_customer_number", "date", "status")
    lines = _data(get_field(body, names.lines))
    values = {
        "kind": kind,
        **{field: get_field(body, getattr(names, field)) for field in plain},
        **_amounts(body, names, ("net", "vat", "gross")),
        "line_count": len(lines) if isinstance(lines, list) else None,
    }
    return {**values, **_texts(values, TEXTS[Document])}


def _line(body: Mapping[str, Any], names: LineNames) -> DocumentLine:
    values = {field: get_field(body, getattr(names, field)) for field in DocumentLine.model_fields}
    numbers = ("quantity", "price", "discount", "amount", "vat_amount", "delivered")
    values |= _amounts(body, names, numbers)
    return read(DocumentLine, {**values, **_texts(values, TEXTS[DocumentLine])}, "line")


def _data(value: object) -> object:
    """Return what a nested list holds: ``{"_data": [...]}`` [go], or a plain list."""
    return value.get("_data") if isinstance(value, dict) else value


def _items(value: object) -> list[dict[str, Any]]:
    """Return the objects of a nested list; none where there is no list."""
    items = _data(value)
    if not isinstance(items, list):
        return []
    if not all(isinstance(item, dict) for item in items):
        raise Unreadable("a nested list holds something else than objects")
    return items


def read_sales_type(body: Mapping[str, Any], names: SalesTypeNames) -> SalesType:
    """Read a sales type."""
    values = {field: get_field(body, getattr(names, field)) for field in SalesType.model_fields}
    return read(SalesType, {**values, **_texts(values, TEXTS[SalesType])}, "sales type")


def read_entry(model: type[Read], item: Mapping[str, Any], what: str | None = None) -> Read:
    """Read an entry of a list whose names are no settings (``ENTRIES``).

    :param what: how an error names it.
    """
    values = {field: item.get(name) for field, name in ENTRIES[model].items()}
    if "percentage" in values:
        values["percentage"] = amount(values["percentage"], "percentage")
    return read(model, values, what or model.__name__)


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


def _amounts(body: Mapping[str, Any], names: BaseModel, fields: Iterable[str]) -> dict[str, Decimal | None]:
    return {field: amount(get_field(body, getattr(names, field)), field) for field in fields}


def amount(value: object, field: str = "amount") -> Decimal | None:
    """Read an amount: a JSON number, or its text.

    :param field: how the error names it.
    :raises Unreadable: for anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    raise Unreadable(f"not a number: {field}")


def _id_value(field: str, value: object) -> object:
    """Turn an id that came as text into the number the wire has for it."""
    if field in WHOLE_NUMBERS and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value


def _texts(values: Mapping[str, object], fields: frozenset[str]) -> dict[str, object]:
    """Read fields as text that a server may as well send as numbers."""
    return {field: _text(values[field]) for field in fields}


def _text(value: object) -> object:
    """Return a number as text; whatever is neither is left for the model to refuse."""
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if number else value


def _plain_text(value: object) -> object:
    """Return any single value as text: what a custom field holds is not known beforehand."""
    return str(value).lower() if isinstance(value, bool) else _text(value)
