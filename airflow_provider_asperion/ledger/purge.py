"""Purging: what is old is forgotten, kind by kind, in small parts; what is not done is never touched.

An order that was placed keeps its row (key, state, fingerprint), so that it is never placed again, unless the
settings let rows of documents go too. What SAP got last is never forgotten, or all would travel again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, bindparam, cast, delete, exists, func, not_, or_, select, tuple_, update

from airflow_provider_asperion.ledger import tables
from airflow_provider_asperion.ledger.tables import (
    documents,
    events,
    files,
    names,
    outbox,
    sessions,
    sightings,
    snapshots,
    tokens,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Row, Table

    from airflow_provider_asperion.ledger.ledger import Ledger
    from airflow_provider_asperion.ledger.work import Work

# Rows of one transaction: short enough that nobody who delivers has to wait for it.
CHUNK = 500
# At least so long between two transactions, so that a writer of SQLite who waits gets its turn; and as long
# as the one before took, so that half of the time is for those who deliver.
PAUSE_SECONDS = 0.01
PURGED = "the details of this problem were purged"
_REMEDY = "try the record again to see them anew, as long as its file is in the archive"
_UNFINISHED = ("open", "intended", "held")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that grow old in the same way.

    :param old: condition: the row may go, because it is older than a moment.
    :param forget: makes rows go, given by their primary keys; deletes them unless said otherwise.
    """

    table: Table
    old: Callable[[dt.datetime], ColumnElement[bool]]
    forget: Callable[[Work, Part, Sequence[Row[Any]], dt.datetime], int] | None = None

    @property
    def key(self) -> tuple[Column[Any], ...]:
        """The primary key."""
        return tuple(self.table.primary_key.columns)

    def count(self, work: Work, before: dt.datetime) -> int:
        """Count the rows that would go."""
        statement = select(func.count()).select_from(self.table).where(self.old(before))
        return int(work.connection.execute(statement).scalar_one())

    def find(self, work: Work, before: dt.datetime, after: Row[Any] | None) -> Sequence[Row[Any]]:
        """Return the keys of the next rows that may go, in their order, so that the table is walked once."""
        statement = select(*self.key).where(self.old(before)).order_by(*self.key).limit(CHUNK)
        if after is not None:
            statement = statement.where(tuple_(*self.key) > tuple_(*after))
        return work.connection.execute(statement).all()

    def go(self, work: Work, keys: Sequence[Row[Any]], before: dt.datetime) -> int:
        """Make rows go, those that may still; return how many went."""
        return (self.forget or _delete)(work, self, keys, before)

    def those(self, keys: Sequence[Row[Any]], before: dt.datetime) -> ColumnElement[bool]:
        """Condition: the rows with these keys that may (still) go."""
        if len(self.key) == 1:
            return and_(self.key[0].in_([key[0] for key in keys]), self.old(before))
        return and_(tuple_(*self.key).in_([tuple(key) for key in keys]), self.old(before))


def kinds() -> dict[str, tuple[Part, ...]]:
    """Return the parts of each kind of data, by the name that the settings have for it.

    ``kept_until`` are the rows that carry the moment of their end; for them the moment to give is now.
    """
    found: dict[str, tuple[Part, ...]] = dict(_KINDS)
    for table in tables.metadata.sorted_tables:
        if "retention" in table.info:
            name, column = table.info["retention"], table.c[table.info["age"]]
            found[name] = (*found.get(name, ()), Part(table, column.__lt__))
        if "kept_until" in table.info:
            until = table.c[table.info["kept_until"]]
            found[KEPT_UNTIL] = (*found.get(KEPT_UNTIL, ()), Part(table, until.__le__))
    return found


def purge(
    ledger: Ledger,
    before: Mapping[str, dt.datetime],
    *,
    on_progress: Callable[[str, int], None] = lambda kind, gone: None,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Forget what is older than a moment, by kind; return how many rows went of each.

    Many short transactions: it may be stopped at any point, and run while flows are at work.

    :param before: moments by kind, aware; a kind that is absent is left alone.
    :param on_progress: told the kind and how many rows of it went, after each transaction.
    """
    known = kinds()
    gone = dict.fromkeys(before, 0)
    for kind, moment in before.items():
        for part in known[kind]:
            after = None
            while True:
                with ledger.transaction(reading=True) as work:
                    found = part.find(work, moment, after)
                if not found:
                    break
                began = monotonic()
                gone[kind] += ledger.run(part.go, found, moment)
                took = monotonic() - began
                on_progress(kind, gone[kind])
                after = found[-1]
                sleep(max(PAUSE_SECONDS, took))
    return gone


def count(ledger: Ledger, before: Mapping[str, dt.datetime]) -> dict[str, int]:
    """Count what :func:`purge` would make go, by kind."""
    known = kinds()
    with ledger.transaction(reading=True) as work:
        return {
            kind: sum(part.count(work, moment) for part in known[kind]) for kind, moment in before.items()
        }


def reduced(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return problems without their details: the rule and the field tell the cause."""
    return [
        {name: problem[name] for name in ("rule", "field", "transient") if name in problem}
        | {"message": PURGED, "remedy": _REMEDY}
        for problem in problems
    ]


def has_details(table: Table) -> ColumnElement[bool]:
    """Condition: the row has problems that are not reduced."""
    text = cast(table.c.problems, Text)
    return and_(text != "[]", not_(text.contains(PURGED)))


def reduce(work: Work, table: Table, condition: ColumnElement[bool]) -> int:
    """Reduce the problems of some rows; return how many they were."""
    rows = work.connection.execute(select(table.c.id, table.c.problems).where(condition)).all()
    if rows:
        statement = update(table).where(table.c.id == bindparam("row")).values(problems=bindparam("left"))
        work.connection.execute(statement, [{"row": row.id, "left": reduced(row.problems)} for row in rows])
    return len(rows)


def mark(work: Work, ids: Sequence[str]) -> None:
    """Put down that the trail of records was purged now."""
    for table in (documents, snapshots):
        work.connection.execute(update(table).where(table.c.id.in_(ids)).values(purged_at=work.now))


def _delete(work: Work, part: Part, keys: Sequence[Row[Any]], before: dt.datetime) -> int:
    return work.connection.execute(delete(part.table).where(part.those(keys, before))).rowcount


def _reduce(work: Work, part: Part, keys: Sequence[Row[Any]], before: dt.datetime) -> int:
    return reduce(work, part.table, part.those(keys, before))


def _forget_events(work: Work, part: Part, keys: Sequence[Row[Any]], before: dt.datetime) -> int:
    condition = part.those(keys, before)
    ids = work.connection.execute(select(events.c.document_id).where(condition).distinct()).scalars().all()
    gone = work.connection.execute(delete(events).where(condition)).rowcount
    mark(work, ids)
    return gone


def _forget_documents(work: Work, part: Part, keys: Sequence[Row[Any]], before: dt.datetime) -> int:
    statement = delete(documents).where(part.those(keys, before)).returning(documents.c.id)
    gone = work.connection.execute(statement).scalars().all()
    for table in (events, sightings, names):
        work.connection.execute(delete(table).where(table.c.document_id.in_(gone)))
    return len(gone)


def _forget_files(work: Work, part: Part, keys: Sequence[Row[Any]], before: dt.datetime) -> int:
    statement = delete(files).where(part.those(keys, before)).returning(files.c.id)
    gone = work.connection.execute(statement).scalars().all()
    work.connection.execute(delete(sightings).where(sightings.c.file_id.in_(gone)))
    return len(gone)


def _old_events(before: dt.datetime) -> ColumnElement[bool]:
    waits = exists().where(documents.c.id == events.c.document_id, documents.c.state.in_(_UNFINISHED))
    return and_(events.c.at < before, ~waits)


def _old_names(before: dt.datetime) -> ColumnElement[bool]:
    document = exists().where(documents.c.id == names.c.document_id)
    sent = exists().where(snapshots.c.id == names.c.document_id)
    return or_(
        document.where(documents.c.state.not_in(_UNFINISHED), documents.c.updated_at < before),
        sent.where(snapshots.c.updated_at < before),
        and_(~document, ~sent),
    )


def _old_files(before: dt.datetime) -> ColumnElement[bool]:
    # By its file a refused document is read again.
    wanted = exists().where(
        sightings.c.file_id == files.c.id,
        documents.c.id == sightings.c.document_id,
        documents.c.state != "done",
    )
    return and_(files.c.state.in_(("archived", "rejected")), files.c.updated_at < before, ~wanted)


def _old_sessions(before: dt.datetime) -> ColumnElement[bool]:
    # A session that still holds something stays: without its row nobody could see that it is dead.
    holds = exists().where(documents.c.session_id == sessions.c.id)
    publishes = exists().where(
        outbox.c.session_id == sessions.c.id, outbox.c.state.in_(("planned", "uploaded"))
    )
    renews = exists().where(tokens.c.session_id == sessions.c.id)
    return and_(sessions.c.closed_at < before, ~holds, ~publishes, ~renews)


def _unused_keys(before: dt.datetime) -> ColumnElement[bool]:
    # Keys that were held and never published: what held them is gone, or has let them go.
    held = exists().where(outbox.c.id == snapshots.c.outbox_id)
    return and_(snapshots.c.published_at.is_(None), snapshots.c.updated_at < before, ~held)


KEPT_UNTIL = "kept_until"
_KINDS: dict[str, tuple[Part, ...]] = {
    "trail": (Part(events, _old_events, _forget_events), Part(names, _old_names)),
    "details": (
        Part(
            documents,
            lambda before: and_(
                documents.c.state.not_in(_UNFINISHED), documents.c.updated_at < before, has_details(documents)
            ),
            _reduce,
        ),
        Part(events, lambda before: and_(_old_events(before), has_details(events)), _reduce),
        Part(
            files,
            lambda before: and_(
                files.c.state.in_(("archived", "rejected")), files.c.updated_at < before, has_details(files)
            ),
            _reduce,
        ),
    ),
    "documents": (
        Part(
            documents,
            lambda before: and_(documents.c.state == "done", documents.c.updated_at < before),
            _forget_documents,
        ),
    ),
    "files": (Part(files, _old_files, _forget_files),),
    "work": (
        Part(
            outbox,
            lambda before: and_(outbox.c.state.in_(("published", "abandoned")), outbox.c.updated_at < before),
        ),
        Part(snapshots, _unused_keys),
        Part(sessions, _old_sessions),
    ),
}
