"""Purging: what is done and old is forgotten; what is not done is never touched."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select

from airflow_provider_asperion.ledger.tables import documents, events, sessions, sightings, tokens

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.work import Work


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    documents: int
    events: int
    sessions: int


def purge(work: Work, before: dt.datetime) -> Purged:
    """Forget the documents that have been done since before a moment, their trail, and sessions of that time.

    A forgotten document that comes again is new to the ledger; that it exists is then seen in Asperion only.
    """
    old = select(documents.c.id).where(documents.c.state == "done", documents.c.updated_at < before)
    gone_events = work.connection.execute(delete(events).where(events.c.document_id.in_(old))).rowcount
    work.connection.execute(delete(sightings).where(sightings.c.document_id.in_(old)))
    gone = work.connection.execute(
        delete(documents).where(documents.c.state == "done", documents.c.updated_at < before)
    ).rowcount
    # A session that still holds something stays: without its row nobody could see that it is dead.
    holds = exists().where(documents.c.session_id == sessions.c.id)
    renews = exists().where(tokens.c.session_id == sessions.c.id)
    gone_sessions = work.connection.execute(
        delete(sessions).where(sessions.c.closed_at < before, ~holds, ~renews)
    ).rowcount
    return Purged(gone, gone_events, gone_sessions)
