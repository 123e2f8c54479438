"""What the ledger says of an interval: files and what became of their documents; what SAP was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from airflow_provider_asperion.ledger.files import FileClaim, to_claim
from airflow_provider_asperion.ledger.keys import DocumentKey
from airflow_provider_asperion.ledger.outbox import outbox_of
from airflow_provider_asperion.ledger.publications import ERASED
from airflow_provider_asperion.ledger.tables import documents, events, files, outbox, sightings, snapshots
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable
    from decimal import Decimal

    from airflow_provider_asperion.ledger.keys import DocumentState
    from airflow_provider_asperion.ledger.publications import Outbox
    from airflow_provider_asperion.ledger.snapshots import Posted
    from airflow_provider_asperion.ledger.work import Work

# What became of something that was sent: SAP's answer; or another publication came after it.
Sent = Literal["sent", "posted", "failed", "replaced", "erased", "unknown"]
# Events that end a document of a file and leave no row of it.
ENDINGS = ("filtered", "skipped")


@dataclass(frozen=True, slots=True)
class Seen:
    """A document at a place in a file.

    :param here: this is the place from which the document was last worked on.
    :param same: its content is what the ledger knows the document by.
    """

    key: DocumentKey
    position: int
    state: DocumentState
    fingerprint: str
    here: bool
    same: bool
    asperion_id: str | None
    amount: Decimal | None
    updated_at: dt.datetime


def files_of(work: Work, folder: str, start: dt.datetime, end: dt.datetime) -> list[FileClaim]:
    """Return the files of a drop folder that landed from ``start`` until before ``end``, in any state."""
    statement = (
        select(files)
        .where(files.c.folder == folder, files.c.landed_at >= start, files.c.landed_at < end)
        .order_by(files.c.landed_at, files.c.name)
    )
    return [to_claim(row) for row in work.connection.execute(statement)]


def at_paths(work: Work, folder: str, paths: Collection[str]) -> dict[str, FileClaim]:
    """Return the files that lie where one was found, by that path."""
    found: dict[str, FileClaim] = {}
    for part in chunks(sorted(paths)):
        statement = select(files).where(files.c.folder == folder, files.c.path.in_(part))
        for row in work.connection.execute(statement.order_by(files.c.updated_at)):
            found[row.path] = to_claim(row)
    return found


def documents_of(work: Work, file_id: str) -> list[Seen]:
    """Return the documents that were seen in a file, by their place."""
    statement = (
        select(
            documents,
            sightings.c.position.label("place"),
            sightings.c.fingerprint.label("content"),
        )
        .join(sightings, sightings.c.document_id == documents.c.id)
        .where(sightings.c.file_id == file_id)
        .order_by(sightings.c.position)
    )
    return [
        Seen(
            key=DocumentKey(row.administration, row.kind, row.key),
            position=row.place,
            state=row.state,
            fingerprint=row.content,
            here=(row.file_id, row.position) == (file_id, row.place),
            same=row.content == row.fingerprint,
            asperion_id=row.asperion_id,
            amount=row.amount,
            updated_at=row.updated_at,
        )
        for row in work.connection.execute(statement)
    ]


def endings_of(work: Work, keys: Iterable[DocumentKey], file: str) -> dict[tuple[str, int], tuple[str, Any]]:
    """Return what ended at places of a file without a row of its own: what a filter left out, or came twice.

    :param file: name of the file, as the trail has it.
    :return: by id of the document and place: the event, and when.
    """
    found: dict[tuple[str, int], tuple[str, Any]] = {}
    for part in chunks(sorted({key.id for key in keys})):
        statement = (
            select(events.c.document_id, events.c.name, events.c.detail, events.c.at)
            .where(events.c.document_id.in_(part), events.c.name.in_(ENDINGS))
            .order_by(events.c.id)
        )
        for row in work.connection.execute(statement):
            if row.detail.get("file") == file and isinstance(row.detail.get("position"), int):
                found[row.document_id, row.detail["position"]] = (row.name, row.at)
    return found


def publications_of(
    work: Work, administration: str, flow: str, start: dt.datetime, end: dt.datetime
) -> list[Outbox]:
    """Return what was published from ``start`` until before ``end``, or was begun then and has no end yet.

    :param flow: name under which the ledger keeps what SAP got: flow and mapping.
    """
    statement = (
        select(outbox)
        .where(outbox.c.administration == administration, outbox.c.flow == flow)
        .where(outbox.c.state != "abandoned")
        .where(outbox.c.updated_at >= start, outbox.c.updated_at < end)
        .order_by(outbox.c.updated_at, outbox.c.id)
    )
    return [outbox_of(row) for row in work.connection.execute(statement)]


def answers_to(work: Work, published: Outbox) -> dict[str, Sent]:
    """Return what became of each record of a publication, by its key.

    ``erased``: nobody may know any more whose it was. ``replaced``: a later publication came, and SAP had
    not answered this one. ``unknown``: the ledger's account of what SAP got last does not hold it.
    """
    administration, flow = published.key.administration, published.key.flow
    found: dict[str, Sent] = {}
    named = [one for one in published.decisions if one.key != ERASED]
    if len(named) < len(published.decisions):
        found[ERASED] = "erased"
    ids = {DocumentKey(administration, flow, one.key).id: one for one in named}
    replaced: dict[str, str | None] = {}
    for part in chunks(sorted(ids)):
        rows = {
            row.id: row for row in work.connection.execute(select(snapshots).where(snapshots.c.id.in_(part)))
        }
        for id_ in part:
            row, decision = rows.get(id_), ids[id_]
            if row is None or row.published_at is None or row.published_at < published.updated_at:
                found[decision.key] = "unknown"
            elif row.number == decision.number:
                found[decision.key] = row.posted
            else:
                found[decision.key] = "replaced"
                replaced[id_] = decision.number
    for id_, posted in _answered(work, replaced).items():
        found[ids[id_].key] = posted
    return found


def _answered(work: Work, numbers: dict[str, str | None]) -> dict[str, Posted]:
    """Return what SAP answered to documents that later ones have replaced, by the trail."""
    found: dict[str, Posted] = {}
    for part in chunks(sorted(numbers)):
        statement = (
            select(events.c.document_id, events.c.name, events.c.detail)
            .where(events.c.document_id.in_(part), events.c.name.in_(("posted", "failed")))
            .order_by(events.c.id)
        )
        for row in work.connection.execute(statement):
            if row.detail.get("number") == numbers[row.document_id]:
                found[row.document_id] = row.name
    return found
