"""Reads IDoc XML as it streams by: each IDOC element becomes a document, nothing else is kept.

Expat calls back per element, which is quicker than building a tree first and walking it. A document type
declaration ends the reading at once, so that entities never exist.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.drafts import CONTROL, BrokenFileError, Draft, broken
from airflow_provider_asperion.sap.layouts import segment_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.sap.source import Source

# What holds one IDoc: SAP's own form, and that of Microsoft's SAP adapter.
_DOCUMENTS = frozenset({"IDOC", "idocData"})
# Expat knows only XML 1.0; IDocs use nothing of 1.1.
_VERSION_1_1 = re.compile(rb"^((?:\xef\xbb\xbf)?\s*<\?xml\s+version\s*=\s*[\"']1\.)1(?=[\"'])")
_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]
_UNDEFINED_ENTITY = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]
_ENDED_EARLY = {
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
}


def read_xml(source: Source, profile: ReadProfile) -> Iterator[Draft]:
    """Yield the documents of an XML file.

    :raises BrokenFileError: nothing more can be read; all documents before were yielded.
    """
    reader = _Reader(profile)
    first = True
    for chunk in source.chunks():
        if first:
            chunk = _VERSION_1_1.sub(rb"\g<1>0", chunk).lstrip(b"\n\r\t ")
            first = False
        yield from reader.feed(chunk)
    yield from reader.feed(b"", final=True)
    if reader.position == 0:
        raise broken(
            "xml.no_idoc",
            f"the file holds no IDOC element; its root is {reader.root}",
            "have the sender write IDoc XML as SAP's XML port does",
        )


class _Reader:
    """Holds the elements that are open, and the document that grows."""

    def __init__(self, profile: ReadProfile) -> None:
        self._limits = profile.limits
        self.position = 0
        self.root = ""
        self._found: list[Draft] = []
        self._draft: Draft | None = None
        self._outside = 0
        self._names: list[str] = []
        self._nodes: list[dict[str, Any] | None] = []
        self._texts: list[str] = []
        self._segments = 0
        self._begin = 0
        self._fed = 0
        self._plain: dict[str, str] = {}
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start_outside
        parser.EndElementHandler = self._end_outside
        parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[Draft]:
        fault: BrokenFileError | None = None
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            fault = self._not_well_formed(error, chunk)
        except LookupError:
            fault = broken("file.encoding", "the XML declaration names an unknown encoding", _AGAIN, line=1)
        except (ValueError, UnicodeError):
            fault = broken(
                "file.encoding", "the encoding of the XML declaration cannot be read", _AGAIN, line=1
            )
        except BrokenFileError as error:
            fault = error
        self._fed += len(chunk)
        found, self._found = self._found, []
        yield from found
        if fault is not None:
            raise fault

    # Outside of documents

    def _start_outside(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._outside += 1
        if self._outside == 1:
            self.root = name
        if self._outside > self._limits.nesting:
            raise broken("xml.nesting", "elements are nested too deep", _AGAIN, line=self._line)
        if name in _DOCUMENTS:
            self._begin_document()

    def _end_outside(self, tag: str) -> None:
        self._outside -= 1

    def _begin_document(self) -> None:
        self.position += 1
        self._draft = Draft(self.position, self._line, "idoc_xml", root=self.root)
        self._names = [""]
        self._nodes = [self._draft.data]
        self._segments = 0
        self._begin = self._parser.CurrentByteIndex
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append

    def _end_document(self) -> None:
        assert self._draft is not None
        draft, self._draft = self._draft, None
        parser = self._parser
        parser.StartElementHandler = self._start_outside
        parser.EndElementHandler = self._end_outside
        parser.CharacterDataHandler = None
        self._outside -= 1
        if draft.fault is not None:
            draft.data.clear()
        _settle_control(draft)
        self._found.append(draft)

    # Inside a document

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self._plain.get(tag)
        if name is None:
            name = self._plain_name(tag)
        names, nodes = self._names, self._nodes
        if nodes[-1] is None:
            nodes[-1] = {}
        names.append(name)
        nodes.append({} if attributes and "SEGMENT" in attributes else None)
        self._texts.clear()
        if len(names) > self._limits.nesting:
            raise broken("xml.nesting", "elements are nested too deep", _AGAIN, line=self._line)

    def _end(self, tag: str) -> None:
        names, nodes, texts = self._names, self._nodes, self._texts
        if len(names) == 1:
            self._end_document()
            return
        name, node = names.pop(), nodes.pop()
        parent = nodes[-1]
        assert parent is not None and self._draft is not None
        if self._draft.fault is not None:
            texts.clear()
            return
        if node is None and len(names) > 1:
            if texts:
                text = "".join(texts).strip()
                texts.clear()
                if text:
                    self._field(parent, name, text)
            return
        texts.clear()
        self._segment(parent, name, node if node is not None else {})

    def _field(self, parent: dict[str, Any], name: str, text: str) -> None:
        if len(text) > self._limits.field_length:
            self._refuse("idoc.field_length", "a field is longer than the limits allow", name)
        elif name in parent:
            self._refuse("idoc.field_twice", "a field stands twice in one segment", name)
        else:
            parent[name] = text

    def _segment(self, parent: dict[str, Any], name: str, node: dict[str, Any]) -> None:
        self._segments += 1
        if (
            self._segments > self._limits.segments
            or self._parser.CurrentByteIndex - self._begin > self._limits.document_bytes
        ):
            self._refuse("idoc.too_large", "the document is larger than the limits allow", None)
            return
        if name.endswith("GRP"):
            _merge_group(parent, segment_type(name.removesuffix("GRP")), node)
            return
        name = segment_type(name)
        listed = parent.setdefault(name, [])
        if not isinstance(listed, list):
            self._refuse("idoc.field_twice", "a name is both a field and a segment", name)
            return
        listed.append(node)

    def _refuse(self, rule: str, message: str, field: str | None) -> None:
        assert self._draft is not None
        path = ".".join([segment_type(name) for name in self._names[1:]] + ([field] if field else []))
        self._draft.refuse(
            Problem(rule=rule, message=message, remedy=_AGAIN, line=self._line, field=path or None)
        )

    def _plain_name(self, tag: str) -> str:
        """Return a tag without its prefix; namespaces of SAP's own (/XXX/...) come as _-XXX_- in XML."""
        name = tag.rpartition(":")[2].replace("_-", "/")
        if len(self._plain) < 10_000:
            self._plain[tag] = name
        return name

    # Faults

    @property
    def _line(self) -> int:
        return max(1, self._parser.CurrentLineNumber)

    def _doctype(self, *_: object) -> None:
        raise broken(
            "xml.doctype",
            "the file has a document type declaration, which no IDoc has and which is not read",
            "have the sender leave <!DOCTYPE ...> out",
            line=self._line,
        )

    def _not_well_formed(self, error: expat.ExpatError, chunk: bytes) -> BrokenFileError:
        if error.code in _ENDED_EARLY and not chunk:
            return broken(
                "file.cut_off", "the XML ends before its last element does: the file was cut off", _AGAIN,
                line=error.lineno,
            )  # fmt: skip
        place = max(0, self._parser.ErrorByteIndex - self._fed)
        near = chunk[max(0, place - 40) : place + 1]
        if error.code in (_INVALID_TOKEN, _UNDEFINED_ENTITY) and b"&" in near:
            return broken(
                "xml.raw_sign",
                "a raw & stands in a text",
                "have the sender write &amp; for & (and &lt; for <)",
                line=error.lineno,
            )
        return broken(
            "xml.not_well_formed",
            f"this is no well-formed XML: {expat.ErrorString(error.code)}",
            _AGAIN,
            line=max(1, error.lineno),
        )


_AGAIN = "have the sender make the file again and send it whole"


def _settle_control(draft: Draft) -> None:
    """Make the control record a plain dict under its one name."""
    for name in [name for name in draft.data if name.startswith(CONTROL)]:
        records = draft.data.pop(name)
        if isinstance(records, list) and len(records) == 1:
            draft.data = {CONTROL: records[0], **draft.data}
        else:
            draft.refuse(
                Problem(
                    rule="idoc.control_record",
                    message="an IDoc has more than one control record, or one that is no segment",
                    remedy=_AGAIN,
                    line=draft.line,
                    field=CONTROL,
                )
            )


def _merge_group(parent: dict[str, Any], kind: str, group: dict[str, Any]) -> None:
    """Put the children of a group of Microsoft's adapter (E2EDP01007GRP) inside the segment that heads it."""
    heads = group.pop(kind, [{}])
    heads[-1].update(group)
    parent.setdefault(kind, []).extend(heads)
