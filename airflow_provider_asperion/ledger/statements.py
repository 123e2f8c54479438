"""Statements of reconciliations, kept so that a page shows them at once: counts, amounts and keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping  # noqa: TC003 - dataclass field
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from airflow_provider_asperion.ledger.keys import row_id
from airflow_provider_asperion.ledger.tables import statements

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.work import Work


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement of one flow over one interval.

    :param differences: how many there are; 0: all ties.
    :param body: the statement as JSON holds it; empty in lists.
    """

    id: str
    integration: str
    administration: str
    flow: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    made_at: dt.datetime
    run_id: str
    differences: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


def keep(
    work: Work,
    *,
    integration: str,
    administration: str,
    flow: str,
    start: dt.datetime,
    end: dt.datetime,
    run_id: str,
    differences: int,
    body: Mapping[str, Any],
) -> str:
    """Keep a statement in place of an earlier one of the same flow and interval; return its id."""
    id_ = row_id(("statement", administration, flow, _exact(start), _exact(end)))
    values = {
        "integration": integration,
        "made_at": work.now,
        "run_id": run_id,
        "differences": differences,
        "body": dict(body),
    }
    fixed = {"id": id_, "administration": administration, "flow": flow, "starts_at": start, "ends_at": end}
    work.connection.execute(work.insert_missing(statements).values({**fixed, **values}))
    work.connection.execute(update(statements).where(statements.c.id == id_).values(values))
    return id_


def newest(
    work: Work, integrations: Collection[str], *, flow: str | None = None, limit: int = 60
) -> list[Kept]:
    """Return the statements of integrations without their bodies, the latest interval first."""
    columns = [column for column in statements.c if column.name != "body"]
    statement = (
        select(*columns)
        .where(statements.c.integration.in_(sorted(integrations)))
        .order_by(statements.c.ends_at.desc(), statements.c.starts_at.desc(), statements.c.flow)
        .limit(limit)
    )
    if flow is not None:
        statement = statement.where(statements.c.flow == flow)
    return [_kept(row, {}) for row in work.connection.execute(statement)]


def find(work: Work, statement_id: str) -> Kept | None:
    """Return a statement by its id."""
    row = work.connection.execute(select(statements).where(statements.c.id == statement_id)).one_or_none()
    return None if row is None else _kept(row, row.body)


def _exact(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat()


def _kept(row: Row[Any], body: Mapping[str, Any]) -> Kept:
    return Kept(
        id=row.id,
        integration=row.integration,
        administration=row.administration,
        flow=row.flow,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        made_at=row.made_at,
        run_id=row.run_id,
        differences=row.differences,
        body=body,
    )
