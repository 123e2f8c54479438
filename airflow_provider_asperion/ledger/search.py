"""Finds records, of both directions, by key, file, run or person, newest first, page by page."""

from __future__ import annotations

import datetime as dt
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, true, tuple_

from airflow_provider_asperion.ledger.tables import documents, events, files, names, sightings, snapshots
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Column, ColumnElement, CompoundSelect, Row, Select, Table

    from airflow_provider_asperion.ledger.work import Work

# Ends every text that begins with a given one, in the order of code points (SQLite).
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; all that is given must hold.

    :param text: key, beginning of a key, document number of SAP, id in Asperion, name of a file, or a run.
    :param hashes: keyed hashes that ``text`` may stand for: an e-mail address, a customer number.
    :param kinds: kinds of documents or flows to SAP; ``products_to_sap`` covers all mappings of the flow.
    :param states: states of documents (``refused``) or of what was sent (``posted``).
    :param administrations: whose records may be shown; None: all.
    """

    text: str = ""
    hashes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    administrations: tuple[str, ...] | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found.

    :param id: names it everywhere.
    :param kind: kind of document; of a record on its way to SAP ``flow/mapping``.
    :param state: of a document its own, of a record for SAP whether SAP has posted it.
    :param asperion_id: id of what was created, or number of the document that was sent.
    """

    id: str
    administration: str
    kind: str
    key: str
    state: str
    updated_at: dt.datetime
    run_id: str
    file: str | None
    asperion_id: str | None
    problems: tuple[Problem, ...] = ()

    @property
    def to_sap(self) -> bool:
        """True for a record that SAP is sent."""
        return "_to_sap" in self.kind


@dataclass(frozen=True, slots=True)
class Page:
    """Part of what was found. ``after`` asks for the next part; None: there is none."""

    hits: tuple[Hit, ...]
    after: str | None


def search(work: Work, query: Query, *, after: str | None = None, limit: int = 50) -> Page:
    """Return records, the last touched first.

    :param after: where the page before ended.
    :raises ProblemError: ``after`` is none of ours.
    """
    place = _place(after) if after else None
    found = [_of_document(row) for row in _rows(work, _DOCUMENTS, query, place, limit)]
    found += [_of_snapshot(row) for row in _rows(work, _SNAPSHOTS, query, place, limit)]
    found.sort(key=lambda hit: (hit.updated_at, hit.id), reverse=True)
    hits = found[:limit]
    return Page(tuple(hits), _after(hits[-1]) if len(found) > limit else None)


def find(work: Work, record_id: str) -> Hit | None:
    """Return one record by its id."""
    row = work.connection.execute(_with_file().where(documents.c.id == record_id)).one_or_none()
    if row is not None:
        return _of_document(row)
    sent = select(snapshots).where(snapshots.c.id == record_id, snapshots.c.published_at.is_not(None))
    row = work.connection.execute(sent).one_or_none()
    return None if row is None else _of_snapshot(row)


def of_refused(rows: Sequence[Row[Any]]) -> list[Hit]:
    """Return rows of documents, read with their file, as hits."""
    return [_of_document(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Source:
    """A table with records, and what its columns are called."""

    table: Table
    statement: Select[Any]
    kind: Column[Any]
    state: Column[Any]
    ids: Callable[[Work, Query], CompoundSelect[Any]]


def _with_file() -> Select[Any]:
    return select(documents, files.c.name.label("file_name")).outerjoin(
        files, files.c.id == documents.c.file_id
    )


def _rows(
    work: Work, source: _Source, query: Query, place: tuple[dt.datetime, str] | None, limit: int
) -> list[Row[Any]]:
    """Return the newest records of a table that fit, at least those that belong on the page."""
    table, statement = source.table, source.statement
    if query.states:
        statement = statement.where(source.state.in_(query.states))
    if query.since is not None:
        statement = statement.where(table.c.updated_at >= query.since)
    if query.until is not None:
        statement = statement.where(table.c.updated_at < query.until)
    if place is not None:
        statement = statement.where(tuple_(table.c.updated_at, table.c.id) < place)
    statement = statement.order_by(table.c.updated_at.desc(), table.c.id.desc()).limit(limit + 1)
    if query.text:
        ids = source.ids(work, query)
        statement = statement.where(table.c.id.in_(ids), _in_groups(source, query))
        return list(work.connection.execute(statement).all())
    # Without a text an index gives the newest of each administration and kind, in their order. One question
    # for all of them would walk past everybody else's records to those of a rare kind.
    return [
        row
        for administration, kind in _groups(work, source, query)
        for row in work.connection.execute(
            statement.where(table.c.administration == administration, source.kind == kind)
        )
    ]


def _in_groups(source: _Source, query: Query) -> ColumnElement[bool]:
    chosen: ColumnElement[bool] = true()
    if query.administrations is not None:
        chosen = chosen & source.table.c.administration.in_(query.administrations)
    if query.kinds:
        kinds = [
            or_(source.kind == kind, source.kind.startswith(f"{kind}/", autoescape=True))
            for kind in query.kinds
        ]
        chosen = chosen & or_(*kinds)
    return chosen


def _groups(work: Work, source: _Source, query: Query) -> list[tuple[str, str]]:
    """Return the administrations and kinds that there are, among those that are looked for.

    Each step goes to the next one by the index of keys: a few steps, however many records there are.
    """
    administration, kind = source.table.c.administration, source.kind
    found: list[tuple[str, str]] = []
    step = select(administration, kind).order_by(administration, kind).limit(1)
    row = work.connection.execute(step).first()
    while row is not None:
        found.append((row[0], row[1]))
        more = tuple_(administration, kind) > tuple_(*found[-1])
        row = work.connection.execute(step.where(more)).first()
    return [
        (one, name)
        for one, name in found
        if (query.administrations is None or one in query.administrations)
        and (not query.kinds or name in query.kinds or name.partition("/")[0] in query.kinds)
    ]


def _ids_of_documents(work: Work, query: Query) -> CompoundSelect[Any]:
    in_files = (
        select(sightings.c.document_id)
        .join(files, files.c.id == sightings.c.file_id)
        .where(files.c.name == query.text)
    )
    # Each of these is answered by an index of its own; together in one OR they would be none's.
    return _ids(work, documents, query).union(
        select(documents.c.id).where(documents.c.key.in_(query.hashes)), in_files, _of_person(query)
    )


def _ids_of_snapshots(work: Work, query: Query) -> CompoundSelect[Any]:
    return _ids(work, snapshots, query).union(
        select(snapshots.c.id).where(snapshots.c.key.in_(query.hashes)),
        select(snapshots.c.id).where(snapshots.c.file == query.text),
        select(snapshots.c.id).where(snapshots.c.number == query.text),
        _of_person(query),
    )


def _of_person(query: Query) -> Select[Any]:
    return select(names.c.document_id).where(names.c.name_hash.in_(query.hashes))


def _ids(work: Work, table: Table, query: Query) -> Select[Any]:
    """Return what finds the records of a key, else those whose key begins so, and those of a run."""
    exact = select(table.c.id).where(table.c.key == query.text)
    if "/" in query.text:
        of_run = select(events.c.document_id.label("id")).where(events.c.run_id == query.text)
        return select(of_run.union(exact).subquery().c.id)
    if work.connection.execute(exact.limit(1)).first() is not None:
        return exact
    return select(table.c.id).where(_begins(work, table, query.text))


def _begins(work: Work, table: Table, text: str) -> ColumnElement[bool]:
    if work.connection.dialect.name == "postgresql":
        return table.c.key.startswith(text, autoescape=True)
    return and_(table.c.key >= text, table.c.key < text + _LAST)


def _of_document(row: Row[Any]) -> Hit:
    return Hit(
        id=row.id,
        administration=row.administration,
        kind=row.kind,
        key=row.key,
        state=row.state,
        updated_at=row.updated_at,
        run_id=row.run_id,
        file=row.file_name,
        asperion_id=row.asperion_id,
        problems=tuple(Problem.model_validate(problem) for problem in row.problems),
    )


def _of_snapshot(row: Row[Any]) -> Hit:
    return Hit(
        id=row.id,
        administration=row.administration,
        kind=row.flow,
        key=row.key,
        state=row.posted or "sent",
        updated_at=row.updated_at,
        run_id=row.run_id or "",
        file=row.file,
        asperion_id=row.number,
    )


def _after(hit: Hit) -> str:
    return urlsafe_b64encode(json.dumps([hit.updated_at.isoformat(), hit.id]).encode()).decode()


def _place(after: str) -> tuple[dt.datetime, str]:
    try:
        moment, id_ = json.loads(urlsafe_b64decode(after.encode()))
        at = dt.datetime.fromisoformat(moment)
        if at.tzinfo is None or not isinstance(id_, str):
            raise ValueError
    except (NotBase64, UnicodeError, ValueError, TypeError):
        raise ProblemError(
            Problem(
                rule="search.place",
                message="the place to go on from is none that a search has given",
                remedy="search again from the beginning",
            )
        ) from None
    return at, id_


_DOCUMENTS = _Source(documents, _with_file(), documents.c.kind, documents.c.state, _ids_of_documents)
_SNAPSHOTS = _Source(
    snapshots,
    select(snapshots).where(snapshots.c.published_at.is_not(None)),
    snapshots.c.flow,
    snapshots.c.posted,
    _ids_of_snapshots,
)
