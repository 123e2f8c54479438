"""Snapshots: what SAP got last of each record, as keyed hashes, and whether SAP has posted it.

A row is written by a publication only (see outbox.py), when its file is visible to SAP.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from collections.abc import Mapping  # noqa: TC003 - dataclass field
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select, update

from airflow_provider_asperion.ledger.keys import DocumentKey
from airflow_provider_asperion.ledger.tables import snapshots
from airflow_provider_asperion.ledger.trail import add_events
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Row

    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.records import Problem

Action = Literal["create", "update", "delete"]
Posted = Literal["sent", "posted", "failed"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What SAP got last of one record.

    :param key: SKU, order number; where the natural key is personal, its keyed hash.
    :param fields: short keyed hash by target, of the text that was sent last.
    :param action: what the last record was.
    :param observed_at: newest moment at which Asperion was asked about the record, aware; later than what was
        sent when nothing had changed since.
    :param published_at: when the file of the last record was visible to SAP.
    :param file: name of that file, without its folder; None where the publication did not tell.
    :param number: number of the document in it (``DOCNUM``), by which SAP's answers name it.
    :param posted: ``sent`` until SAP answers.
    """

    key: str
    fields: Mapping[str, str] = field(repr=False)
    action: Action
    observed_at: dt.datetime
    published_at: dt.datetime
    file: str | None
    number: str | None
    run_id: str
    posted: Posted


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A record that SAP has got, without what it got. ``action`` is ``delete`` where SAP knows it is gone."""

    key: str
    action: Action
    observed_at: dt.datetime
    posted: Posted


@dataclass(frozen=True, slots=True)
class Answered:
    """A record that an answer of SAP is about. ``before`` is what was known of it until now."""

    key: DocumentKey
    number: str | None
    file: str | None
    before: Posted


def look_up(work: Work, administration: str, flow: str, keys: Iterable[str]) -> dict[str, Snapshot]:
    """Return what SAP got of these records; those that it never got are absent."""
    found = {}
    ids = {DocumentKey(administration, flow, key).id for key in keys}
    for part in chunks(sorted(ids)):
        statement = select(snapshots).where(snapshots.c.id.in_(part), snapshots.c.published_at.is_not(None))
        for row in work.connection.execute(statement):
            found[row.key] = snapshot_of(row)
    return found


def keys_of(
    work: Work, administration: str, flow: str, *, after: str | None = None, limit: int = 10_000
) -> list[KnownKey]:
    """Return the next ``limit`` records that SAP has got, by key; fewer when the end is reached.

    :param after: last key of the part before; None begins. The order is the database's own: compare keys for
        equality only.
    """
    statement = (
        select(snapshots.c.key, snapshots.c.action, snapshots.c.observed_at, snapshots.c.posted)
        .where(snapshots.c.administration == administration, snapshots.c.flow == flow)
        .where(snapshots.c.published_at.is_not(None))
        .order_by(snapshots.c.key)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(snapshots.c.key > after)
    return [KnownKey(*row) for row in work.connection.execute(statement)]


def mark_posted(
    work: Work,
    session: WorkSession,
    state: Literal["posted", "failed"],
    administration: str,
    *,
    numbers: Collection[str] = (),
    keys: Iterable[DocumentKey] = (),
    file: str | None = None,
    problems: Sequence[Problem] = (),
) -> list[Answered]:
    """Put down what SAP answered; return the records it is about.

    An answer about a document that a later one has replaced matches nothing: it says nothing of what SAP was
    sent last. An answer that is read twice leaves one event. A document that SAP has posted stays posted,
    when an older answer is read after the newer one: SAP posts no document twice.

    :param numbers: documents that SAP names by their number.
    :param keys: records that SAP names by their key; ``kind`` is the flow.
    :param file: all records of a file, by its name.
    :param problems: why SAP refused them.
    """
    final = set(numbers)
    found = _matching(work, administration, final, keys, file)
    changed = {
        id_: one
        for id_, one in found.items()
        if one.before != state and not (one.before == "posted" and one.number in final)
    }
    for part in chunks(sorted(changed)):
        values = {"posted": state, "updated_at": work.now}
        work.connection.execute(update(snapshots).where(snapshots.c.id.in_(part)).values(values))
    told = [(id_, {"file": one.file, "number": one.number}) for id_, one in changed.items()]
    add_events(work, session, state, told, problems)
    return list(found.values())


def answered(
    work: Work, administration: str, *, numbers: Iterable[str] = (), keys: Iterable[DocumentKey] = ()
) -> list[Answered]:
    """Return the records that answers are about, see :func:`mark_posted`; notes nothing."""
    return list(_matching(work, administration, set(numbers), keys).values())


def _matching(
    work: Work,
    administration: str,
    numbers: set[str],
    keys: Iterable[DocumentKey],
    file: str | None = None,
) -> dict[str, Answered]:
    conditions: list[ColumnElement[bool]] = []
    conditions += [snapshots.c.number.in_(part) for part in chunks(sorted(numbers))]
    conditions += [snapshots.c.id.in_(part) for part in chunks(sorted({key.id for key in keys}))]
    if file is not None:
        conditions.append(snapshots.c.file == file)
    found: dict[str, Answered] = {}
    for condition in conditions:
        statement = (
            select(snapshots)
            .where(condition, snapshots.c.administration == administration)
            .where(snapshots.c.published_at.is_not(None))
            .order_by(snapshots.c.id)
            .with_for_update()
        )
        for row in work.connection.execute(statement):
            key = DocumentKey(row.administration, row.flow, row.key)
            found[row.id] = Answered(key, row.number, row.file, row.posted)
    return found


def snapshot_of(row: Row[Any]) -> Snapshot:
    """Return a row of a record that SAP has got."""
    return Snapshot(
        key=row.key,
        fields=row.fields,
        action=row.action,
        observed_at=row.observed_at,
        published_at=row.published_at,
        file=row.file,
        number=row.number,
        run_id=row.run_id,
        posted=row.posted,
    )
