"""What the emulator holds: administrations with their tables, in memory, behind one lock."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox.schema import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from airflow_provider_asperion.sandbox.schema import Resource

Values = dict[str, Any]
Key = int | str

REMEMBERED_LISTS = 16
IDS_PER_ADMINISTRATION = 100_000
"""Ids of two administrations never meet, so that asking the wrong one finds nothing."""


class Row:
    """One entry of a table.

    :param visible_at: moment of the clock before which lists and look-ups do not show it (read-back lag).
    :param seeded: it was there from the beginning.
    :ivar extra: fields that the schema does not know, shown all the same.
    """

    __slots__ = ("encoded", "encoded_for", "extra", "key", "seeded", "values", "visible_at")

    def __init__(self, key: Key, values: Values, *, seeded: bool, visible_at: float = 0.0) -> None:
        self.key = key
        self.values = values
        self.seeded = seeded
        self.visible_at = visible_at
        self.extra: Values = {}
        self.encoded = b""
        self.encoded_for: object = None


class Table:
    """The entries of one resource in one administration, in order of creation, with indexes.

    It also remembers the lists that were asked for while nothing changed: whoever pages through ten thousand
    entries shall not have them all looked through for each page.
    """

    def __init__(self, resource: Resource, first_id: int) -> None:
        self.resource = resource
        self.rows: dict[Key, Row] = {}
        self._ids = itertools.count(first_id)
        self._line_ids = itertools.count(first_id * 10)
        self._indexed = tuple(field.name for field in resource.fields if field.indexed and field.name != "id")
        self._index: dict[str, dict[str, dict[Key, Row]]] = {
            name: defaultdict(dict) for name in self._indexed
        }
        self._lists: dict[Hashable, list[Row]] = {}
        self._hidden_until = 0.0

    def add(
        self, values: Values, *, seeded: bool = False, visible_at: float = 0.0, first: bool = False
    ) -> Row:
        """Store an entry; it gets an id unless it brings one.

        :param first: in front of all others.
        """
        key = values.get("id")
        if key is None:
            key = next(self._ids)
        values["id"] = key
        for line in values.get("lines", ()):
            line["id"] = next(self._line_ids)
        row = Row(key, values, seeded=seeded, visible_at=visible_at)
        if first:
            self.rows = {key: row, **self.rows}
        else:
            self.rows[key] = row
        self._hidden_until = max(self._hidden_until, visible_at)
        self._enter(row)
        return row

    def replace(self, row: Row, values: Values) -> None:
        """Give an entry new values."""
        self._leave(row)
        row.values = values
        row.encoded_for = None
        self._enter(row)

    def remove(self, row: Row) -> None:
        """Take an entry away; its id is not given again."""
        self._leave(row)
        self._lists.clear()
        del self.rows[row.key]

    def remembered(self, key: Hashable, now: float, find: Callable[[], list[Row]]) -> list[Row]:
        """Return the list of this key: the one found before where nothing changed since, else found now.

        :param now: moment of the clock; while entries wait to become visible nothing is remembered.
        """
        if now < self._hidden_until:
            return find()
        if key not in self._lists:
            if len(self._lists) >= REMEMBERED_LISTS:
                self._lists.pop(next(iter(self._lists)))
            self._lists[key] = find()
        return self._lists[key]

    def find(self, name: str, value: object) -> list[Row]:
        """Return the entries with exactly this value in an indexed field."""
        return [row for row in self.candidates(name, value) if row.values.get(name) == value]

    def candidates(self, name: str, value: object) -> Iterator[Row]:
        """Yield the entries whose indexed field has this value when case is left aside."""
        if name == "id":
            row = self.rows.get(value)  # type: ignore[call-overload]
            return iter(() if row is None else (row,))
        return iter(self._index[name].get(_index_key(value), {}).values())

    def get(self, key_text: str) -> Row | None:
        """Return the entry of a key as it is written in a path."""
        row = self.rows.get(key_text)
        if row is None and key_text.isascii() and key_text.isdigit() and len(key_text) < 19:
            row = self.rows.get(int(key_text))
        return row

    def _leave(self, row: Row) -> None:
        for name in self._indexed:
            self._index[name][_index_key(row.values.get(name))].pop(row.key, None)

    def _enter(self, row: Row) -> None:
        self._lists.clear()
        for name in self._indexed:
            self._index[name][_index_key(row.values.get(name))][row.key] = row


class Administration:
    """One administration (tenant) with its own data."""

    def __init__(self, key: int, name: str) -> None:
        self.id = key
        self.name = name
        self.tables = {
            resource.path: Table(resource, key * IDS_PER_ADMINISTRATION + 1)
            for resource in RESOURCES
            if resource.stored_as == resource.path
        }
        self.files: dict[int, list[Values]] = defaultdict(list)
        self.numbers = itertools.count(key * IDS_PER_ADMINISTRATION + 1)

    def __getitem__(self, resource: Resource) -> Table:
        return self.tables[resource.stored_as]


class State:
    """All administrations. Hold ``lock`` while looking at or changing what is in them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.administrations: dict[int, Administration] = {}
        self.default_administration = 1

    def administration(self, key: int = 1) -> Administration:
        """Return an administration of this id."""
        return self.administrations[key]


def _index_key(value: object) -> str:
    return str(value).casefold()
