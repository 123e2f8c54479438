"""Targets of an IDoc: ``E1MARAM.E1MAKTM[NL].MAKTX`` names a field, in which occurrence of which segment."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

FieldLengths = Callable[[str], Mapping[str, int] | None]

_PART = re.compile(r"(?P<segment>[A-Z0-9_/]+)(?:\[(?P<label>[^\[\]]+)\])?")
_FIELD = re.compile(r"[A-Z0-9_/]+")
LINES_OF_TEXT = "*"  # label of a segment that comes once per line of a text
_TEXT_WIDTH = 70


class Segments:
    """Puts fields into the segments that their targets name.

    :param lengths: gives the fields of a segment type with their lengths.
    """

    def __init__(self, lengths: FieldLengths) -> None:
        self._lengths = lengths

    def tree(
        self, fields: Mapping[str, str], send: Mapping[str, str], *, untouched: str = ""
    ) -> dict[str, Any]:
        """Return segments by type, children inside their parent.

        :param send: rule by target; what is marked ``stamp`` alone makes no segment.
        :param untouched: stands in all other fields of the segments.
        """
        root = _Occurrence(None)
        for target, text in fields.items():
            parents, name = split(target)
            self._put(root, parents, name, text, stamp=send.get(target) == "stamp")
        data = root.data()
        if untouched:
            self._fill(data, untouched)
        return data

    def _fill(self, segments: dict[str, Any], untouched: str) -> None:
        for kind, found in segments.items():
            for segment in found:
                self._fill({name: one for name, one in segment.items() if isinstance(one, list)}, untouched)
                for name in self._lengths(kind) or ():
                    segment.setdefault(name, untouched)

    def _put(
        self,
        root: _Occurrence,
        parents: tuple[tuple[str, str | None], ...],
        name: str,
        text: str,
        *,
        stamp: bool,
    ) -> None:
        place = root
        for segment, label in parents:
            if label == LINES_OF_TEXT:
                width = (self._lengths(segment) or {}).get(name, _TEXT_WIDTH)
                for number, line in enumerate(_lines(text, width)):
                    place.child(segment, f"{label}{number}").take(name, line, stamp=stamp)
                return
            place = place.child(segment, label, self._qualifier(segment) if label else None)
        place.take(name, text, stamp=stamp)

    def _qualifier(self, segment: str) -> str | None:
        """Return the field by which occurrences of a segment are told apart: its first, behind MSGFN."""
        names = [name for name in self._lengths(segment) or () if name != "MSGFN"]
        return names[0] if names else None


class _Occurrence:
    """One occurrence of a segment while fields come."""

    def __init__(self, label: str | None, qualifier: str | None = None) -> None:
        self._fields: dict[str, str] = {qualifier: label} if qualifier and label else {}
        self._children: dict[tuple[str, str | None], _Occurrence] = {}
        self._says_something = False

    def child(self, segment: str, label: str | None, qualifier: str | None = None) -> _Occurrence:
        key = (segment, label)
        if key not in self._children:
            self._children[key] = _Occurrence(label, qualifier)
        return self._children[key]

    def take(self, name: str, text: str, *, stamp: bool) -> None:
        self._fields[name] = text
        self._says_something = self._says_something or not stamp

    def data(self) -> dict[str, Any]:
        """Return fields and children; empty when nothing here says anything."""
        children: dict[str, list[dict[str, Any]]] = {}
        for (segment, _), occurrence in self._children.items():
            if found := occurrence.data():
                children.setdefault(segment, []).append(found)
        return {**self._fields, **children} if self._says_something or children else {}


@cache
def split(target: str) -> tuple[tuple[tuple[str, str | None], ...], str]:
    """Return the (segment, label) pairs of a target from the outside in, and its field.

    :raises ValueError: it is none.
    """
    *parents, name = _parts(target)
    found = [_PART.fullmatch(part) for part in parents]
    if not parents or None in found or not _FIELD.fullmatch(name):
        raise ValueError(target)
    return tuple((one["segment"], one["label"]) for one in found if one is not None), name


def segment_complaint(target: str, lengths: FieldLengths) -> tuple[str, str] | None:
    """Return what is wrong with a target of an IDoc and the remedy, or None when it exists."""
    try:
        parents, name = split(target)
    except ValueError:
        return f"{target!r} names no field of a segment", "write SEGMENT.FIELD, such as E1MARAM.MATNR"
    for segment, _ in parents:
        if lengths(segment) is None:
            return (
                f"there is no segment {segment}",
                "correct its name; segments of your own need a layout file in writing.layouts",
            )
    known = lengths(parents[-1][0])
    if known and name not in known:
        return f"segment {parents[-1][0]} has no field {name}", f"it has {', '.join(known)}"
    return None


def _parts(target: str) -> list[str]:
    """Split at the points that do not stand inside a label."""
    return re.split(r"\.(?![^\[]*\])", target)


def _lines(text: str, width: int) -> list[str]:
    """Return a text in lines that fit; words stay whole where they can."""
    return [
        part
        for line in text.splitlines()
        for part in textwrap.wrap(" ".join(line.split()), width, break_on_hyphens=False)
    ]
