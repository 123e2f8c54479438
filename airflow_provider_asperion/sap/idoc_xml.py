"""Reads IDoc XML as it streams by: each IDOC element becomes a document, and is forgotten.

libxml2 builds the elements of one IDOC at a time, and each is walked once: half the cost of a callback per
element. Entities are never resolved, nothing is fetched, and a document type declaration ends the reading.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxml import etree

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.drafts import CONTROL, BrokenFileError, Draft, broken
from airflow_provider_asperion.sap.layouts import segment_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sap.profile import Limits, ReadProfile
    from airflow_provider_asperion.sap.source import Source

# What holds one IDoc: SAP's own form, and that of Microsoft's SAP adapter.
_DOCUMENTS = ("{*}IDOC", "{*}idocData")
# IDocs use nothing of XML 1.1; libxml2 does not know it.
_VERSION_1_1 = re.compile(rb"^((?:\xef\xbb\xbf)?\s*<\?xml\s+version\s*=\s*[\"']1\.)1(?=[\"'])")
_DOCTYPE = re.compile(r"<!DOCTYPE")
_LEADING = b"\n\r\t "
# Codes of libxml2 (xmlerror.h): encoding that is not known, bytes that do not fit the encoding.
# ... tag not finished, empty document; limits of the parser; no root was kept, which entities do.
_CUT_OFF, _LIMIT, _NO_ELEMENT = frozenset({4, 77}), 114, 1
_TRAILING = b"\0\r\n\t \x1a"
_ENCODING_FAULTS = frozenset({31, 32, 81, 6003})
_AGAIN = "have the sender make the file again and send it whole"
MOST_NAMES = 10_000


class _RefusedError(Exception):
    """One document is refused. Carries what is wrong, and the field."""

    def __init__(self, rule: str, message: str, field: str | None, line: int | None) -> None:
        super().__init__(rule)
        self.problem = Problem(rule=rule, message=message, remedy=_AGAIN, field=field, line=line)


def read_xml(source: Source, profile: ReadProfile) -> Iterator[Draft]:
    """Yield the documents of an XML file.

    :raises BrokenFileError: nothing more can be read; all documents before were yielded.
    """
    # A declaration stands before the first element; a later look at the tree finds one in any encoding.
    if _DOCTYPE.search(source.head.decode(source.marked_encoding or "latin-1", "ignore")):
        raise _doctype(None)
    reader = _Reader(profile.limits)
    first = True
    for chunk in source.chunks():
        if first:
            chunk, skipped = _mended(chunk)
            reader.lines_before = skipped
            first = False
        yield from reader.feed(chunk)
    yield from reader.close()


def _mended(chunk: bytes) -> tuple[bytes, int]:
    """Return the first bytes as XML 1.0 without blanks before it, and how many lines those were."""
    begin = chunk.lstrip(_LEADING)
    return _VERSION_1_1.sub(rb"\g<1>0", begin), chunk[: len(chunk) - len(begin)].count(b"\n")


class _Reader:
    """Feeds the parser, and makes drafts of the documents that it completed."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = etree.XMLPullParser(
            events=("end",),
            tag=_DOCUMENTS,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._position = 0
        self._since_document = 0
        self._walker = _Walker(limits)
        self._tail = b""
        self.lines_before = 0

    def feed(self, chunk: bytes) -> Iterator[Draft]:
        """Take bytes in, and yield the documents that they complete."""
        self._tail = chunk.rstrip(_TRAILING)[-1:]
        self._since_document += len(chunk)
        fault: etree.XMLSyntaxError | None = None
        try:
            self._parser.feed(chunk)
        except etree.XMLSyntaxError as error:
            fault = error
        yield from self._documents()
        if fault is not None:
            raise self._fault(fault)
        if self._since_document > self._limits.document_bytes:
            raise broken(
                "idoc.too_large",
                f"document {self._position + 1} is larger than {self._limits.document_bytes} bytes",
                "have the sender split it, or raise limits.document_bytes in the settings",
            )

    def close(self) -> Iterator[Draft]:
        """Yield what is left, and see that the file had an end."""
        try:
            root = self._parser.close()
        except etree.XMLSyntaxError as error:
            raise self._fault(error) from None
        yield from self._documents()
        if self._position == 0:
            raise broken(
                "xml.no_idoc",
                f"the file holds no IDOC element; its root is {etree.QName(root).localname}",
                "have the sender write IDoc XML as SAP's XML port does",
            )

    def _documents(self) -> Iterator[Draft]:
        for _, element in self._parser.read_events():
            self._since_document = 0
            self._position += 1
            yield self._draft(element)
            _forget(element)

    def _draft(self, element: Any) -> Draft:
        tree = element.getroottree()
        if tree.docinfo.internalDTD is not None:
            raise _doctype(self._line(element.sourceline))
        line = self._line(element.sourceline)
        draft = Draft(self._position, line, "idoc_xml", root=etree.QName(tree.getroot()).localname)
        try:
            draft.data = self._walker.walk_document(element)
        except _RefusedError as error:
            draft.refuse(error.problem)
            draft.data = _with_control(self._walker.walked, strict=False)
        return draft

    def _line(self, line: int | None) -> int | None:
        return line + self.lines_before if line else None

    def _fault(self, error: etree.XMLSyntaxError) -> BrokenFileError:
        line, code = self._line(error.lineno), getattr(error, "code", 0)  # missing in the stubs
        if code in _ENCODING_FAULTS:
            return broken(
                "file.encoding", "the text does not fit the encoding it declares", _AGAIN, line=line
            )
        if code in _CUT_OFF or self._tail != b">":
            return broken(
                "file.cut_off",
                "the XML ends before its last element does: the file was cut off",
                _AGAIN,
                line=line,
            )
        if code == _NO_ELEMENT:
            return _entity(line)
        if code == _LIMIT:
            return broken(
                "xml.nesting", "elements are nested too deep, or a text is too long", _AGAIN, line=line
            )
        if "EntityRef" in str(error.msg):
            return broken(
                "xml.raw_sign",
                "a raw & stands in a text",
                "have the sender write &amp; for & (and &lt; for <)",
                line=line,
            )
        return broken(
            "xml.not_well_formed", "this is no well-formed XML: elements do not match up", _AGAIN, line=line
        )


class _Walker:
    """Makes dicts of elements. Remembers the names that it met."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._names: dict[str, tuple[str, str]] = {}
        self._segments = 0
        self.walked: dict[str, Any] = {}

    def walk_document(self, element: Any) -> dict[str, Any]:
        """Return the content of an IDOC element.

        :raises _RefusedError: the document breaks a limit or a rule.
        """
        self._segments = 0
        # What was walked before a fault tells which document it is.
        data = self.walked = {}
        for child in element:
            _, kind = self._name(child)
            self._put(data, kind, self._walk(child, kind, 2))
        return _with_control(data)

    def _walk(self, segment: Any, path: str, depth: int) -> dict[str, Any]:
        self._segments += 1
        if self._segments > self._limits.segments:
            raise _RefusedError(
                "idoc.too_large", "the document has too many segments", None, segment.sourceline
            )
        if depth > self._limits.nesting:
            raise _RefusedError("xml.nesting", "elements are nested too deep", None, segment.sourceline)
        found: dict[str, Any] = {}
        for child in segment:
            name, kind = self._names.get(child.tag) or self._name(child)
            if len(child):
                self._put(found, kind, self._walk(child, f"{path}.{kind}", depth + 1))
                continue
            text = child.text
            if text is not None and (text := text.strip()):
                if len(text) > self._limits.field_length:
                    raise _RefusedError(
                        "idoc.field_length", "a field is too long", f"{path}.{name}", child.sourceline
                    )
                if name in found:
                    raise _RefusedError(
                        "idoc.field_twice", "a field stands twice", f"{path}.{name}", child.sourceline
                    )
                found[name] = text
            elif child.get("SEGMENT") is not None:
                self._put(found, kind, {})
        return found

    def _name(self, element: Any) -> tuple[str, str]:
        """Return the name of an element without its namespace, and as a type of segment."""
        if not isinstance(element.tag, str):
            raise _entity(element.sourceline)
        # SAP's own namespaces (/XXX/...) come as _-XXX_- in XML, where a slash may not stand.
        name = etree.QName(element).localname.replace("_-", "/")
        names = (name, segment_type(name))
        if len(self._names) < MOST_NAMES:
            self._names[element.tag] = names
        return names

    def _put(self, parent: dict[str, Any], kind: str, segment: dict[str, Any]) -> None:
        if kind.endswith("GRP"):
            # A group of Microsoft's adapter (E2EDP01007GRP): its first segment is the parent of the others.
            kind = segment_type(kind.removesuffix("GRP").replace("E1", "E2", 1))
            heads = segment.pop(kind, [{}])
            heads[-1].update(segment)
            parent.setdefault(kind, []).extend(heads)
            return
        listed = parent.setdefault(kind, [])
        if not isinstance(listed, list):
            raise _RefusedError("idoc.field_twice", "a name is both a field and a segment", kind, None)
        listed.append(segment)


def _with_control(data: dict[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """Return the content with the control record as a plain dict under its one name, first.

    :param strict: refuse a second one; else take the first.
    """
    names = [name for name in data if name.startswith(CONTROL)]
    if not names:
        return data
    records = [record for name in names for record in data[name]]
    if len(records) > 1 and strict:
        raise _RefusedError("idoc.control_record", "an IDoc has more than one control record", CONTROL, None)
    return {CONTROL: records[0], **{name: value for name, value in data.items() if name not in names}}


def _forget(element: Any) -> None:
    """Drop an element that was read, and all that stood before it beside it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and parent[0] is not element:
        del parent[0]


def _doctype(line: int | None) -> BrokenFileError:
    return broken(
        "xml.doctype",
        "the file has a document type declaration, which no IDoc has and which is not read",
        "have the sender leave <!DOCTYPE ...> out",
        line=line,
    )


def _entity(line: int | None) -> BrokenFileError:
    return broken(
        "xml.entity",
        "the file uses an entity that is not among the five of XML",
        "have the sender write characters, or &amp; &lt; &gt; &quot; &apos;",
        line=line,
    )
