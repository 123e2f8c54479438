"""All that the ledger knows of one record: where it stands, where it stood, and its trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from airflow_provider_asperion.ledger import search
from airflow_provider_asperion.ledger.documents import to_document
from airflow_provider_asperion.ledger.files import FileClaim, to_claim
from airflow_provider_asperion.ledger.snapshots import Snapshot, snapshot_of
from airflow_provider_asperion.ledger.tables import (
    documents,
    events,
    files,
    sessions,
    sightings,
    snapshots,
)
from airflow_provider_asperion.ledger.trail import Event, event_of
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from airflow_provider_asperion.ledger.keys import Document, DocumentKey
    from airflow_provider_asperion.ledger.work import Work

# The newest so many: a stock level that changes each minute has a long life.
MOST_EVENTS = 500
MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class Sighting:
    """A place where the record stood: a file, and the 1-based position in it."""

    file: FileClaim
    position: int


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record with all that is known of it.

    :param document: what came from SAP or was created in Asperion; ``snapshot``: what SAP was sent last.
    :param events: oldest first.
    :param tasks: by session of an event: the task at work, ``dag/run/task/map index/try``.
    :param purged_at: when the events of before were purged; None: it has all of them.
    """

    hit: search.Hit
    document: Document | None
    snapshot: Snapshot | None
    events: tuple[Event, ...]
    sightings: tuple[Sighting, ...]
    tasks: Mapping[str, str]
    purged_at: dt.datetime | None = None


def record(work: Work, record_id: str) -> RecordView | None:
    """Return a record by its id; None where there is none."""
    hit = search.find(work, record_id)
    if hit is None:
        return None
    document = work.connection.execute(select(documents).where(documents.c.id == record_id)).one_or_none()
    sent = select(snapshots).where(snapshots.c.id == record_id, snapshots.c.published_at.is_not(None))
    snapshot = work.connection.execute(sent).one_or_none()
    happened = _events(work, record_id)
    return RecordView(
        hit=hit,
        document=None if document is None else to_document(document),
        snapshot=None if snapshot is None else snapshot_of(snapshot),
        events=happened,
        sightings=_sightings(work, record_id),
        tasks=_tasks(work, happened),
        purged_at=max(
            (row.purged_at for row in (document, snapshot) if row is not None and row.purged_at), default=None
        ),
    )


def traced(work: Work, keys: Iterable[DocumentKey]) -> list[tuple[DocumentKey, tuple[Event, ...]]]:
    """Return records that have a trail and nothing else: orders that a filter left out."""
    found = [(key, _events(work, key.id)) for key in keys]
    return [(key, events_) for key, events_ in found if events_]


def _events(work: Work, record_id: str) -> tuple[Event, ...]:
    statement = (
        select(events)
        .where(events.c.document_id == record_id)
        .order_by(events.c.id.desc())
        .limit(MOST_EVENTS)
    )
    return tuple(event_of(row) for row in reversed(work.connection.execute(statement).all()))


def _tasks(work: Work, happened: Iterable[Event]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(sorted({event.session_id for event in happened})):
        rows = work.connection.execute(select(sessions.c.id, sessions.c.owner).where(sessions.c.id.in_(part)))
        found.update({row.id: row.owner for row in rows})
    return found


def _sightings(work: Work, record_id: str) -> tuple[Sighting, ...]:
    statement = (
        select(files, sightings.c.position.label("position"))
        .join(sightings, sightings.c.file_id == files.c.id)
        .where(sightings.c.document_id == record_id)
        .order_by(files.c.landed_at.desc())
        .limit(MOST_FILES)
    )
    return tuple(Sighting(to_claim(row), row.position) for row in work.connection.execute(statement))
