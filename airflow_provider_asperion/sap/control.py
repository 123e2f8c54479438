"""Checks what an IDoc says it adds up to (E1EDS01) against what it holds: a document that differs is held."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.dialect import parse_decimal

if TYPE_CHECKING:
    from airflow_provider_asperion.records import SourceDocument

# SUMID of E1EDS01 (SAP documentation of ORDERS05 and INVOIC02; checked on real files).
ITEM_COUNT, NET_OF_ORDER, TAX, NET_OF_INVOICE, GROSS = "001", "002", "005", "010", "011"
NET_OF_ITEM = "003"  # QUALF of E1EDP26
# A reader says: items that were rejected or deleted may or may not be counted by the sender.
_DELETED = "003"
_REMEDY = (
    "have the sender send the whole document again; if it always sends wrong totals, set check_totals: false"
)


class _NoNumberError(Exception):
    """A value that must be a number is none. Carries field and value."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(field)
        self.field = field
        self.value = value


def check_control_totals(document: SourceDocument) -> list[Problem]:
    """Return why the totals of an IDoc do not tie; nothing for documents that state none.

    Checked are: number of items (001); net of the items against 002 (orders) and 010 (invoices); 010 + 005 =
    011 (invoices). Nothing is checked of a total that is not stated. Amounts of single
    items are E1EDP26 with qualifier 003, else E1EDP01-NETWR; items without either (free of charge, texts)
    count as nothing, unless no item has one. The sign is not compared for invoices, as credit notes come
    with either.
    """
    data = document.data
    summary = data.get("E1EDS01")
    if not isinstance(summary, list) or document.format == "csv":
        return []
    try:
        totals = _totals(summary)
        found = [*_count(data, totals), *_net(document, totals), *_gross(document, totals)]
    except _NoNumberError as error:
        return [
            Problem(
                rule="totals.no_number",
                message="a total or the amount of an item is no number",
                remedy="correct the value in the source",
                field=error.field,
                record=document.key,
            )
        ]
    return [
        problem.at(record=document.key, file=document.file, position=document.position, line=document.line)
        for problem in found
    ]


def _totals(summary: list[dict[str, Any]]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for row in summary:
        kind, amount = row.get("SUMID"), _number(row, "SUMME", "E1EDS01.SUMME")
        if kind and amount is not None:
            totals.setdefault(kind, amount)
    return totals


def _items(data: dict[str, Any]) -> list[dict[str, Any]]:
    items = data.get("E1EDP01", [])
    return items if isinstance(items, list) else []


def _live(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if not item.get("ABGRU") and item.get("ACTION") != _DELETED]


def _count(data: dict[str, Any], totals: dict[str, Decimal]) -> list[Problem]:
    items = _items(data)
    stated = totals.get(ITEM_COUNT)
    if stated is None or stated in (len(items), len(_live(items))):
        return []
    return [
        _differs(
            "totals.items", f"E1EDS01/001 states {stated} items, the document has {len(items)}", ITEM_COUNT
        )
    ]


def _net(document: SourceDocument, totals: dict[str, Decimal]) -> list[Problem]:
    kind = NET_OF_INVOICE if document.message_type == "INVOIC" else NET_OF_ORDER
    stated = totals.get(kind)
    if stated is None:
        return []
    items = _items(document.data)
    nets = [_sum(items), _sum(_live(items))]
    if nets[0] is None:
        return []
    if (abs(stated) == abs(nets[0])) if document.message_type == "INVOIC" else (stated in nets):
        return []
    return [
        _differs("totals.net", f"E1EDS01/{kind} states {stated} net, the items add up to {nets[0]}", kind)
    ]


def _gross(document: SourceDocument, totals: dict[str, Decimal]) -> list[Problem]:
    if document.message_type != "INVOIC" or not {NET_OF_INVOICE, TAX, GROSS} <= totals.keys():
        return []
    net, tax, gross = totals[NET_OF_INVOICE], totals[TAX], totals[GROSS]
    if net + tax == gross:
        return []
    return [_differs("totals.gross", f"E1EDS01 states {net} net and {tax} tax, but {gross} gross", GROSS)]


def _sum(items: list[dict[str, Any]]) -> Decimal | None:
    amounts = [amount for item in items if (amount := _net_of(item)) is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def _net_of(item: dict[str, Any]) -> Decimal | None:
    for row in item.get("E1EDP26", ()):
        if row.get("QUALF") == NET_OF_ITEM:
            return _number(row, "BETRG", "E1EDP26.BETRG")
    return _number(item, "NETWR", "E1EDP01.NETWR")


def _number(row: dict[str, Any], name: str, field: str) -> Decimal | None:
    try:
        return parse_decimal(row.get(name))
    except ValueError:
        raise _NoNumberError(field, row.get(name)) from None


def _differs(rule: str, message: str, kind: str) -> Problem:
    return Problem(rule=rule, message=message, remedy=_REMEDY, field=f"E1EDS01.{kind}.SUMME")
