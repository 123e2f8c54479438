"""Erasing one person: what the ledger knows of a person's records goes, but for what protects the business.

What stays of an order: its number, kind, administration, state, fingerprint, amount and number in Asperion.
By these it is never placed twice, and the books stay whole. Keyed hashes of the person go too where that is
asked for; see docs/privacy.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Text, cast, delete, func, or_, select, update

from airflow_provider_asperion.ledger import purge, sessions, tables
from airflow_provider_asperion.ledger.publications import ERASED
from airflow_provider_asperion.ledger.tables import (
    documents,
    events,
    files,
    names,
    outbox,
    sightings,
    snapshots,
)
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table

    from airflow_provider_asperion.ledger.work import Work

_ENDED = ("done", "refused")
_LYING = ("archived", "rejected")


@dataclass(frozen=True, slots=True)
class Person:
    """Under which keyed hashes the ledger may know a person.

    :param hashes: of names (see :mod:`.names`), and of what SAP was sent.
    :param keys: of debtors, as documents.
    """

    hashes: tuple[str, ...]
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class Erased:
    """What went, or would go.

    :param records: how many records the person has in the ledger.
    :param at_work: how many of them a task has in hand: for these it has to be done once more.
    :param refused: keys of orders of the person that still wait to be tried again.
    :param rows: rows that went, by what they were.
    :param places: where the person's data lies outside the ledger: file, path, and place in it.
    """

    records: int = 0
    at_work: int = 0
    refused: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    places: list[tuple[str, int | None]] = field(default_factory=list)


def erase(work: Work, person: Person, *, also_hashes: bool = False, dry_run: bool = False) -> Erased:
    """Erase a person, all in one transaction.

    :param also_hashes: also the keyed hashes by which the person's debtor and customer record are known: a
        customer that Asperion still has is new to SAP then, and travels once more.
    :param dry_run: only say what would go.
    """
    if not dry_run:
        sessions.close_dead_sessions(work)
    ids = _records_of(work, person)
    erased = Erased(records=len(ids))
    for part in chunks(sorted(ids)):
        _look(work, part, erased)
    for part in chunks(sorted(ids)):
        _forget(work, part, erased, dry_run=dry_run)
    if also_hashes:
        _forget_hashes(work, person, erased, dry_run=dry_run)
    erased.rows = +erased.rows
    return erased


def _records_of(work: Work, person: Person) -> set[str]:
    statements = (
        select(names.c.document_id).where(names.c.name_hash.in_(person.hashes)),
        select(documents.c.id).where(documents.c.key.in_(person.keys)),
        select(snapshots.c.id).where(snapshots.c.key.in_(person.hashes)),
    )
    found = {id_ for one in statements for id_ in work.connection.execute(one).scalars()}
    for table in _short_lived():
        if {"name_hash", "document_id"} <= set(table.c.keys()):
            statement = select(table.c.document_id).where(table.c.name_hash.in_(person.hashes))
            found.update(work.connection.execute(statement).scalars())
    return found


def _look(work: Work, ids: Sequence[str], erased: Erased) -> None:
    """Note what a person has to know or do."""
    mine = documents.c.id.in_(ids)
    at_work = select(func.count()).where(mine, ~sessions.is_unheld(documents.c.session_id))
    erased.at_work += work.connection.execute(at_work).scalar_one()
    refused = select(documents.c.key).where(mine, documents.c.state == "refused").order_by(documents.c.key)
    erased.refused += work.connection.execute(refused).scalars()
    lying = (
        select(files.c.path, sightings.c.position)
        .join(sightings, sightings.c.file_id == files.c.id)
        .where(sightings.c.document_id.in_(ids))
        .order_by(files.c.path, sightings.c.position)
    )
    erased.places += [(row.path, row.position) for row in work.connection.execute(lying)]
    sent = select(snapshots.c.file).where(snapshots.c.id.in_(ids), snapshots.c.file.is_not(None)).distinct()
    erased.places += [(file, None) for file in work.connection.execute(sent).scalars()]


def _forget(work: Work, ids: Sequence[str], erased: Erased, *, dry_run: bool) -> None:
    rows = erased.rows
    trail = events.c.document_id.in_(ids)
    rows["events"] += _gone(work, events, trail, dry_run=dry_run)
    for table in _short_lived():
        if "document_id" in table.c:
            rows["kept values"] += _gone(work, table, table.c.document_id.in_(ids), dry_run=dry_run)
    rows["keyed hashes"] += _gone(work, names, names.c.document_id.in_(ids), dry_run=dry_run)
    # The way from a record to the file with its values; one that waits to be read again keeps it.
    ended = select(documents.c.id).where(documents.c.id.in_(ids), documents.c.state == "done")
    lying = select(files.c.id).where(files.c.state.in_(_LYING))
    seen = sightings.c.document_id.in_(ended) & sightings.c.file_id.in_(lying)
    rows["places in files"] += _gone(work, sightings, seen, dry_run=dry_run)
    with_details = documents.c.id.in_(ids) & purge.has_details(documents)
    rows["details of problems"] += _count(work, documents, with_details)
    if dry_run:
        return
    purge.reduce(work, documents, with_details)
    cut = update(documents).where(documents.c.id.in_(ended), documents.c.file_id.in_(lying))
    work.connection.execute(cut.values(file_id=None, position=None))
    purge.mark(work, ids)


def _forget_hashes(work: Work, person: Person, erased: Erased, *, dry_run: bool) -> None:
    """Forget the debtor and the customer under whose keyed hash the ledger knows the person."""
    rows = erased.rows
    debtor = documents.c.key.in_(person.keys) & documents.c.state.in_(_ENDED)
    rows["keyed hashes"] += _gone(work, documents, debtor, dry_run=dry_run)
    customer = snapshots.c.key.in_(person.hashes) & snapshots.c.outbox_id.is_(None)
    rows["keyed hashes"] += _gone(work, snapshots, customer, dry_run=dry_run)
    rows["publications"] += _unname(work, person, dry_run=dry_run)


def _unname(work: Work, person: Person, *, dry_run: bool) -> int:
    """Take the customer's key out of publications that are over; what else they say still counts and ties."""
    over = outbox.c.state.in_(("published", "abandoned"))
    named = or_(*(cast(outbox.c.decisions, Text).contains(one) for one in person.hashes))
    found = work.connection.execute(select(outbox.c.id, outbox.c.decisions).where(over & named)).all()
    for row in found if not dry_run else ():
        decisions = [
            {**one, "key": ERASED, "fields": {}} if one["key"] in person.hashes else one
            for one in row.decisions
        ]
        cut = update(outbox).where(outbox.c.id == row.id).values(decisions=decisions)
        work.connection.execute(cut)
    return len(found)


def _gone(work: Work, table: Table, condition: ColumnElement[bool], *, dry_run: bool) -> int:
    if dry_run:
        return _count(work, table, condition)
    return work.connection.execute(delete(table).where(condition)).rowcount


def _count(work: Work, table: Table, condition: ColumnElement[bool]) -> int:
    return int(work.connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one())


def _short_lived() -> Iterable[Table]:
    """Return the tables whose rows hold values of records for a time."""
    return [table for table in tables.metadata.sorted_tables if "kept_until" in table.info]
