"""Writes order files as SAP systems do: IDoc XML, IDoc flat, CSV and JSON, all of the same orders.

For the demo and for tests. Names, streets and addresses are invented; e-mail is at example domains only.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from airflow_provider_asperion.sap.layouts import DATA_BEGINS, load_layouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Tree = dict[str, Any]
Width = Literal["cut", "full", "trimmed"]
FULL_WIDTH = 1063
# Versions of segments as SAP releases of today write them; the others have none.
VERSIONED = {"E1EDK01": "005", "E1EDKA1": "003", "E1EDP01": "011", "E1EDP19": "003"}
TAX_CODES = {"V21": ("A2", "21.000"), "V9": ("A1", "9.000"), "V0": ("A0", "0.000")}


@dataclass(frozen=True)
class SampleLine:
    """One item. ``vat_code`` is Asperion's; IDocs carry SAP's tax code for it."""

    sku: str
    quantity: Decimal
    price: Decimal
    description: str = ""
    unit: str = "PCE"
    vat_code: str = "V21"

    @property
    def net(self) -> Decimal:
        """Quantity times price, in cents."""
        return (self.quantity * self.price).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class SampleOrder:
    """One order as its sender knows it."""

    reference: str
    lines: tuple[SampleLine, ...]
    date: dt.date = dt.date(2026, 11, 2)
    status: str = "paid"
    number: str = ""
    company: str = ""
    person: str = ""
    email: str = ""
    phone: str = ""
    street: str = "Kerkstraat"
    house_number: str = "1"
    postcode: str = "3511 AB"
    city: str = "Utrecht"
    country: str = "NL"
    currency: str = "EUR"
    terms: str = "Z030"
    shipping: dict[str, str] = field(default_factory=dict)

    @property
    def net(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.net for line in self.lines), Decimal(0))


_FIRST = ("Anna", "Bram", "Carla", "Daan", "Eva", "Femke", "Gijs", "Hanna", "Ids", "Jelle", "Katja", "Loes")
_LAST = ("Akkerman", "Bakhuis", "Coster", "Dijkema", "Elzinga", "Fopma", "Goudriaan", "Hoekstra", "Imhof")
_FIRMS = ("Bouwmaterialen", "Techniek", "Groothandel", "Installaties", "Interieurs", "Tuincentrum")
_STREETS = ("Molenweg", "Havenkade", "Lindelaan", "Stationsplein", "Oude Gracht", "Nieuwstraat")
_CITIES = (("Utrecht", "35"), ("Zwolle", "80"), ("Breda", "48"), ("Groningen", "97"), ("Arnhem", "68"))


def sample_orders(
    count: int,
    *,
    seed: int = 1,
    articles: Sequence[str] = ("SKU-00001",),
    customers: int = 50,
    first: int = 1,
    prefix: str = "SO",
) -> list[SampleOrder]:
    """Return invented orders; the same seed gives the same ones.

    :param articles: codes to order.
    :param customers: how many different customers order.
    :param first: number of the first order.
    """
    chance = random.Random(seed)  # noqa: S311 - invented data
    people = [_customer(number, chance) for number in range(customers)]
    return [
        SampleOrder(
            reference=f"{prefix}{first + number:06d}",
            date=dt.date(2026, 11, 1) + dt.timedelta(days=chance.randrange(20)),
            lines=tuple(_line(articles, chance) for _ in range(chance.randint(1, 4))),
            **chance.choice(people),
        )
        for number in range(count)
    ]


def _customer(number: int, chance: random.Random) -> dict[str, Any]:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    city, area = chance.choice(_CITIES)
    customer = {
        "number": str(50_000 + number),
        "email": f"{first}.{last}.{number}@example.{chance.choice(('com', 'nl', 'org'))}".lower(),
        "phone": f"+31 6 {chance.randrange(10**8):08d}",
        "street": chance.choice(_STREETS),
        "house_number": str(chance.randint(1, 199)),
        "postcode": f"{area}{chance.randint(10, 99)} {chance.choice('ABCDEFGH')}{chance.choice('KLMNPRST')}",
        "city": city,
    }
    if number % 3:
        return {**customer, "person": f"{first} {last}"}
    return {**customer, "company": f"{last} {chance.choice(_FIRMS)} B.V.", "person": f"{first} {last}"}


def _line(articles: Sequence[str], chance: random.Random) -> SampleLine:
    return SampleLine(
        sku=chance.choice(articles),
        quantity=Decimal(chance.randint(1, 24)),
        price=Decimal(chance.randint(95, 25_000)) / 100,
        description="Artikel",
        vat_code=chance.choice(("V21", "V21", "V9")),
    )


def order_tree(order: SampleOrder, number: int = 1) -> Tree:
    """Return an order as the segments of an ORDERS05 IDoc, the control record among them.

    :param number: IDoc number (DOCNUM).
    """
    partner = {
        "PARVW": "AG",
        "PARTN": order.number.zfill(10) if order.number else "",
        "NAME1": order.company or order.person,
        "STRAS": order.street,
        "HAUSN": order.house_number,
        "ORT01": order.city,
        "PSTLZ": order.postcode,
        "LAND1": order.country,
        "TELF1": order.phone,
        "ANRED": "" if order.company else "Dhr.",
        "BNAME": order.person if order.company else "",
        "E1EDKA3": [{"QUALP": "998", "STDPN": order.email}] if order.email else [],
    }
    partners = [partner]
    if order.shipping:
        partners.append({"PARVW": "WE", **order.shipping})
    return {
        "EDI_DC40": {
            "TABNAM": "EDI_DC40",
            "MANDT": "100",
            "DOCNUM": f"{number:016d}",
            "DIRECT": "1",
            "IDOCTYP": "ORDERS05",
            "MESTYP": "ORDERS",
            "SNDPRT": "LS",
            "SNDPRN": "SAPCLNT100",
            "CREDAT": "20261102",
            "CRETIM": "081500",
        },
        "E1EDK01": [{"CURCY": order.currency, "ZTERM": order.terms, "BSART": "NB", "BELNR": order.reference}],
        "E1EDK03": [{"IDDAT": "012", "DATUM": f"{order.date:%Y%m%d}"}],
        "E1EDKA1": partners,
        "E1EDK02": [{"QUALF": "001", "BELNR": order.reference, "DATUM": f"{order.date:%Y%m%d}"}],
        "E1EDP01": [_item(line, place) for place, line in enumerate(order.lines, start=1)],
        "E1EDS01": [
            {"SUMID": "001", "SUMME": str(len(order.lines))},
            {"SUMID": "002", "SUMME": str(order.net), "WAERQ": order.currency},
        ],
    }


def _item(line: SampleLine, place: int) -> Tree:
    code, rate = TAX_CODES[line.vat_code]
    return {
        "POSEX": f"{place * 10:06d}",
        "MENGE": f"{line.quantity:.3f}",
        "MENEE": line.unit,
        "PMENE": line.unit,
        "VPREI": str(line.price),
        "PEINH": "1",
        "NETWR": str(line.net),
        "E1EDP04": [{"MWSKZ": code, "MSATZ": rate}],
        "E1EDP19": [{"QUALF": "002", "IDTNR": line.sku, "KTEXT": line.description}],
    }


def idoc_xml(orders: Iterable[SampleOrder], *, first_number: int = 1) -> bytes:
    """Write orders as one XML file with an IDOC each; empty fields are left out, as SAP does."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<ORDERS05>']
    for number, order in enumerate(orders, start=first_number):
        parts.append('<IDOC BEGIN="1">' + "".join(_xml(order_tree(order, number))) + "</IDOC>")
    return "\n".join([*parts, "</ORDERS05>\n"]).encode()


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
    first_number: int = 1,
) -> bytes:
    """Write orders as a flat file: a control record and data records per IDoc.

    :param width: records of 1,063 characters (``full``), as long as their segment (``cut``), or without
        blanks at their end (``trimmed``).
    :param versioned: segment definitions with the version of their release (``E2EDKA1003``).
    """
    records: list[str] = []
    for number, order in enumerate(orders, start=first_number):
        tree = order_tree(order, number)
        records.append(_control(tree["EDI_DC40"], table))
        for place, (kind, segment) in enumerate(_segments(tree), start=1):
            records.append(_record(kind, segment, number, place, versioned=versioned, width=width))
    if width == "trimmed":
        records = [record.rstrip() for record in records]
    return (line_end.join(records) + line_end).encode()


def _segments(tree: Tree) -> Iterator[tuple[str, Tree]]:
    for kind, segments in tree.items():
        if isinstance(segments, list):
            for segment in segments:
                yield kind, segment
                yield from _segments(segment)


def _control(control: dict[str, str], table: str) -> str:
    """Write EDI_DC40: 524 characters, offsets as in SAP's parser file (WE63)."""
    places = {
        "MANDT": (10, 13), "DOCNUM": (13, 29), "DIRECT": (35, 36), "IDOCTYP": (39, 69), "MESTYP": (99, 129),
        "SNDPRT": (158, 160), "SNDPRN": (162, 172), "CREDAT": (378, 386), "CRETIM": (386, 392),
    }  # fmt: skip
    record = list(f"{table:<524}")
    for name, (begin, end) in places.items():
        record[begin:end] = f"{control.get(name, ''):<{end - begin}}"[: end - begin]
    return "".join(record)


def _record(kind: str, segment: Tree, document: int, place: int, *, versioned: bool, width: Width) -> str:
    definition = f"E2{kind[2:]}{VERSIONED.get(kind, '') if versioned else ''}"
    fields = load_layouts().of(definition) or load_layouts().of(f"E2{kind[2:]}")
    if fields is None:
        raise ValueError(f"no layout of segment {kind}")
    end = FULL_WIDTH if width == "full" else fields[-1][2]
    record = list(f"{definition:<30}100{document:016d}{place:06d}00000001".ljust(end))
    for name, begin, stop in fields:
        value = segment.get(name, "")
        if isinstance(value, str) and value:
            if len(value) > stop - begin:
                raise ValueError(f"{kind}.{name} holds {stop - begin} characters")
            record[begin : begin + len(value)] = value
    assert len(record) >= DATA_BEGINS
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
    "BILL_HOUSE_NO", "BILL_POSTCODE", "BILL_CITY", "BILL_COUNTRY", "CURRENCY", "PAYMENT_TERMS", "LINE_NO",
    "SKU", "DESCRIPTION", "QUANTITY", "UNIT", "PRICE", "VAT_CODE",
)  # fmt: skip


def orders_csv(
    orders: Iterable[SampleOrder],
    *,
    delimiter: str = ";",
    encoding: str = "utf-8",
    decimal_sign: Literal[".", ","] = ".",
) -> bytes:
    """Write orders as rows, one per line of an order."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for order in orders:
        head = (
            order.reference, f"{order.date:%Y%m%d}", order.status, order.number, order.company, order.person,
            order.email, order.phone, order.street, order.house_number, order.postcode, order.city,
            order.country, order.currency, order.terms,
        )  # fmt: skip
        for place, line in enumerate(order.lines, start=1):
            price = str(line.price).replace(".", decimal_sign)
            rest = (place * 10, line.sku, line.description, line.quantity, line.unit, price)
            writer.writerow((*head, *rest, TAX_CODES[line.vat_code][0]))
    return text.getvalue().encode(encoding)
