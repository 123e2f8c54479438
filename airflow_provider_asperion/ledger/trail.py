"""The trail: what happened to each document, when, and by which run. Rows are only ever added."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select
from sqlalchemy.sql.functions import coalesce

from airflow_provider_asperion.ledger.keys import DocumentKey
from airflow_provider_asperion.ledger.tables import documents, events, snapshots
from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.work import Work

DETAIL_LIMIT = 4_000  # characters of JSON: a trail holds facts about a record, never the record

Detail = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a document. ``detail`` holds keys and counts, nothing personal."""

    name: str
    at: dt.datetime
    run_id: str
    session_id: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def add_event(
    work: Work,
    session: WorkSession,
    key: DocumentKey,
    name: str,
    detail: Detail | None = None,
    problems: Sequence[Problem] = (),
) -> None:
    """Put one event down.

    :raises ValueError: the detail is larger than 4,000 characters of JSON.
    """
    add_events(work, session, name, [(key.id, detail or {})], problems)


def add_events(
    work: Work,
    session: WorkSession,
    name: str,
    happened: Sequence[tuple[str, Detail]],
    problems: Sequence[Problem] = (),
) -> None:
    """Put the same event down for many documents, each given as (document id, detail)."""
    if not happened:
        return
    for _, detail in happened:
        if len(json.dumps(detail)) > DETAIL_LIMIT:
            raise ValueError(f"the detail of an event is limited to {DETAIL_LIMIT} characters")
    common = {"at": work.now, "run_id": session.run_id, "session_id": session.id, "name": name}
    common["problems"] = [problem.model_dump(mode="json", exclude_defaults=True) for problem in problems]
    rows = [
        {**common, "document_id": document_id, "detail": dict(detail)} for document_id, detail in happened
    ]
    work.connection.execute(insert(events), rows)


def add_remark(work: Work, document_id: str, name: str, detail: Detail) -> None:
    """Put down what a person did to a document, outside of any run."""
    row = {"at": work.now, "run_id": "", "session_id": "", "name": name, "problems": []}
    work.connection.execute(insert(events).values(document_id=document_id, detail=dict(detail), **row))


def trail(work: Work, key: DocumentKey) -> list[Event]:
    """Return what happened to a document, oldest first."""
    rows = work.connection.execute(select(events).where(events.c.document_id == key.id).order_by(events.c.id))
    return [event_of(row) for row in rows]


def of_run(work: Work, run_id: str) -> list[tuple[DocumentKey | None, Event]]:
    """Return what happened in a run, oldest first, each with its key where it is known.

    Of a record on its way to SAP the ``kind`` of the key is the flow.
    """
    statement = (
        select(
            events,
            coalesce(documents.c.administration, snapshots.c.administration).label("administration"),
            coalesce(documents.c.kind, snapshots.c.flow).label("kind"),
            coalesce(documents.c.key, snapshots.c.key).label("key"),
        )
        .outerjoin(documents, documents.c.id == events.c.document_id)
        .outerjoin(snapshots, snapshots.c.id == events.c.document_id)
        .where(events.c.run_id == run_id)
        .order_by(events.c.id)
    )
    return [
        (None if row.key is None else DocumentKey(row.administration, row.kind, row.key), event_of(row))
        for row in work.connection.execute(statement)
    ]


def event_of(row: Row[Any]) -> Event:
    """Return a row as an event."""
    return Event(
        row.name,
        row.at,
        row.run_id,
        row.session_id,
        row.detail,
        tuple(Problem.model_validate(problem) for problem in row.problems),
    )
