"""Watermarks: until when a flow has fetched what changed. One only ever moves forward."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from airflow_provider_asperion.ledger.tables import watermarks

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.work import Work


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a flow has come.

    :param moment: all changes before it have been fetched, aware.
    :param run_id: run that moved it there.
    """

    moment: dt.datetime
    run_id: str
    updated_at: dt.datetime


def get(work: Work, administration: str, flow: str) -> Watermark | None:
    """Return how far a flow has come, None when it never came to an end."""
    statement = select(watermarks.c.moment, watermarks.c.run_id, watermarks.c.updated_at).where(
        watermarks.c.administration == administration, watermarks.c.flow == flow
    )
    row = work.connection.execute(statement).first()
    return None if row is None else Watermark(row.moment, row.run_id, row.updated_at)


def move(work: Work, administration: str, flow: str, moment: dt.datetime, run_id: str) -> bool:
    """Move a watermark forward; False when it stands there or further on already, and stays.

    So a backfill, a run that was overtaken, and one that is repeated never take it back.
    """
    values = {"moment": moment, "run_id": run_id, "updated_at": work.now}
    row = {"administration": administration, "flow": flow, **values}
    inserted = work.insert_missing(watermarks).values(row).returning(watermarks.c.flow)
    if work.connection.execute(inserted).first() is not None:
        return True
    statement = (
        update(watermarks)
        .where(watermarks.c.administration == administration, watermarks.c.flow == flow)
        .where(watermarks.c.moment < moment)
        .values(values)
    )
    return work.connection.execute(statement).rowcount > 0
