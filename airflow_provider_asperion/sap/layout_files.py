"""Segment layouts that a customer exports from SAP: the parser file of transaction WE63, or an XML schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import yaml

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 32 * 1024**2


class UnreadableLayoutError(Exception):
    """A file holds no segment layout that we know how to read."""


def read_layout_file(file: Path) -> dict[str, Any]:
    """Return what a layout file states: ``segments`` (definition -> ``NAME=length NAME=length``), ``parents``
    (type -> types inside it) and ``types`` (definition -> type).

    :raises UnreadableLayoutError: it cannot be opened, or holds no segments.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableLayoutError(f"the layout file cannot be opened: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise UnreadableLayoutError("the layout file is too large")
    text = _decoded(content)
    if text.lstrip().startswith("<"):
        found = _SchemaReader().read(content)
    elif "BEGIN_SEGMENT_SECTION" in text:
        found = _ParserFile().read(text)
    else:
        found = _yaml(text)
    if not found.get("segments"):
        raise UnreadableLayoutError("no segment was found in the layout file")
    return found


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("iso-8859-1")


def _yaml(text: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
        for fields in found["segments"].values():
            for part in fields.split():
                int(part.split("=")[1])
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise UnreadableLayoutError("this is no WE63 parser file, no schema and no YAML layout") from error
    return dict(found)


class _ParserFile:
    """Reads the segment section of a WE63 file, one word and its value a line.

    The words that matter: ``BEGIN_GROUP``; ``BEGIN_SEGMENT`` (definition), ``SEGMENTTYPE``; between
    ``BEGIN_FIELDS`` and ``END_FIELDS`` for each field ``NAME`` and ``LENGTH``, or ``CHARACTER_FIRST`` (older
    releases: ``BYTE_FIRST``) and ``..._LAST``. The first segment of a group is the parent of all else in it.
    """

    def __init__(self) -> None:
        self._segments: dict[str, list[tuple[str, int]]] = {}
        self._parents: dict[str, list[str]] = {}
        self._types: dict[str, str] = {}
        self._heads: list[str] = []
        self._definition = ""
        self._in_fields = False
        self._first = 0

    def read(self, text: str) -> dict[str, Any]:
        section = text.split("BEGIN_SEGMENT_SECTION", 1)[1].split("END_SEGMENT_SECTION", 1)[0]
        for line in section.splitlines():
            word, value = [*line.split(), "", ""][:2]
            if self._in_fields and word != "END_FIELDS":
                self._field_word(word, value)
            else:
                self._word(word, value)
        return {"segments": _as_text(self._segments), "parents": self._parents, "types": self._types}

    def _word(self, word: str, value: str) -> None:
        match word:
            case "BEGIN_GROUP":
                self._heads.append("")
            case "END_GROUP":
                if self._heads:
                    self._heads.pop()
            case "BEGIN_SEGMENT":
                self._definition = value
                self._segments[value] = []
            case "SEGMENTTYPE":
                self._types[self._definition] = value
                self._place(value)
            case "BEGIN_FIELDS" | "END_FIELDS":
                self._in_fields = word == "BEGIN_FIELDS"

    def _place(self, kind: str) -> None:
        heads = [head for head in self._heads if head]
        if heads:
            self._parents.setdefault(heads[-1], []).append(kind)
        if self._heads and not self._heads[-1]:
            self._heads[-1] = kind

    def _field_word(self, word: str, value: str) -> None:
        fields = self._segments.get(self._definition)
        if fields is None:
            raise UnreadableLayoutError("fields stand outside of a segment in the parser file")
        if word == "NAME":
            fields.append((value, 0))
        elif fields and value.isdigit() and value.isascii():
            if word == "LENGTH":
                fields[-1] = (fields[-1][0], int(value))
            elif word in ("CHARACTER_FIRST", "BYTE_FIRST"):
                self._first = int(value)
            elif word in ("CHARACTER_LAST", "BYTE_LAST"):
                fields[-1] = (fields[-1][0], int(value) - self._first + 1)


def _as_text(segments: dict[str, list[tuple[str, int]]]) -> dict[str, str]:
    return {
        definition: " ".join(f"{name}={length}" for name, length in fields)
        for definition, fields in segments.items()
        if fields and all(length for _, length in fields)
    }


class _SchemaReader:
    """Reads an IDoc XML schema: elements inside elements, fields with a ``maxLength``."""

    def __init__(self) -> None:
        self._segments: dict[str, list[tuple[str, int]]] = {}
        self._parents: dict[str, list[str]] = {}
        self._open: list[str] = []

    def read(self, content: bytes) -> dict[str, Any]:
        parser = expat.ParserCreate(namespace_separator="}")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = _no_doctype
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise UnreadableLayoutError(f"the schema is no XML: line {error.lineno}") from error
        return {"segments": _as_text(self._segments), "parents": self._parents}

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition("}")[2]
        if kind == "element":
            self._open.append(attributes.get("name", ""))
        elif kind == "maxLength" and len(self._open) > 1:
            field, segment = self._open[-1], self._open[-2]
            self._segments.setdefault(_definition(segment), []).append((field, int(attributes["value"])))
            if len(self._open) > 2 and _is_segment(self._open[-3]):
                children = self._parents.setdefault(self._open[-3], [])
                if segment not in children:
                    children.append(segment)

    def _end(self, tag: str) -> None:
        if tag.endswith("}element") or tag == "element":
            self._open.pop()


def _definition(segment: str) -> str:
    """Return the name in a flat file of a segment type; a schema does not state the version."""
    return "E2" + segment[2:] if segment.startswith("E1") else segment


def _is_segment(name: str) -> bool:
    return name not in ("", "IDOC") and not name.startswith("EDI_DC")


def _no_doctype(*_: object) -> None:
    raise UnreadableLayoutError("the schema has a document type declaration, which is not read")
