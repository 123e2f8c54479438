"""Brings the segments of a document into the order of its basic type, and checks values against their fields.

What the writers of IDocs share: flat file, XML and JSON differ only in how they spell what comes out here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_asperion.records import Problem, ProblemError, shape_of
from airflow_provider_asperion.sap.drafts import CONTROL
from airflow_provider_asperion.sap.idoc_flat import CONTROL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.sap.layouts import Fields, Layouts
    from airflow_provider_asperion.sap.write_profile import ControlRecord
    from airflow_provider_asperion.sap.writing import TargetDocument

# Line ends, tabs, separators and what XML 1.0 does not know: they would break a record, or a receiver.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# Half of one of these is another one, or none.
_NEVER_CUT = frozenset(
    ["MATNR", "MATNR_LONG", "MATNR_EXTERNAL", "KUNNR", "KUNN2", "OBJ_ID", "OBJ_ID_EXT", "BELNR", "IDTNR",
     "IDTNR_LONG", "IDTNR_EXTERNAL", "PARTN", "LIFNR", "STCEG", "E_MAIL", "SMTP_ADDR", "INTAD", "STDPN",
     "IBAN", "BANKN", "ACNUM", "SWIFT", "URI"]
)  # fmt: skip
_LAST_RANK = 1_000_000


@dataclass(frozen=True, slots=True)
class SegmentForm:
    """A segment type as it is written.

    :param kind: type (``E1MARAM``).
    :param definition: name in a flat file (``E2MARAM009``).
    :param parent: type around it; None at the top, and for own segments of which no layout says it.
    :param places: field -> its place in the order of fields, begin and width in characters.
    :param end: characters of a record.
    """

    kind: str
    definition: str
    parent: str | None
    places: dict[str, tuple[int, int, int]]
    end: int


class Part(NamedTuple):
    """One segment of a document.

    :param level: 1 at the top, 2 inside that, and so on.
    :param values: fields that have a value, in the order of the segment: name and text.
    """

    form: SegmentForm
    level: int
    values: list[tuple[str, str]]


@dataclass(slots=True)
class Arranged:
    """A document ready to write.

    :param control: the control record.
    :param parts: its segments, parents before their children, in the order of the basic type.
    :param cut: what was cut.
    """

    control: Part
    parts: list[Part] = field(default_factory=list)
    cut: list[Problem] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)


class Arranger:
    """Arranges documents. Looks each segment type up once.

    :param cut: cut texts that are too long for their field, and say so; else refuse them.
    """

    def __init__(self, layouts: Layouts, control: ControlRecord, *, cut: bool) -> None:
        self._layouts = layouts
        self._cut = cut
        self._control = control
        self._fixed = _fixed_values(control)
        self._control_form = _form(CONTROL, CONTROL, None, CONTROL_FIELDS)
        self._forms: dict[str, SegmentForm | None] = {}
        self._ranks: dict[str, dict[str, int]] = {}

    def arrange(self, document: TargetDocument) -> Arranged:
        """Return the segments of a document, in order and checked.

        :raises ProblemError: with every fault of the document: a segment or field that is not known, a
            segment in the wrong place, a value that is too long or no text, a control character.
        """
        found = Arranged(Part(self._control_form, 0, []))
        content = {name: value for name, value in document.data.items() if name != CONTROL}
        values = self._fixed | _document_values(document, self._control)
        found.control.values.extend(self._values(values, self._control_form, found))
        if not (document.number.isascii() and document.number.isdigit()):
            found.faults.append(
                _fault("document.number", f"{CONTROL}.DOCNUM", "the IDoc number is no number")
            )
        self._walk(content, None, 1, document.basic_type, found)
        if not found.parts:
            found.faults.append(
                Problem(
                    rule="document.empty",
                    message="the document has no segments",
                    remedy="map at least one field to it",
                )
            )
        if found.faults:
            raise ProblemError(*(problem.at(record=document.key) for problem in found.faults))
        found.cut = [problem.at(record=document.key) for problem in found.cut]
        return found

    def _walk(
        self, content: dict[str, Any], parent: str | None, level: int, basic_type: str, found: Arranged
    ) -> None:
        kinds = [name for name, value in content.items() if isinstance(value, list)]
        if len(kinds) > 1:
            ranks = self._rank(basic_type)
            kinds.sort(key=lambda kind: ranks.get(kind, _LAST_RANK))
        for kind in kinds:
            form = self._usable(kind, parent, basic_type, found)
            if form is None:
                continue
            for segment in content[kind]:
                found.parts.append(Part(form, level, self._values(segment, form, found)))
                self._walk(segment, kind, level + 1, basic_type, found)

    def _usable(self, kind: str, parent: str | None, basic_type: str, found: Arranged) -> SegmentForm | None:
        """Return the form of a segment type if it may stand here."""
        form = self._form_of(kind)
        if form is None:
            found.faults.append(_fault("segment.unknown", kind, f"no layout of the segment {kind} is known"))
            return None
        sequence = self._layouts.sequences.get(basic_type)
        if sequence and kind not in self._rank(basic_type) and kind.startswith("E1"):
            found.faults.append(_fault("segment.unknown", kind, f"{kind} is no segment of {basic_type}"))
            return None
        if form.parent != parent and (form.parent is not None or kind.startswith("E1")):
            place = f"inside {form.parent}" if form.parent else "at the top"
            found.faults.append(_fault("segment.misplaced", kind, f"{kind} stands {place}, not elsewhere"))
            return None
        return form

    def _form_of(self, kind: str) -> SegmentForm | None:
        if kind not in self._forms:
            definition = self._layouts.definitions.get(kind)
            self._forms[kind] = (
                None
                if definition is None
                else _form(
                    kind, definition, self._layouts.parents.get(kind), self._layouts.fields[definition]
                )
            )
        return self._forms[kind]

    def _rank(self, basic_type: str) -> dict[str, int]:
        """Return the place of each type; of a basic type that is not known, in the order of the layouts."""
        ranks = self._ranks.get(basic_type)
        if ranks is None:
            sequence = self._layouts.sequences.get(basic_type) or tuple(self._layouts.definitions)
            ranks = self._ranks[basic_type] = {kind: place for place, kind in enumerate(sequence)}
        return ranks

    def _values(self, segment: dict[str, Any], form: SegmentForm, found: Arranged) -> list[tuple[str, str]]:
        """Return the fields of a segment that have a value, in order."""
        places = form.places
        values = []
        for name, text in segment.items():
            if isinstance(text, list) or text is None or text == "":
                continue
            place = places.get(name)
            if place is None:
                found.faults.append(
                    _fault("field.unknown", f"{form.kind}.{name}", f"{form.kind} has no field {name}")
                )
            elif not isinstance(text, str):
                found.faults.append(
                    _fault("field.no_text", f"{form.kind}.{name}", "the value is no text", remedy=_AS_TEXT)
                )
            elif (checked := self._checked(text.rstrip(" "), name, form, place[2], found)) != "":
                values.append((place[0], name, checked))
        values.sort()
        return [(name, text) for _, name, text in values]

    def _checked(self, text: str, name: str, form: SegmentForm, width: int, found: Arranged) -> str:
        if not text.isprintable() and _FORBIDDEN.search(text):
            found.faults.append(_control_character(f"{form.kind}.{name}", text))
            return ""
        if len(text) <= width:
            return text
        if self._cut and _may_be_cut(name, text) and form.kind != CONTROL:
            found.cut.append(_too_long("field.cut", f"{form.kind}.{name}", text, width))
            return text[:width].rstrip(" ")
        found.faults.append(_too_long("field.too_long", f"{form.kind}.{name}", text, width))
        return ""


def unencodable(parts: Iterable[Part], encoding: str) -> list[Problem]:
    """Return one problem per value with a sign that an encoding does not have."""
    problems = []
    for part in parts:
        for name, text in part.values:
            try:
                text.encode(encoding)
            except UnicodeEncodeError as error:
                sign = f"U+{ord(text[error.start]):04X}"
                problems.append(
                    _fault(
                        "field.encoding",
                        f"{part.form.kind}.{name}",
                        f"the sign {sign} is not in the encoding {encoding}",
                        remedy="agree on utf-8 with the receiver, or replace the sign in the mapping",
                        text=text,
                    )
                )
    return problems


def _form(kind: str, definition: str, parent: str | None, fields: Fields) -> SegmentForm:
    places = {name: (place, begin, end - begin) for place, (name, begin, end) in enumerate(fields)}
    return SegmentForm(kind, definition, parent, places, fields[-1][2] if fields else 0)


def _fixed_values(control: ControlRecord) -> dict[str, str]:
    """Return the values of EDI_DC40 that are the same in all documents."""
    return {
        "TABNAM": control.table,
        "MANDT": control.client,
        "DOCREL": control.release,
        "STATUS": control.status,
        "DIRECT": control.direction,
        "OUTMOD": control.output_mode,
        "EXPRSS": "X" if control.express else "",
        "TEST": "X" if control.test else "",
        "CIMTYP": control.extension,
        "MESCOD": control.message_code,
        "MESFCT": control.message_function,
        "STD": control.standard,
        "STDVRS": control.standard_version,
        "STDMES": control.standard_message,
        "SNDPOR": control.sender_port,
        "SNDPRT": control.sender_type,
        "SNDPFC": control.sender_function,
        "SNDPRN": control.sender,
        "SNDSAD": control.sender_address,
        "SNDLAD": control.sender_logical_address,
        "RCVPOR": control.receiver_port,
        "RCVPRT": control.receiver_type,
        "RCVPFC": control.receiver_function,
        "RCVPRN": control.receiver,
        "RCVSAD": control.receiver_address,
        "RCVLAD": control.receiver_logical_address,
    }


def _document_values(document: TargetDocument, control: ControlRecord) -> dict[str, str]:
    number, moment = document.number.zfill(16), f"{document.created_at:%Y%m%d%H%M%S}"
    return control.in_document(number=number, key=document.key, moment=moment) | {
        "DOCNUM": number,
        "IDOCTYP": document.basic_type,
        "MESTYP": document.message_type,
        "CREDAT": moment[:8],
        "CRETIM": moment[8:],
    }


def _may_be_cut(name: str, text: str) -> bool:
    """Tell text for people from keys, numbers and dates, which are wrong when they are cut."""
    return name not in _NEVER_CUT and any(sign.isalpha() for sign in text)


_AS_TEXT = "have the mapping give a text"
_LAYOUT = "correct the mapping, or name a file with SAP's layout (WE63) in layouts in the settings"


def _fault(rule: str, name: str, message: str, *, remedy: str = _LAYOUT, text: str | None = None) -> Problem:
    return Problem(
        rule=rule,
        message=message,
        remedy=remedy,
        field=name,
        shape=None if text is None else shape_of(text),
    )


def _too_long(rule: str, name: str, text: str, width: int) -> Problem:
    cut = rule == "field.cut"
    return _fault(
        rule,
        name,
        f"the value has {len(text)} characters, the field holds {width}" + (": it was cut" if cut else ""),
        remedy="shorten it in the source, or spread it over several fields in the mapping",
        text=text,
    )


def _control_character(name: str, text: str) -> Problem:
    return _fault(
        "field.control_character",
        name,
        "the value holds a line end, a tab or another control character, which no field of an IDoc can hold",
        remedy="remove it in the source, or in the mapping",
        text=text,
    )
