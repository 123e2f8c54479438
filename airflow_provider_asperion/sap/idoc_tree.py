"""Builds the tree of an IDoc from its segments in order, by the grammar: E1EDP19 is of the last E1EDP01.

PSGNUM and HLEVEL of real files are often empty or wrong, so that they do not decide. They do where the
grammar knows nothing (own segments), and where they contradict it in earnest the document is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class MisplacedError(Exception):
    """A segment has no place in the document. The text says why."""


class Tree:
    """One document while it grows.

    :param parents: type -> type around it.
    """

    __slots__ = ("_latest", "_numbers", "_parents", "root")

    def __init__(self, parents: Mapping[str, str]) -> None:
        self._parents = parents
        self.root: dict[str, Any] = {}
        self._latest: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, tuple[str, dict[str, Any]]] = {}

    def add(self, kind: str, fields: dict[str, Any], number: str, parent_number: str) -> None:
        """Put a segment in its place.

        :param number: SEGNUM of the record, text.
        :param parent_number: PSGNUM of the record, text.
        :raises MisplacedError: there is no parent for it, or PSGNUM names another one of the right type.
        """
        self._place(kind, parent_number).setdefault(kind, []).append(fields)
        self._latest[kind] = fields
        if number:
            self._numbers[number] = (kind, fields)

    def _place(self, kind: str, parent_number: str) -> dict[str, Any]:
        named = self._numbers.get(parent_number)
        parent_kind = self._parents.get(kind)
        if parent_kind is None:
            # Own segments are not in the grammar; for a standard type its absence means the top.
            return self.root if named is None or kind.startswith("E1") else named[1]
        latest = self._latest.get(parent_kind)
        if latest is None:
            raise MisplacedError(f"{kind} stands before any {parent_kind}, inside which it belongs")
        if named is not None and named[0] == parent_kind and named[1] is not latest:
            raise MisplacedError(f"{kind} names another {parent_kind} as its parent than the one before it")
        return latest
