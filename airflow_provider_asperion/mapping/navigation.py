"""Finds segments in a document: partners by role, segments by qualifier, texts, material numbers."""

from __future__ import annotations

from typing import Any

from jinja2 import Undefined

from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.sandbox import ABSENT
from airflow_provider_asperion.mapping.values import strip_zeros, text_of

# The fields by which segments of one type are told apart (ORDERS05 and INVOIC02).
QUALIFIERS = ("QUALF", "IDDAT", "SUMID", "TDID", "QUALP", "QUALZ", "PARVW")
LONGEST_TEXT = 500
_PARTNERS, _ITEM_PARTNERS = "E1EDKA1", "E1EDPA1"
_ITEMS = "E1EDP01"


class Scope:
    """What the functions of one evaluation look at: a document, and on a line that line.

    :param data: content of the document (``SourceDocument.data``).
    :param line: the line of a line row; None in a header row.
    """

    __slots__ = ("_data", "_line")

    def __init__(self, data: dict[str, Any], line: dict[str, Any] | None = None) -> None:
        self._data = data
        self._line = line

    def functions(self) -> dict[str, Any]:
        """Return the functions that look at this document."""
        return {
            "partner": self.partner,
            "segments": self.segments,
            "texts": self.texts,
            "material": self.material,
        }

    def partner(self, *roles: str) -> Any:
        """Return the first partner segment (E1EDKA1) that has one of the roles, tried in order.

        A line row looks at the partners of the line (E1EDPA1) before those of the header. A header row
        looks at the header, then at the items; there the items that name the role must agree.

        :raises BadValueError: when items name different partners in that role.
        """
        for role in roles:
            found = self._partner(role)
            if found is not None:
                return found
        return ABSENT

    def _partner(self, role: str) -> Any:
        if self._line is not None:
            found = _having(_list(self._line.get(_ITEM_PARTNERS)), role)
            if found is not None:
                return found
        found = _having(_list(self._data.get(_PARTNERS)), role)
        if found is None and self._line is None:
            found = self._partner_of_all_items(role)
        return found

    def _partner_of_all_items(self, role: str) -> Any:
        partners = (_having(_list(item.get(_ITEM_PARTNERS)), role) for item in _list(self._data.get(_ITEMS)))
        named = [partner for partner in partners if partner is not None]
        if any(partner != named[0] for partner in named):
            raise BadValueError(
                f"the items name different partners in the role {role}",
                remedy="have the sender make an order per address, or map another role",
            )
        return named[0] if named else None

    def segments(self, path: str, within: Any = None) -> list[Any]:
        """Return all segments at a path such as ``E1EDP01.E1EDP26``, across all parents.

        :param path: segment types from the outside in, joined by dots.
        :param within: a segment (such as ``line``) to begin at; the document when not given.
        """
        found = [self._data] if within is None else _list(within)
        for name in str(path).split("."):
            found = [child for parent in found for child in _list(parent.get(name))]
        return found

    def texts(self, *kinds: str, length: int = LONGEST_TEXT, of: str = "") -> str | None:
        """Return the texts of the given kinds (TDID), or of all, as one text; on a line those of the line.

        A line of text goes on in the next one, unless that begins a paragraph (TDFORMAT ``*``).

        :param length: characters after which the text is cut.
        :param of: path of the segments that hold the lines, where it is not that of an order:
            ``E1MARAM.E1MTXHM.E1MTXLM``.
        """
        if of:
            path, _, rows = of.rpartition(".")
            headers = self.segments(path)
        elif self._line is None:
            headers, rows = _list(self._data.get("E1EDKT1")), "E1EDKT2"
        else:
            headers, rows = _list(self._line.get("E1EDPT1")), "E1EDPT2"
        parts: list[str] = []
        for header in headers:
            if kinds and header.get("TDID") not in kinds:
                continue
            for number, row in enumerate(_list(header.get(rows))):
                text = text_of(row.get("TDLINE"))
                if text is not None:
                    new_paragraph = row.get("TDFORMAT") == "*" or number == 0
                    parts += ["\n" if new_paragraph and parts else " " if parts else "", text]
        joined = "".join(parts)
        return (joined if len(joined) <= length else joined[: length - 1] + "…") or None

    def material(self, *qualifiers: str) -> str | None:
        """Return the material number of the line without leading zeros.

        Looked for in E1EDP19 with the given qualifiers in their order (002 the seller's number, 001 the
        buyer's, 003 the EAN), then in E1EDP01. Of each the long form is preferred (S/4HANA: ``..._LONG``,
        then ``..._EXTERNAL``), as the short one may be cut.
        """
        line = self._line or {}
        identifiers = _list(line.get("E1EDP19"))
        for qualifier in qualifiers:
            number = _material(_having(identifiers, qualifier) or {}, "IDTNR")
            if number is not None:
                return number
        return _material(line, "MATNR")


def qualifier(segments: Any, *qualifiers: str) -> Any:
    """Return the first segment with one of the qualifiers, tried in order.

    The qualifier of a segment stands in QUALF, IDDAT (dates), SUMID (sums), TDID (texts), QUALP, QUALZ or
    PARVW (partners), whichever it has.
    """
    listed = _list(segments)
    for wanted in qualifiers:
        found = _having(listed, wanted)
        if found is not None:
            return found
    return ABSENT


def _material(segment: dict[str, Any], field: str) -> str | None:
    forms = (segment.get(f"{field}_LONG"), segment.get(f"{field}_EXTERNAL"), segment.get(field))
    return next((number for form in forms if (number := strip_zeros(form)) is not None), None)


def _having(segments: list[Any], wanted: str) -> Any:
    for segment in segments:
        for field in QUALIFIERS:
            if field in segment:
                if segment[field] == wanted:
                    return segment
                break
    return None


def _list(value: Any) -> list[Any]:
    """Return segments as a list of dicts, whether there are several, one or none."""
    if isinstance(value, dict):
        return [value]
    if value is None or isinstance(value, (str, Undefined)):
        return []
    return [segment for segment in value if isinstance(segment, dict)]
