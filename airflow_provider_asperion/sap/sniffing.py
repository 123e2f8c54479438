"""Tells from the first characters of a file how it is written; the name of the file is never asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.sap.drafts import broken

if TYPE_CHECKING:
    from airflow_provider_asperion.records import FileFormat
    from airflow_provider_asperion.sap.source import Source

_LOOK = 4096
_IDOC_REMEDY = "have the sender use a port of type file (WE21) with record version 3: EDI_DC40"
# First bytes of files that are none of ours -> what they are.
_OTHERS = (
    (b"PK\x03\x04", "an Excel workbook or a zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"UNA", "EDIFACT"),
    (b"UNB", "EDIFACT"),
    (b"ISA*", "ANSI X12"),
)


def sniff(source: Source) -> FileFormat:
    """Return the format of a file.

    :raises BrokenFileError: it is empty, or something that is refused by name.
    """
    head = source.head
    if not head:
        raise broken("file.empty", "the file is empty", "nothing to do, unless an order was expected in it")
    for mark, what in _OTHERS:
        if head.startswith(mark):
            raise _refused(f"the file is {what}", "have the sender write IDoc, CSV or JSON")
    text = _text(source)
    if not text.strip():
        raise broken(
            "file.empty", "the file holds only blanks", "nothing to do, unless an order was expected in it"
        )
    return _format(text)


def _format(text: str) -> FileFormat:
    begin = text.lstrip()
    if begin.startswith("<"):
        return "idoc_xml"
    if begin.startswith("EDI_DC40"):
        return "idoc_flat"
    if begin.startswith(("{", "[")):
        return "json"
    if begin.startswith("EDI_DC"):
        raise _refused("this is the IDoc layout of SAP R/3 3.x (EDI_DC), which is not read", _IDOC_REMEDY)
    if begin.startswith(("E2EDK", "E2EDP", "E2EDS")) and len(begin.split("\n", 1)[0]) > 60:
        raise _refused(
            "the file begins with a data record: its control record (EDI_DC40) is missing", _IDOC_REMEDY
        )
    _refuse_lists(text, begin)
    return "csv"


def _refuse_lists(text: str, begin: str) -> None:
    lines = [line.rstrip() for line in text.splitlines()[:20] if line.strip()]
    ruled = any(len(line) > 5 and not line.strip("-|") for line in lines)
    framed = sum(line.startswith("|") and line.endswith("|") for line in lines)
    if ruled and framed:
        raise _refused(
            "this is an unconverted SAP list (ALV) for people to read",
            "have the sender export it as CSV, or send IDocs",
        )
    if begin.lower().startswith(("idoc display", "display idoc", "idoc-anzeige", "idoc number")):
        raise _refused("this is a listing of transaction WE02, not an IDoc", _IDOC_REMEDY)
    if "\0" in text:
        raise _refused("this is a binary file", "have the sender write IDoc, CSV or JSON")


def _text(source: Source) -> str:
    """Return the beginning as text good enough to look at; reading itself decodes strictly."""
    return source.head[:_LOOK].decode(source.marked_encoding or "latin-1", "ignore")


def _refused(message: str, remedy: str) -> Exception:
    return broken("file.format", message, remedy)
