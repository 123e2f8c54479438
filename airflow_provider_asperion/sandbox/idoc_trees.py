"""Sample orders as the segments of IDocs: ORDERS05 and INVOIC02, before they are written in any form.

A value that does not fit into its field is refused, as SAP would never write it.
"""

from __future__ import annotations

import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records.money import round_cents
from airflow_provider_asperion.sap.layouts import load_layouts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sandbox.samples import SampleAddress, SampleLine, SampleOrder
    from airflow_provider_asperion.sap.dialect import DecimalSign

Tree = dict[str, Any]
# VAT code of Asperion -> tax code of SAP, percentage.
TAX_CODES = {"V21": ("A2", "21.000"), "V9": ("A1", "9.000"), "V0": ("A0", "0.000")}
_NAME_LENGTH = 35  # E1EDKA1-NAME1
_ACTION_LENGTH = 3  # E1EDK01-ACTION
# SAP pads keys of digits only with zeros to this length (ALPHA).
_CUSTOMER_LENGTH, _MATERIAL_LENGTH = 10, 18


def order_tree(order: SampleOrder, number: int = 1) -> Tree:
    """Return an order as the segments of an ORDERS05 IDoc, the control record among them.

    :param number: IDoc number (DOCNUM).
    :raises ValueError: a value does not fit into its field; the text names the field only.
    """
    day = f"{order.date:%Y%m%d}"
    action = order.status if len(order.status) <= _ACTION_LENGTH else ""
    return _checked(
        {
            "EDI_DC40": _control_fields(number, "ORDERS", "ORDERS05"),
            "E1EDK01": [{"ACTION": action, **_head(order), "BSART": "NB", "BELNR": order.reference}],
            "E1EDK03": [{"IDDAT": "012", "DATUM": day}],
            "E1EDKA1": _partners(order),
            "E1EDK02": [{"QUALF": "001", "BELNR": order.reference, "DATUM": day}],
            "E1EDP01": [
                {**_item(line, place), "NETWR": number_text(line.net), **_parts(line)}
                for place, line in enumerate(order.lines, start=1)
            ],
            "E1EDS01": _totals(order, {"002": order.net}),
        }
    )


def invoice_tree(order: SampleOrder, number: int = 1) -> Tree:
    """Return an order as the segments of an INVOIC02 IDoc; its reference is the invoice number.

    :param number: IDoc number (DOCNUM).
    :raises ValueError: a value does not fit into its field; the text names the field only.
    """
    day, tax = f"{order.date:%Y%m%d}", _tax(order)
    return _checked(
        {
            "EDI_DC40": _control_fields(number, "INVOIC", "INVOIC02"),
            "E1EDK01": [{**_head(order), "BSART": "INVO", "BELNR": order.reference}],
            "E1EDKA1": _partners(order),
            "E1EDK02": [{"QUALF": "009", "BELNR": order.reference, "DATUM": day}],
            "E1EDK03": [{"IDDAT": "026", "DATUM": day}, {"IDDAT": "012", "DATUM": day}],
            # SAP leaves E1EDP01-NETWR blank in invoices: the value of an item is E1EDP26/003.
            "E1EDP01": [
                {
                    **_item(line, place),
                    **_parts(line),
                    "E1EDP26": [{"QUALF": "003", "BETRG": number_text(line.net)}],
                }
                for place, line in enumerate(order.lines, start=1)
            ],
            "E1EDS01": _totals(order, {"005": tax, "010": order.net, "011": order.net + tax}),
        }
    )


def number_text(value: Decimal, decimal_sign: DecimalSign = ".") -> str:
    """Return a number as SAP writes it: no thousands, no exponent, the sign behind (``302.35-``)."""
    text = f"{abs(value):f}".replace(".", decimal_sign)
    return f"{text}-" if value < 0 else text


def customer_number(order: SampleOrder) -> str:
    """Return the customer number as SAP stores it: of digits only, with leading zeros (KUNNR)."""
    return _padded(order.number, _CUSTOMER_LENGTH)


def _padded(key: str, length: int) -> str:
    return key.zfill(length) if key.isascii() and key.isdigit() else key


def _control_fields(number: int, message: str, basic: str) -> Tree:
    return {
        "TABNAM": "EDI_DC40",
        "MANDT": "100",
        "DOCNUM": f"{number:016d}",
        "DIRECT": "1",
        "IDOCTYP": basic,
        "MESTYP": message,
        "SNDPRT": "LS",
        "SNDPRN": "SAPCLNT100",
        "CREDAT": "20261102",
        "CRETIM": "081500",
    }


def _head(order: SampleOrder) -> Tree:
    return {"CURCY": order.currency, "ZTERM": order.terms}


def _partners(order: SampleOrder) -> list[Tree]:
    partners = [
        {
            "PARVW": "AG",
            "PARTN": customer_number(order),
            **_names(order.company or order.person),
            **_place(order),
            "TELF1": order.phone,
            "ANRED": "" if order.company else "Dhr.",
            "BNAME": order.person if order.company else "",
            # Where shops put it: SAP's own partner segment has no field for e-mail.
            "E1EDKA3": [{"QUALP": "998", "STDPN": order.email}] if order.email else [],
        }
    ]
    if order.shipping:
        partners.append({"PARVW": "WE", **_names(order.shipping.name), **_place(order.shipping)})
    return partners


def _names(name: str) -> Tree:
    """Spread a name over NAME1 and NAME2, between words."""
    first, *rest = textwrap.wrap(name, _NAME_LENGTH, break_long_words=False, break_on_hyphens=False) or [""]
    return {"NAME1": first, "NAME2": " ".join(rest)}


def _place(at: SampleOrder | SampleAddress) -> Tree:
    return {
        "STRAS": at.street,
        "HAUSN": at.house_number,
        "ORT01": at.city,
        "PSTLZ": at.postcode,
        "LAND1": at.country,
    }


def _item(line: SampleLine, place: int) -> Tree:
    return {
        "POSEX": f"{place * 10:06d}",
        "MENGE": number_text(line.quantity),
        "MENEE": line.unit,
        "PMENE": line.unit,
        "VPREI": number_text(line.price),
        "PEINH": "1",
    }


def _parts(line: SampleLine) -> Tree:
    tax = [{"MWSKZ": code, "MSATZ": rate} for code, rate in tax_of(line)]
    return {
        "E1EDP04": tax,
        "E1EDP19": [
            {"QUALF": "002", "IDTNR": _padded(line.sku, _MATERIAL_LENGTH), "KTEXT": line.description}
        ],
    }


def tax_of(line: SampleLine) -> list[tuple[str, str]]:
    """Return SAP's tax code and percentage of a line, or nothing."""
    return [TAX_CODES[line.vat_code]] if line.vat_code else []


def _tax(order: SampleOrder) -> Decimal:
    """Return the VAT of an order, in cents per percentage."""
    nets: dict[Decimal, Decimal] = {}
    for line in order.lines:
        for _, rate in tax_of(line):
            nets[Decimal(rate)] = nets.get(Decimal(rate), Decimal(0)) + line.net
    return sum((round_cents(net * rate / 100) for rate, net in nets.items()), Decimal(0))


def _totals(order: SampleOrder, amounts: dict[str, Decimal]) -> list[Tree]:
    count = {"SUMID": "001", "SUMME": str(len(order.lines))}
    return [
        count,
        *(
            {"SUMID": kind, "SUMME": number_text(amount), "WAERQ": order.currency}
            for kind, amount in amounts.items()
        ),
    ]


def _checked(tree: Tree) -> Tree:
    for kind, segment, _ in segments_of(tree):
        lengths = {name: end - begin for name, begin, end in load_layouts().fields[f"E2{kind[2:]}"]}
        for name, value in segment.items():
            if isinstance(value, str) and len(value) > lengths[name]:
                raise ValueError(f"{kind}.{name} holds {lengths[name]} characters")
            if isinstance(value, str) and any(sign < " " for sign in value):
                raise ValueError(f"{kind}.{name} holds no control characters")
    return tree


def segments_of(tree: Tree, above: int = 0) -> Iterator[tuple[str, Tree, int]]:
    """Yield type, content and level (from 0) of each segment, parents before their children."""
    for kind, segments in tree.items():
        if isinstance(segments, list):
            for segment in segments:
                yield kind, segment, above
                yield from segments_of(segment, above + 1)
