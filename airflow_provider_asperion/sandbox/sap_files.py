"""Writes order files as SAP systems do: IDoc XML, IDoc flat, CSV and JSON, all of the same orders.

For the demo and for tests. ``ValueError`` tells of a value that does not fit into its field.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from airflow_provider_asperion.sandbox.idoc_trees import (
    Tree,
    customer_number,
    invoice_tree,
    number_text,
    order_tree,
    segments_of,
    tax_of,
)
from airflow_provider_asperion.sandbox.samples import SampleAddress, SampleLine, SampleOrder, sample_orders
from airflow_provider_asperion.sap.layouts import load_layouts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_asperion.sap.dialect import DateForm, DecimalSign

__all__ = [
    "SampleAddress",
    "SampleLine",
    "SampleOrder",
    "cpi_json",
    "idoc_flat",
    "idoc_xml",
    "invoic_xml",
    "invoice_tree",
    "order_tree",
    "orders_csv",
    "sample_orders",
]

Width = Literal["cut", "full", "trimmed"]
FULL_WIDTH = 1063
# Versions of segments as SAP releases of today write them; the others have none.
VERSIONED = {"E1EDK01": "005", "E1EDKA1": "003", "E1EDP01": "011", "E1EDP19": "003"}


def idoc_xml(orders: Iterable[SampleOrder], *, first_number: int = 1) -> bytes:
    """Write orders as one XML file with an IDOC each; empty fields are left out, as SAP does."""
    return _xml_file("ORDERS05", order_tree, orders, first_number)


def invoic_xml(orders: Iterable[SampleOrder], *, first_number: int = 1) -> bytes:
    """Write invoices of orders as one XML file."""
    return _xml_file("INVOIC02", invoice_tree, orders, first_number)


def _xml_file(
    root: str, tree_of: Callable[[SampleOrder, int], Tree], orders: Iterable[SampleOrder], first_number: int
) -> bytes:
    parts = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>']
    for number, order in enumerate(orders, start=first_number):
        parts.append('<IDOC BEGIN="1">' + "".join(_xml(tree_of(order, number))) + "</IDOC>")
    return "\n".join([*parts, f"</{root}>\n"]).encode()


def _xml(tree: Tree) -> Iterator[str]:
    for name, value in tree.items():
        for segment in value if isinstance(value, list) else [value]:
            if isinstance(segment, dict):
                yield f'<{name} SEGMENT="1">{"".join(_xml(segment))}</{name}>'
            elif segment:
                yield f"<{name}>{escape(segment)}</{name}>"


def idoc_flat(
    orders: Iterable[SampleOrder],
    *,
    width: Width = "cut",
    versioned: bool = True,
    table: Literal["EDI_DC40", "EDI_DC40_U"] = "EDI_DC40_U",
    line_end: str = "\n",
    encoding: str = "utf-8",
    first_number: int = 1,
) -> bytes:
    """Write orders as a flat file: a control record and data records per IDoc.

    :param width: records of 1,063 characters (``full``), as long as their segment (``cut``), or without
        blanks at their end (``trimmed``).
    :param versioned: segment definitions with the version of their release (``E2EDKA1003``).
    """
    records: list[str] = []
    for number, order in enumerate(orders, start=first_number):
        records += _records(order_tree(order, number), number, table, versioned=versioned, width=width)
    if width == "trimmed":
        records = [record.rstrip() for record in records]
    return "".join(record + line_end for record in records).encode(encoding)


def _records(tree: Tree, document: int, table: str, *, versioned: bool, width: Width) -> Iterator[str]:
    yield _control(tree["EDI_DC40"], table)
    parents = {0: 0}
    for place, (kind, segment, level) in enumerate(segments_of(tree), start=1):
        parents[level + 1] = place
        # SAP counts levels from the head: E1EDK01 has 01, what stands beside it 02.
        shown = level + (1 if kind == "E1EDK01" else 2)
        definition = f"E2{kind[2:]}{VERSIONED.get(kind, '') if versioned else ''}"
        begin = f"{definition:<30}100{document:016d}{place:06d}{parents[level]:06d}{shown:02d}"
        yield _record(begin, definition, segment, width)


def _control(control: dict[str, str], table: str) -> str:
    """Write EDI_DC40: 524 characters, offsets as in SAP's parser file (WE63)."""
    places = {
        "MANDT": (10, 13), "DOCNUM": (13, 29), "DIRECT": (35, 36), "IDOCTYP": (39, 69), "MESTYP": (99, 129),
        "SNDPRT": (158, 160), "SNDPRN": (162, 172), "CREDAT": (378, 386), "CRETIM": (386, 392),
    }  # fmt: skip
    record = list(f"{table:<524}")
    for name, (begin, end) in places.items():
        record[begin:end] = f"{control[name]:<{end - begin}}"
    return "".join(record)


def _record(head: str, definition: str, segment: Tree, width: Width) -> str:
    fields = load_layouts().of(definition)
    if fields is None:
        raise ValueError(f"no layout of segment {definition}")
    record = list(head.ljust(FULL_WIDTH if width == "full" else fields[-1][2]))
    for name, begin, _ in fields:
        value = segment.get(name, "")
        record[begin : begin + len(value)] = value
    return "".join(record)


def cpi_json(orders: Iterable[SampleOrder], *, first_number: int = 1) -> bytes:
    """Write orders as SAP Integration Suite turns IDoc XML into JSON: a single segment is no list."""
    idocs = [
        {"@BEGIN": "1", **_json(order_tree(order, number))}
        for number, order in enumerate(orders, start=first_number)
    ]
    return json.dumps({"ORDERS05": {"IDOC": idocs[0] if len(idocs) == 1 else idocs}}, indent=1).encode()


def _json(tree: Tree) -> Tree:
    result: Tree = {}
    for name, value in tree.items():
        if isinstance(value, str):
            if value:
                result[name] = value
            continue
        segments = [
            {"@SEGMENT": "1", **_json(segment)} for segment in (value if isinstance(value, list) else [value])
        ]
        if segments:
            result[name] = segments[0] if len(segments) == 1 else segments
    return result


CSV_COLUMNS = (
    "ORDER_NO", "ORDER_DATE", "STATUS", "CUSTOMER_NO", "COMPANY", "NAME", "EMAIL", "PHONE", "BILL_STREET",
    "BILL_HOUSE_NO", "BILL_POSTCODE", "BILL_CITY", "BILL_COUNTRY", "SHIP_NAME", "SHIP_STREET",
    "SHIP_HOUSE_NO", "SHIP_POSTCODE", "SHIP_CITY", "SHIP_COUNTRY", "CURRENCY", "PAYMENT_TERMS", "LINE_COUNT",
    "TOTAL_NET", "LINE_NO", "SKU", "DESCRIPTION", "AMOUNT", "VAT_RATE", "QUANTITY", "UNIT", "PRICE",
    "VAT_CODE",
)  # fmt: skip


def orders_csv(
    orders: Iterable[SampleOrder],
    *,
    delimiter: str = ";",
    encoding: str = "utf-8",
    decimal_sign: DecimalSign = ".",
    date_form: DateForm = "YYYYMMDD",
) -> bytes:
    """Write orders as rows, one per line of an order, with the columns of the mapping ``orders_csv``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for order in orders:
        head = (
            order.reference, _day(order.date, date_form), order.status, customer_number(order), order.company,
            order.person, order.email, order.phone, order.street, order.house_number, order.postcode,
            order.city, order.country, *_shipping_cells(order.shipping), order.currency, order.terms,
            len(order.lines), number_text(order.net, decimal_sign),
        )  # fmt: skip
        for place, line in enumerate(order.lines, start=1):
            writer.writerow((*head, *_line_cells(line, place, decimal_sign)))
    return text.getvalue().encode(encoding)


def _shipping_cells(shipping: SampleAddress | None) -> tuple[str, ...]:
    if shipping is None:
        return ("",) * 6
    at = shipping
    return at.name, at.street, at.house_number, at.postcode, at.city, at.country


def _line_cells(line: SampleLine, place: int, decimal_sign: DecimalSign) -> tuple[str, ...]:
    code, rate = (*tax_of(line), ("", ""))[0]
    amount, quantity, price = (
        number_text(value, decimal_sign) for value in (line.net, line.quantity, line.price)
    )
    return (
        f"{place * 10:06d}", line.sku, line.description, amount, rate.replace(".", decimal_sign), quantity,
        line.unit, price, code,
    )  # fmt: skip


def _day(date: dt.date, form: DateForm) -> str:
    text = form.replace("YYYY", f"{date:%Y}")
    return text.replace("MM", f"{date:%m}").replace("DD", f"{date:%d}")
