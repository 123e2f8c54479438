"""What the ledger says of the files of an interval: which there are, and what became of each document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_provider_asperion.ledger.files import FileClaim, to_claim
from airflow_provider_asperion.ledger.keys import DocumentKey
from airflow_provider_asperion.ledger.tables import documents, events, files, sightings
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable
    from decimal import Decimal

    from airflow_provider_asperion.ledger.keys import DocumentState
    from airflow_provider_asperion.ledger.work import Work

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
