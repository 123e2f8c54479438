"""Reads IDoc flat files: a control record (EDI_DC40), then data records of up to 1063 characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem, shape_of
from airflow_provider_asperion.sap.drafts import CONTROL, Draft, broken, business_key
from airflow_provider_asperion.sap.idoc_tree import MisplacedError, Tree
from airflow_provider_asperion.sap.layouts import load_layouts
from airflow_provider_asperion.sap.records_of_text import FULL_WIDTH, Line, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sap.layouts import Fields, Layouts
    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.sap.source import Source

CONTROL_FIELDS: Fields = (
    ("TABNAM", 0, 10), ("MANDT", 10, 13), ("DOCNUM", 13, 29), ("DOCREL", 29, 33), ("STATUS", 33, 35),
    ("DIRECT", 35, 36), ("OUTMOD", 36, 37), ("EXPRSS", 37, 38), ("TEST", 38, 39), ("IDOCTYP", 39, 69),
    ("CIMTYP", 69, 99), ("MESTYP", 99, 129), ("MESCOD", 129, 132), ("MESFCT", 132, 135), ("STD", 135, 136),
    ("STDVRS", 136, 142), ("STDMES", 142, 148), ("SNDPOR", 148, 158), ("SNDPRT", 158, 160),
    ("SNDPFC", 160, 162), ("SNDPRN", 162, 172), ("SNDSAD", 172, 193), ("SNDLAD", 193, 263),
    ("RCVPOR", 263, 273), ("RCVPRT", 273, 275), ("RCVPFC", 275, 277), ("RCVPRN", 277, 287),
    ("RCVSAD", 287, 308), ("RCVLAD", 308, 378), ("CREDAT", 378, 386), ("CRETIM", 386, 392),
    ("REFINT", 392, 406), ("REFGRP", 406, 420), ("REFMES", 420, 434), ("ARCKEY", 434, 504),
    ("SERIAL", 504, 524),
)  # fmt: skip
# The last segment of an order or invoice: what it adds up to.
SUMMARY = "E1EDS01"
_SEGMENT = re.compile(r"(?:E[12]|[ZYX]|/[A-Z0-9_]+/)[A-Z0-9_/]+")


def read_flat(source: Source, profile: ReadProfile) -> Iterator[Draft]:
    """Yield the documents of a flat file.

    :raises BrokenFileError: nothing more can be read; all documents before were yielded.
    """
    layouts = load_layouts(profile.layouts)
    reader: _Document | None = None
    position = 0
    summed = False
    last: Line | None = None
    for line in records(source.texts(profile.flat_encoding)):
        last = line
        if line.text.startswith(CONTROL):
            if reader is not None:
                summed = summed or SUMMARY in reader.draft.data
                yield reader.draft
            position += 1
            reader = _Document(line, position, layouts, profile)
        elif reader is not None:
            reader.add(line)
        elif line.text.strip():
            raise broken(
                "idoc.no_control_record",
                "the file does not begin with a control record (EDI_DC40)",
                "have the sender send whole IDocs, with the control record first",
                line=line.number,
            )
    if reader is None or last is None:
        return
    if not last.ended and not profile.accept_open_end and not reader.is_whole(last):
        raise broken(
            "file.cut_off",
            f"the last record has no end: document {position} may be incomplete, and is not read",
            "have the file sent again; or have each record end with a line end, or set accept_open_end",
            line=last.number,
            record=reader.key,
        )
    if summed and reader.draft.fault is None and SUMMARY not in reader.draft.data:
        raise broken(
            "file.cut_off",
            f"document {position} ends without the summary ({SUMMARY}) that others have, and is not read",
            "have the file sent again, whole",
            line=last.number,
            record=reader.key,
        )
    yield reader.draft


class _Document:
    """One IDoc while its records come."""

    def __init__(self, control: Line, position: int, layouts: Layouts, profile: ReadProfile) -> None:
        self._layouts = layouts
        self._limits = profile.limits
        self._tree = Tree(layouts.parents)
        self._segments = 0
        self._characters = 0
        self.draft = Draft(position, control.number, "idoc_flat", data=self._tree.root)
        fields = _fields(control.text, CONTROL_FIELDS)
        self._tree.root[CONTROL] = fields
        self._number = fields.get("DOCNUM", "")
        if len(control.text.rstrip()) < 99 or not fields.get("MESTYP"):
            self._refuse("idoc.control_record", "the control record is cut off before MESTYP", control.number)

    def add(self, line: Line) -> None:
        """Take a data record in."""
        text = line.text
        if self.draft.fault is not None or not text.strip():
            return
        self._segments += 1
        self._characters += len(text)
        if self._segments > self._limits.segments or self._characters > self._limits.document_bytes:
            self._refuse(
                "idoc.too_large", "the document has more segments than the limits allow", line.number
            )
            self._tree.root.pop("E1EDP01", None)
            return
        definition = text[:30].rstrip()
        if not _SEGMENT.fullmatch(definition):
            self._refuse(
                "idoc.segment_name",
                "a record begins with no name of a segment",
                line.number,
                shape=definition,
            )
            return
        number = text[33:49].strip()
        if number and self._number and number.lstrip("0") != self._number.lstrip("0"):
            self._refuse(
                "idoc.mixed",
                f"the record of {definition} belongs to another IDoc (DOCNUM): a control record is missing",
                line.number,
                field="EDI_DD40.DOCNUM",
            )
            return
        self._add(definition, line)

    def _add(self, definition: str, line: Line) -> None:
        kind, layout = self._layouts.look_up(definition)
        if layout is None:
            self.draft.skipped[definition] = self.draft.skipped.get(definition, 0) + 1
            return
        if kind == "E1EDK01" and kind in self._tree.root:
            self._refuse(
                "idoc.mixed", "there are two heads (E1EDK01): a control record is missing", line.number
            )
            return
        fields = _fields(line.text, layout)
        try:
            self._tree.add(kind, fields, line.text[49:55].strip(), line.text[55:61].strip())
        except MisplacedError as error:
            self._refuse("idoc.hierarchy", str(error), line.number, field=kind)

    @property
    def key(self) -> str | None:
        """Key of the document, where it came already."""
        data = self._tree.root
        return business_key(data[CONTROL].get("MESTYP", ""), data) or self._number or None

    def is_whole(self, line: Line) -> bool:
        """Tell whether a record without line end is not cut off: it is as wide as it can be."""
        layout = self._layouts.of(line.text[:30].rstrip())
        return len(line.text) >= FULL_WIDTH or bool(layout and len(line.text) == layout[-1][2])

    def _refuse(
        self, rule: str, message: str, line: int, *, field: str | None = None, shape: str | None = None
    ) -> None:
        self.draft.refuse(
            Problem(
                rule=rule,
                message=message,
                remedy="have the sender send this IDoc again, whole",
                line=line,
                field=field,
                shape=None if shape is None else shape_of(shape),
            )
        )


def _fields(text: str, layout: Fields) -> dict[str, str]:
    """Return the fields of a record that have a value. A record may be cut at its last value."""
    length = len(text)
    found = {}
    for name, begin, end in layout:
        if begin >= length:
            break
        value = text[begin:end].strip()
        if value:
            found[name] = value
    return found
