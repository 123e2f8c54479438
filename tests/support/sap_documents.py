"""Writes IDoc trees as flat files, XML and JSON for tests, with offsets taken from SAP's documentation.

The offsets here are written down a second time on purpose: were they taken from the package's layout files, a
wrong layout would read back what it wrote.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

# Segment -> field -> (begin, end), from published layouts of ORDERS05 and INVOIC02.
OFFSETS = {
    "E1EDK01": {"ACTION": (63, 66), "CURCY": (67, 70), "ZTERM": (85, 102), "BSART": (142, 146),
        "BELNR": (146, 181)},
    "E1EDK14": {"QUALF": (63, 66), "ORGID": (66, 101)},
    "E1EDK03": {"IDDAT": (63, 66), "DATUM": (66, 74)},
    "E1EDKA1": {
        "PARVW": (63, 66), "PARTN": (66, 83), "NAME1": (100, 135), "NAME2": (135, 170), "STRAS": (240, 275),
        "ORT01": (345, 380), "PSTLZ": (389, 398), "LAND1": (407, 410), "TELF1": (505, 530),
        "BNAME": (776, 811),
    },
    "E1EDKA3": {"QUALP": (63, 66), "STDPN": (66, 136)},
    "E1EDK02": {"QUALF": (63, 66), "BELNR": (66, 101), "DATUM": (107, 115)},
    "E1EDK18": {"QUALF": (63, 66), "TAGE": (66, 74), "PRZNT": (74, 82)},
    "E1EDP01": {
        "POSEX": (63, 69), "ACTION": (69, 72), "MENGE": (74, 89), "MENEE": (89, 92), "VPREI": (117, 132),
        "PEINH": (132, 141), "NETWR": (141, 159), "CURCY": (217, 220), "ABGRU": (275, 277),
        "WERKS": (374, 378),
        "MATNR": (457, 492),
    },
    "E1EDP04": {"MWSKZ": (63, 70), "MSATZ": (70, 87), "MWSBT": (87, 105)},
    "E1EDP19": {"QUALF": (63, 66), "IDTNR": (66, 101), "KTEXT": (101, 171)},
    "E1EDP26": {"QUALF": (63, 66), "BETRG": (66, 84)},
    "E1EDS01": {"SUMID": (63, 66), "SUMME": (66, 84), "WAERQ": (87, 90)},
}  # fmt: skip
VERSIONS = {
    "E1EDK01": "E2EDK01005",
    "E1EDKA1": "E2EDKA1003",
    "E1EDP01": "E2EDP01011",
    "E1EDP04": "E2EDP04001",
    "E1EDP19": "E2EDP19003",
}
FULL = 1063


def control(number, *, kind="ORDERS", basic="ORDERS05", table="EDI_DC40"):
    """Return the text of a control record."""
    record = f"{table:<10}100{number:0>16}731 3012  {basic:<30}{'':<30}{kind:<30}"
    return f"{record:<378}20261123101500".ljust(524)


def walk(tree):
    """Yield (type, fields, segment) of the segments of a tree, in the order in which they are sent."""
    for kind in [
        *(kind for kind in OFFSETS if kind in tree),
        *(kind for kind in tree if kind not in OFFSETS),
    ]:
        if isinstance(tree[kind], list):
            for segment in tree[kind]:
                yield (
                    kind,
                    {name: value for name, value in segment.items() if isinstance(value, str)},
                    segment,
                )
                yield from walk(segment)


def record(kind, fields, number, *, document="1", versioned=False, width="full"):
    """Return one data record."""
    name = (
        VERSIONS.get(kind, "E2" + kind[2:]) if versioned else ("E2" + kind[2:] if kind[:2] == "E1" else kind)
    )
    text = list(f"{name:<30}100{document:0>16}{number:06d}00000000".ljust(FULL))
    for field, value in fields.items():
        begin, end = OFFSETS[kind][field]
        assert len(value) <= end - begin
        text[begin : begin + len(value)] = value
    line = "".join(text)
    return line if width == "full" else line.rstrip()


def flat(trees, *, end="\n", width="full", versioned=False, table="EDI_DC40", **options):
    """Return a flat file of several documents."""
    lines = []
    for position, tree in enumerate(trees, start=1):
        lines.append(control(str(position), table=table, **options))
        lines += [
            record(kind, fields, number, document=str(position), versioned=versioned, width=width)
            for number, (kind, fields, _) in enumerate(walk(tree), start=1)
        ]
    return "".join(line + end for line in lines)


def _xml_of(tree):
    parts = []
    for name, value in tree.items():
        if isinstance(value, str):
            parts.append(f"<{name}>{escape(value)}</{name}>")
    for name, value in tree.items():
        if isinstance(value, list):
            parts += [f'<{name} SEGMENT="1">{_xml_of(one)}</{name}>' for one in value]
    return "".join(parts)


def control_fields(number, kind="ORDERS", basic="ORDERS05"):
    """Return the fields of a control record."""
    return {"TABNAM": "EDI_DC40", "DOCNUM": f"{number:0>16}", "IDOCTYP": basic, "MESTYP": kind}


def xml(
    trees, *, root="ORDERS05", declaration='<?xml version="1.0" encoding="UTF-8"?>', between="\n", **options
):
    """Return an XML file of several documents."""
    idocs = "".join(
        f'<IDOC BEGIN="1">{_xml_of({"EDI_DC40": [control_fields(str(position), **options)]})}{_xml_of(tree)}'
        f"</IDOC>{between}"
        for position, tree in enumerate(trees, start=1)
    )
    return f"{declaration}\n<{root}>{idocs}</{root}>\n"


def _json_of(tree):
    found = {"@SEGMENT": "1"}
    for name, value in tree.items():
        if isinstance(value, list):
            children = [_json_of(one) for one in value]
            found[name] = children[0] if len(children) == 1 else children
        else:
            found[name] = value
    return found


def cpi_json(trees, *, root="ORDERS05", **options):
    """Return a JSON file as SAP Integration Suite converts IDoc XML."""
    idocs = [
        {
            "@BEGIN": "1",
            "EDI_DC40": {"@SEGMENT": "1", **control_fields(str(position), **options)},
            **_json_of(tree),
        }
        for position, tree in enumerate(trees, start=1)
    ]
    return json.dumps({root: {"IDOC": idocs[0] if len(idocs) == 1 else idocs}})
