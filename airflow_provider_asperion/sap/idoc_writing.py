"""Writes IDocs as a flat file (control record, then data records) and as XML, several documents per file."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.idoc_content import Arranger, unencodable
from airflow_provider_asperion.sap.layouts import DATA_BEGINS, load_layouts

if TYPE_CHECKING:
    from airflow_provider_asperion.sap.idoc_content import Part
    from airflow_provider_asperion.sap.write_profile import WriteProfile
    from airflow_provider_asperion.sap.writing import TargetDocument

CONTROL_LENGTH = 524
MOST_SEGMENTS = 999_999  # SEGNUM has six digits
# Head of orders and invoices: the only segment at level 01, what stands beside it is at 02.
_HEAD = "E1EDK01"


class FlatWriter:
    """Writes records that end where their segment ends, with a line feed.

    :raises ProblemError: a layout file of the profile cannot be read.
    """

    suffix = ".txt"

    def __init__(self, profile: WriteProfile) -> None:
        self.cut: list[Problem] = []
        self._encoding = profile.flat_encoding
        self._encode = codecs.getincrementalencoder(profile.flat_encoding)().encode
        self._client = f"{profile.control.client:<3}"
        self._arranger = Arranger(
            load_layouts(profile.layouts), profile.control, cut=profile.overlong == "cut"
        )

    def begin(self) -> bytes:
        """Return the byte order mark of encodings that have one."""
        return self._encode("")

    def add(self, document: TargetDocument) -> bytes:
        """Return the records of a document.

        :raises ProblemError: see :meth:`Arranger.arrange`; or a sign is not in the encoding.
        """
        arranged = self._arranger.arrange(document)
        if len(arranged.parts) > MOST_SEGMENTS:
            raise ProblemError(_too_many(document.key, len(arranged.parts)))
        lines = [_record("", 0, arranged.control).ljust(CONTROL_LENGTH)]
        middle = f"{self._client}{document.number.zfill(16)}"
        parents = [0]
        for number, part in enumerate(arranged.parts, start=1):
            del parents[part.level :]
            shown = 1 if part.form.kind == _HEAD else part.level + 1
            head = f"{part.form.definition:<30}{middle}{number:06d}{parents[-1]:06d}{shown:02d}"
            lines.append(_record(head, DATA_BEGINS, part))
            parents.append(number)
        lines.append("")
        try:
            content = self._encode("\n".join(lines))
        except UnicodeEncodeError:
            problems = unencodable([arranged.control, *arranged.parts], self._encoding)
            raise ProblemError(*(problem.at(record=document.key) for problem in problems)) from None
        self.cut += arranged.cut
        return content

    def end(self) -> bytes:
        """Return nothing: the last record is the end."""
        return b""


def _record(head: str, position: int, part: Part) -> str:
    """Return a record: its head, then each value at the place of its field, up to the end of the segment."""
    form = part.form
    pieces = [head]
    for name, text in part.values:
        _, begin, _ = form.places[name]
        pieces.append(" " * (begin - position))
        pieces.append(text)
        position = begin + len(text)
    return "".join(pieces).ljust(form.end)


class XmlWriter:
    """Writes the XML of SAP's XML port, in UTF-8, an IDoc per line. Empty fields are left out.

    The root element is the basic type, or the extension where the control record names one.

    :raises ProblemError: a layout file of the profile cannot be read.
    """

    suffix = ".xml"

    def __init__(self, profile: WriteProfile) -> None:
        self.cut: list[Problem] = []
        self._arranger = Arranger(
            load_layouts(profile.layouts), profile.control, cut=profile.overlong == "cut"
        )
        self._extension = profile.control.extension
        self._root = ""
        self._tags: dict[str, tuple[str, str]] = {}

    def begin(self) -> bytes:
        """Return the declaration; the root element opens with the first document, which names it."""
        return b'<?xml version="1.0" encoding="UTF-8"?>\n'

    def add(self, document: TargetDocument) -> bytes:
        """Return the IDOC element of a document.

        :raises ProblemError: see :meth:`Arranger.arrange`; or its basic type is not that of the file.
        """
        root = self._extension or document.basic_type
        if self._root and root != self._root:
            raise ProblemError(mixed_types(document.key, root, self._root))
        arranged = self._arranger.arrange(document)
        pieces = [] if self._root else [f"<{xml_name(root)}>\n"]
        pieces += ['<IDOC BEGIN="1">', *self._element(arranged.control), "</EDI_DC40>"]
        open_kinds: list[str] = []
        for part in arranged.parts:
            while len(open_kinds) >= part.level:
                pieces.append(self._tag(open_kinds.pop())[1])
            pieces += self._element(part)
            open_kinds.append(part.form.kind)
        pieces += (self._tag(kind)[1] for kind in reversed(open_kinds))
        pieces.append("</IDOC>\n")
        self._root = root
        self.cut += arranged.cut
        return "".join(pieces).encode()

    def end(self) -> bytes:
        """Return the end of the root element."""
        return f"</{xml_name(self._root)}>\n".encode() if self._root else b""

    def _element(self, part: Part) -> list[str]:
        """Return a segment without its end tag."""
        pieces = [f'{self._tag(part.form.kind)[0][:-1]} SEGMENT="1">']
        for name, text in part.values:
            begin, end = self._tag(name)
            pieces += (begin, escape(text), end)
        return pieces

    def _tag(self, name: str) -> tuple[str, str]:
        tag = self._tags.get(name)
        if tag is None:
            plain = xml_name(name)
            tag = self._tags[name] = (f"<{plain}>", f"</{plain}>")
        return tag


def xml_name(name: str) -> str:
    """Return a name as XML allows it: SAP writes the slashes of its namespaces as ``_-``."""
    return name.replace("/", "_-")


def mixed_types(key: str, root: str, others: str) -> Problem:
    """Return why a document has no place in a file of another basic type."""
    return Problem(
        rule="file.mixed_types",
        message=f"a document of {root} does not fit into a file of {others}",
        remedy="write one file per basic type",
        record=key,
        field="EDI_DC40.IDOCTYP",
    )


def _too_many(key: str, number: int) -> Problem:
    return Problem(
        rule="document.too_large",
        message=f"the document has {number} segments, an IDoc holds {MOST_SEGMENTS}",
        remedy="split the document in the source",
        record=key,
    )
