"""Purging: what is done and old is forgotten; what is not done is never touched."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select

from airflow_provider_asperion.ledger.tables import (
    documents,
    events,
    outbox,
    sessions,
    sightings,
    snapshots,
    statements,
    tokens,
)

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.work import Work


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went. ``publications`` are batches for SAP; what SAP got last is never forgotten."""

    documents: int
    events: int
    sessions: int
    publications: int = 0


def purge(work: Work, before: dt.datetime) -> Purged:
    """Forget what has been done since before a moment, its trail, and sessions of that time.

    A forgotten document that comes again is new to the ledger; that it exists is then seen in Asperion only.
    Statements of that time go too. Of what was published the trail and the batches go; the snapshots stay, or
    all would travel again.
    """
    old = select(documents.c.id).where(documents.c.state == "done", documents.c.updated_at < before)
    gone_events = work.connection.execute(delete(events).where(events.c.document_id.in_(old))).rowcount
    work.connection.execute(delete(sightings).where(sightings.c.document_id.in_(old)))
    gone = work.connection.execute(
        delete(documents).where(documents.c.state == "done", documents.c.updated_at < before)
    ).rowcount
    told = events.c.document_id.in_(select(snapshots.c.id)) & (events.c.at < before)
    gone_events += work.connection.execute(delete(events).where(told)).rowcount
    gone_publications = _forget_publications(work, before)
    work.connection.execute(delete(statements).where(statements.c.made_at < before))
    return Purged(gone, gone_events, _forget_sessions(work, before), gone_publications)


def _forget_publications(work: Work, before: dt.datetime) -> int:
    ended = outbox.c.state.in_(("published", "abandoned")) & (outbox.c.updated_at < before)
    gone = work.connection.execute(delete(outbox).where(ended)).rowcount
    # Keys that were held and never published: what held them is gone, or has let them go.
    held = snapshots.c.outbox_id.in_(select(outbox.c.id))
    unused = snapshots.c.published_at.is_(None) & (snapshots.c.updated_at < before)
    work.connection.execute(delete(snapshots).where(unused, snapshots.c.outbox_id.is_(None) | ~held))
    return gone


def _forget_sessions(work: Work, before: dt.datetime) -> int:
    # A session that still holds something stays: without its row nobody could see that it is dead.
    holds = exists().where(documents.c.session_id == sessions.c.id)
    publishes = exists().where(
        outbox.c.session_id == sessions.c.id, outbox.c.state.in_(("planned", "uploaded"))
    )
    renews = exists().where(tokens.c.session_id == sessions.c.id)
    return work.connection.execute(
        delete(sessions).where(sessions.c.closed_at < before, ~holds, ~publishes, ~renews)
    ).rowcount
