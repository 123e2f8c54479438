"""More than a hundred ways in which an order file can be wrong, each from a good file of three orders."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count

from airflow_provider_asperion.sandbox.samples import SampleLine, SampleOrder
from airflow_provider_asperion.sandbox.sap_files import cpi_json, idoc_flat, idoc_xml, orders_csv

_NUMBERS = count(1)


@dataclass(frozen=True)
class Case:
    """One malformed file.

    :param arrives: which of the three orders must arrive, by place; None: any but the second may.
    :param record: the problem must name the second order.
    :param field: the problem must name a field.
    """

    name: str
    content: bytes
    orders: tuple[SampleOrder, ...]
    arrives: frozenset[int] | None = frozenset({0, 2})
    record: bool = True
    field: bool = False


def three() -> tuple[SampleOrder, ...]:
    number = next(_NUMBERS)
    return tuple(
        SampleOrder(
            reference=f"M{number:04d}{place}",
            person=f"Canary Vogel{number}",
            email=f"canary{number}.{place}@example.com",
            street="Canarylaan",
            lines=(
                SampleLine(sku="A1", quantity=Decimal(2), price=Decimal("3.50"), description="Ding"),
                SampleLine(sku="A2", quantity=Decimal(1), price=Decimal("10.00"), description="Ding"),
            ),
        )
        for place in range(3)
    )


WRITERS = {"xml": idoc_xml, "flat": idoc_flat, "csv": orders_csv, "json": cpi_json}


def cases() -> list[Case]:
    return [
        *_bad_values(),
        *_missing_values(),
        *_totals_and_doubles(),
        *_cut_files(),
        *_wrong_bytes(),
        *_no_order_files(),
        *_structures(),
        *_content(),
    ]


# A field of the second order, as each format writes it: (XML and JSON name, CSV column).
FIELDS = {
    "quantity": ("MENGE", "QUANTITY"),
    "price": ("VPREI", "PRICE"),
    "date": ("DATUM", "ORDER_DATE"),
    "currency": ("CURCY", "CURRENCY"),
    "country": ("LAND1", "BILL_COUNTRY"),
    "sku": ("IDTNR", "SKU"),
    "email": ("STDPN", "EMAIL"),
}
BAD = {
    "quantity": [
        "1,5",
        "1O",
        "--5",
        "5-5",
        "1E3",
        "NaN",
        "Infinity",
        "9" * 40,
        "1.000.000",
        "0x10",
        "two",
        ".",
    ],
    "price": ["3,5O", "EUR 3", "1e999", "3.5.0"],
    "date": ["20261301", "20260230", "2026-13-01", "01/02/26", "19A60101", "tomorrow"],
    "currency": ["EURO", "E1", "??"],
    "country": ["Nergensland", "N"],
    "email": ["canary-at-example.com", "canary@", "a@b@example.com"],
}


def _bad_values():
    for field, values in BAD.items():
        for value in values:
            for form in ("xml", "json", "csv"):
                orders = three()
                content = set_field(form, WRITERS[form](orders), orders[1], field, value)
                yield Case(f"{form} {field} {value[:12]}", content, orders, field=True)


def _missing_values():
    for field in ("quantity", "date", "sku", "email"):
        for form in ("xml", "json", "csv"):
            orders = three()
            content = set_field(form, WRITERS[form](orders), orders[1], field, "")
            yield Case(f"{form} no {field}", content, orders, field=True)
    orders = three()
    yield Case(
        "xml no number",
        WRITERS["xml"](orders).replace(orders[1].reference.encode(), b""),
        orders,
        record=False,
    )
    orders = three()
    yield Case(
        "csv no number",
        orders_csv(orders).replace(orders[1].reference.encode(), b""),
        orders,
        None,
        record=False,
    )
    orders = three()
    xml = re.sub(rb"<E1EDP01.*?</E1EDP01>", b"", second_xml(idoc_xml(orders)), flags=re.S)
    yield Case("xml no lines", join_xml(idoc_xml(orders), xml), orders)


def _totals_and_doubles():
    for form, name in (("xml", b"SUMME"), ("json", b"SUMME")):
        for old, new in (
            (b"17.00", b"17.01"),
            (b'"2"' if form == "json" else b">2<", b'"3"' if form == "json" else b">3<"),
        ):
            orders = three()
            content = WRITERS[form](orders)
            start = content.index(orders[1].reference.encode())
            place = content.index(name, start)
            place = content.index(old, place)
            yield Case(
                f"{form} total {new.decode()}", content[:place] + new + content[place + len(old) :], orders
            )
    for form in WRITERS:
        orders = three()
        other = replace(orders[1], lines=orders[1].lines[:1])
        content = WRITERS[form]((orders[0], orders[1], other, orders[2]))
        yield Case(f"{form} the same number with other content", content, orders, None)
    for form in ("xml", "json"):
        orders = three()
        content = WRITERS[form](orders)
        place = content.index(b"000020", content.index(orders[1].reference.encode()))
        yield Case(f"{form} the same line number", content[:place] + b"000010" + content[place + 6 :], orders)


def _cut_files():
    for form in WRITERS:
        for share in (0.5, 0.6, 0.9, 0.97, 0.995):
            orders = three()
            content = WRITERS[form](orders)
            cut = content[: int(len(content) * share)]
            yield Case(f"{form} cut at {share}", cut, orders, None, record=False)


def _wrong_bytes():
    for form in WRITERS:
        orders = three()
        content = WRITERS[form](orders)
        place = content.index(b"Ding", content.index(orders[1].reference.encode()))
        for name, bad in (("latin-1", b"D\xefng"), ("NUL", b"D\x00ng")):
            yield Case(
                f"{form} {name}", content[:place] + bad + content[place + 4 :], orders, None, record=False
            )


def _no_order_files():
    files = {
        "empty": b"",
        "blank": b" \r\n\r\n ",
        "zip": b"PK\x03\x04" + bytes(60),
        "gzip": b"\x1f\x8b\x08" + bytes(60),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(30),
        "html": b"<!DOCTYPE html><html><body>Login</body></html>",
        "edifact": b"UNA:+.? 'UNB+UNOC:3+A+B+261101:1200+1'UNH+1+ORDERS:D:96A:UN'",
        "x12": b"ISA*00*          *00*          *ZZ*A              *ZZ*B~",
        "old idoc": b"EDI_DC    100" + bytes(b" " * 500) + b"\n",
        "other columns": b"FOO;BAR\n1;2\n",
        "words": b"This is a letter.\nIt holds no order.\n",
        "entity": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ORDERS05>&a;</ORDERS05>',
        "laughs": b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><ORDERS05>&b;</ORDERS05>',
        "deep xml": b"<a>" * 5000 + b"</a>" * 5000,
        "deep json": b"[" * 5000 + b"]" * 5000,
        "json NaN": b'{"ORDERS05": {"IDOC": NaN}}',
        "json list": b"[1, 2, 3]",
    }
    for name, content in files.items():
        yield Case(name, content, (), frozenset(), record=False)


def _structures():
    orders = three()
    yield Case(
        "raw ampersand", _second(idoc_xml(orders), orders, b"Ding", b"D & G"), orders, None, record=False
    )
    orders = three()
    yield Case(
        "wrong closing tag",
        _second(idoc_xml(orders), orders, b"</KTEXT>", b"</KTXET>"),
        orders,
        None,
        record=False,
    )
    orders = three()
    wrong = join_xml(
        idoc_xml(orders), second_xml(idoc_xml(orders)).replace(b"<MESTYP>ORDERS<", b"<MESTYP>DESADV<")
    )
    yield Case("another message type", wrong, orders)
    orders = three()
    flat = idoc_flat(orders).split(b"\n")
    place = next(n for n, line in enumerate(flat) if orders[1].reference.encode() in line)
    renumbered = [*flat]
    renumbered[place] = flat[place][:33] + b"0000000000009999" + flat[place][49:]
    yield Case("flat DOCNUM changes inside", b"\n".join(renumbered), orders, record=False)
    orders = three()
    flat = idoc_flat(orders).split(b"\n")
    yield Case("flat data before control", b"\n".join([flat[1], *flat]), orders, None, record=False)
    for name, old, new in (
        ("one column too few", b";PCE;", b";"),
        ("one column too many", b";PCE;", b";PCE;x;"),
    ):
        orders = three()
        yield Case(f"csv {name}", _second(orders_csv(orders), orders, old, new), orders, None, record=False)
    orders = three()
    yield Case(
        "csv open quote",
        _second(orders_csv(orders), orders, b";Ding;", b';"Ding;'),
        orders,
        None,
        record=False,
    )
    orders = three()
    doubled = orders_csv(orders).replace(b"ORDER_DATE", b"ORDER_NO", 1)
    yield Case("csv column twice", doubled, orders, frozenset(), record=False)
    orders = three()
    rows = orders_csv(orders).splitlines(keepends=True)
    back = b"".join([*rows[:4], *rows[5:], rows[4]])
    yield Case("csv key comes back", back, orders, None, record=False)
    orders = three()
    excel = set_field("csv", orders_csv(orders), orders[1], "sku", "1,23457E+12")
    yield Case("csv spoilt by a spreadsheet", excel, orders, field=True)
    orders = three()
    yield Case("json comma", cpi_json(orders).replace(b"}\n", b"},\n", 1), orders, None, record=False)


def _content():
    changes = {
        "missing article": {"lines": (SampleLine(sku="NONE", quantity=Decimal(1), price=Decimal(1)),)},
        "no customer": {"email": "", "person": ""},
        "unknown terms": {"terms": "Z999"},
    }
    for name, change in changes.items():
        for form, writer in WRITERS.items():
            orders = three()
            orders = (orders[0], replace(orders[1], **change), orders[2])
            yield Case(f"{form} {name}", writer(orders), orders, field=True)
    for form, writer in WRITERS.items():
        orders = three()
        content = writer(orders)
        place = content.index(orders[1].reference.encode())
        huge = content[:place] + content[place:].replace(b"Ding", b"D" * 200_000, 1)
        if form != "flat":
            yield Case(f"{form} huge field", huge, orders, None, record=False)


def set_field(form: str, content: bytes, order: SampleOrder, field: str, value: str) -> bytes:
    """Return the file with one field of one order changed, in every place where it stands."""
    name, column = FIELDS[field]
    if form == "csv":
        head, *rows = content.decode().split("\r\n")
        place = head.split(";").index(column)
        changed = []
        for row in rows:
            cells = row.split(";")
            if cells[0] == order.reference:
                cells[place] = value
            changed.append(";".join(cells))
        return "\r\n".join([head, *changed]).encode()
    if form == "json":
        tree = json.loads(content)
        idoc = next(one for one in tree["ORDERS05"]["IDOC"] if one["E1EDK01"]["BELNR"] == order.reference)
        _set_everywhere(idoc, name, value)
        return json.dumps(tree).encode()
    changed = re.sub(
        rf"<{name}>[^<]*</{name}>".encode(), f"<{name}>{value}</{name}>".encode(), second_xml(content)
    )
    return join_xml(content, changed)


def _set_everywhere(tree, name, value):
    for key, inner in tree.items():
        if key == name:
            tree[key] = value
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict):
                _set_everywhere(one, name, value)


def second_xml(content: bytes) -> bytes:
    return re.findall(rb"<IDOC .*?</IDOC>", content, flags=re.S)[1]


def join_xml(content: bytes, second: bytes) -> bytes:
    return content.replace(second_xml(content), second)


def _second(content: bytes, orders, old: bytes, new: bytes) -> bytes:
    place = content.index(old, content.index(orders[1].reference.encode()))
    return content[:place] + new + content[place + len(old) :]
