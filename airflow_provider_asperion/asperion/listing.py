"""Whole lists: everything, or what changed in an interval; walked again when pages shift meanwhile."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow_provider_asperion.asperion.errors import (
    BadAnswer,
    ListShifted,
    NotFound,
    Unreadable,
    to_problem,
)
from airflow_provider_asperion.asperion.models import OpenOrderLine
from airflow_provider_asperion.asperion.moments import Interval, read_moment
from airflow_provider_asperion.asperion.names import get_field
from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion.client import AsperionClient
    from airflow_provider_asperion.asperion.models import DocumentDetail
    from airflow_provider_asperion.asperion.names import Names
    from airflow_provider_asperion.asperion.paging import Pager

Entry = TypeVar("Entry")
Body = dict[str, Any]
OnProblem = Callable[[Problem], None]

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Changes:
    """How one list is asked for what changed.

    :param interval: when it changed; None: everything is wanted.
    :param filters: date filters of the API for that; empty: it has none.
    :param changed: name of the field with the last change.
    :param added: name of the field with the first day.
    """

    interval: Interval | None = None
    filters: tuple[str, ...] = ()
    changed: str | None = None
    added: str | None = None

    def queries(self, names: Names) -> list[dict[str, str]]:
        """Return what to ask the API, one after the other: whole days, one more on either side.

        Whether the ends belong to it, and in which zone it thinks, is unknown; what comes too much is left
        out by :meth:`verdict`.
        """
        if self.interval is None or not self.filters:
            return [{}]
        words, form, zone = names.query, names.habits.query_date_format, names.habits.zone
        ends = (
            (words.from_suffix, self.interval.start, -_DAY),
            (words.to_suffix, self.interval.end, _DAY),
        )
        days = {
            suffix: (bound.astimezone(zone) + more).strftime(form)
            for suffix, bound, more in ends
            if bound is not None
        }
        return [{one + suffix: day for suffix, day in days.items()} for one in self.filters]

    def verdict(self, body: Body, zone: dt.tzinfo) -> bool | None:
        """Whether an entry changed in the interval; None: it does not say.

        The first date that it has of those that are filtered by decides, else its last change.
        An entry whose last change is empty was never changed since it was added [inferred]. Where the field
        is missing altogether, the day it was added says nothing of later changes.
        """
        if self.interval is None:
            return True
        fields = [name[:1].lower() + name[1:] for name in self.filters]
        if not fields and self.changed is not None:
            fields.append(self.changed)
        if fields and fields[0] in body and self.added is not None:
            fields.append(self.added)
        moments = (read_moment(_text(get_field(body, name)), zone) for name in fields)
        moment = next((one for one in moments if one is not None), None)
        return None if moment is None else self.interval.may_hold(moment)


class Listing(AsyncIterator[Entry], Generic[Entry]):
    """The entries of a list, each id once; iterate it with ``async for``, once.

    A list may move while its pages are read: an entry added in front or removed pushes others over a page
    boundary, and one that was pushed back is on no page that is still to be read. Such a walk is noticed and
    the list walked again for what did not come yet, until a walk finds it at rest.

    What the API cannot filter is compared here: then all of the list passes by, and what changed is yielded.

    :param read: makes entries of an item; of one that is not wanted, none.
    :param on_problem: told of each item that cannot be read, by its id, and the others come all the same;
        None: the first one raises. Who goes on without some entries must not take them for gone.
    :ivar seen: items that the API gave, each once.
    :ivar undated: items that do not say when they changed, although that was asked; they are yielded.
    :ivar walks: how often the list was walked.
    :ivar shifted: whether the list moved during one of the walks.
    :ivar unreadable: items that could not be read.
    :raises ListShifted: it moved during each walk (``habits.list_walks``).
    :raises AsperionError: see :mod:`.errors`.
    """

    def __init__(
        self,
        client: AsperionClient,
        path: str,
        read: Callable[[Body], Awaitable[Iterable[Entry]]],
        *,
        changes: Changes,
        query: dict[str, str] | None = None,
        id_name: str = "id",
        on_problem: OnProblem | None = None,
    ) -> None:
        self.seen = 0
        self.undated = 0
        self.walks = 0
        self.shifted = False
        self.unreadable = 0
        self._pager: Pager | None = None
        self._client = client
        self._path = path
        self._read = read
        self._changes = changes
        self._queries = [
            {**(query or {}), **one, **_order(client.names)} for one in changes.queries(client.names)
        ]
        self._id_name = id_name
        self._on_problem = on_problem
        self._known: set[int | str] = set()
        self._vanished: set[int | str | None] = set()
        self._entries = self._walk_all()

    @property
    def asked_at(self) -> dt.datetime | None:
        """When the page of the entry at hand was asked for: what it says is not older than that."""
        return None if self._pager is None else self._pager.asked_at

    async def __anext__(self) -> Entry:
        """Return the next entry."""
        return await anext(self._entries)

    async def _walk_all(self) -> AsyncIterator[Entry]:
        for query in self._queries:
            async for entry in self._walk_until_at_rest(query):
                yield entry

    async def _walk_until_at_rest(self, query: Mapping[str, str]) -> AsyncIterator[Entry]:
        for remaining in reversed(range(self._client.names.habits.list_walks)):
            pager = self._pager = self._client.pager(self._path, self._id_name)
            vanished = set(self._vanished)
            self.walks += 1
            try:
                async for item in self._client.items(self._path, query, pager=pager):
                    for entry in await self._new_entries(item):
                        yield entry
            except BadAnswer:
                # Entries that came in front may fill a whole page with known ones; a server that
                # really goes in circles does so each time.
                if not (pager.circling and remaining):
                    raise
            if not pager.shifted and not self._vanished - vanished:
                return
            self.shifted = True
        raise ListShifted(
            f"the list moved each time it was walked, {self.walks} times; at last {pager.came} of "
            f"{pager.total} entries came",
            method="GET",
            path=self._path,
        )

    async def _new_entries(self, item: Body) -> Iterable[Entry]:
        """Make the entries of an item that did not come before and changed when asked."""
        written = get_field(item, self._id_name)
        key = written if isinstance(written, int | str) else None
        if key in self._known:
            return ()
        verdict = self._changes.verdict(item, self._client.names.habits.zone)
        try:
            entries = await self._read(item) if verdict is not False else ()
        except NotFound:
            # It went before its lines were asked for, so it is not in the next walk; if it is, it can only
            # be that nothing is found this way.
            if key in self._vanished:
                raise
            self._vanished.add(key)
            return ()
        except Unreadable as error:
            if self._on_problem is None:
                raise
            self.unreadable += 1
            self._on_problem(to_problem(error, record=str(key)))
            entries = ()
        if key is not None:
            self._known.add(key)
        self.seen += 1
        self.undated += verdict is None
        return entries


class OpenOrderLines(Listing[OpenOrderLine]):
    """What open sales orders reserve, line by line.

    :ivar statuses: how many orders there are of each status, so that it shows when none counts as open.
    """

    def __init__(
        self, client: AsperionClient, path: str, read: Callable[[Body], Awaitable[DocumentDetail]]
    ) -> None:
        self.statuses: Counter[str] = Counter()
        self._read_order = read
        names = client.names.sales_order
        super().__init__(client, path, self._lines, changes=Changes(), id_name=names.id)
        self._open = client.names.habits.open_order_statuses
        self._status = names.status

    async def _lines(self, item: Body) -> Iterable[OpenOrderLine]:
        status = str(get_field(item, self._status))
        order = await self._read_order(item) if status in self._open else None
        self.statuses[status] += 1
        if order is None:
            return ()
        return [
            OpenOrderLine(
                order_id=order.id,
                article_id=line.article_id,
                article_code=line.article_code,
                quantity=line.quantity - (line.delivered or 0),
                unit=line.unit,
            )
            for line in order.lines
            if line.quantity is not None and (line.article_id is not None or line.article_code is not None)
        ]


def _order(names: Names) -> dict[str, str]:
    """Return in which order the entries shall come."""
    order = names.query.order_value
    return {} if order is None else {names.query.order_by: order}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
