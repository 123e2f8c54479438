"""Runs of the flows: when they began and ended, and their sums. Written by the runs, read by the pages."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from collections.abc import Iterable, Mapping  # noqa: TC003 - dataclass field
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, insert, select, update

from airflow_provider_asperion.ledger.tables import runs

if TYPE_CHECKING:
    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.work import Work

RunState = Literal["running", "done", "failed", "idle"]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a flow.

    :param run_id: DAG and run of Airflow, ``dag_id/run_id``.
    :param state: ``idle``: there was nothing to do. ``failed``: it ended, and not well.
    :param files: files read or written.
    :param counts: records by outcome.
    :param problems: records by rule, of those with a problem.
    :param ended_at: None while it is running, or when it was killed and never cleared.
    """

    run_id: str
    integration: str
    flow: str
    state: RunState
    began_at: dt.datetime
    ended_at: dt.datetime | None = None
    files: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many records it was about."""
        return sum(self.counts.values())

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.ended_at is None else (self.ended_at - self.began_at).total_seconds()

    @property
    def per_second(self) -> float | None:
        """Records a second."""
        return None if not self.seconds else self.records / self.seconds


def begin(work: Work, run_id: str, integration: str, flow: str) -> None:
    """Put down that a run begins, or begins again after it was cleared."""
    values = {
        "integration": integration,
        "flow": flow,
        "state": "running",
        "files": 0,
        "counts": {},
        "problems": {},
        "began_at": work.now,
        "ended_at": None,
    }
    changed = work.connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))
    if not changed.rowcount:
        work.connection.execute(insert(runs).values(run_id=run_id, **values))


def end(
    work: Work,
    run_id: str,
    state: RunState,
    *,
    files: int = 0,
    counts: Mapping[str, int] | None = None,
    problems: Mapping[str, int] | None = None,
) -> None:
    """Put down how a run ended. Of runs with nothing to do a flow keeps the newest only."""
    row = work.connection.execute(select(runs).where(runs.c.run_id == run_id)).one_or_none()
    if row is None:
        return
    values = {"files": files, "counts": dict(counts or {}), "problems": dict(problems or {})}
    work.connection.execute(
        update(runs).where(runs.c.run_id == run_id).values(state=state, ended_at=work.now, **values)
    )
    if state == "idle":
        older = (runs.c.integration == row.integration) & (runs.c.flow == row.flow)
        work.connection.execute(delete(runs).where(older, runs.c.state == "idle", runs.c.run_id != run_id))


def newest(work: Work, integration: str, flows: Iterable[str]) -> dict[str, Run]:
    """Return the newest run of each flow of an integration that has one."""
    found = {flow: of_flow(work, integration, flow, limit=1) for flow in flows}
    return {flow: runs_[0] for flow, runs_ in found.items() if runs_}


def of_flow(
    work: Work, integration: str, flow: str, *, since: dt.datetime | None = None, limit: int = 100
) -> list[Run]:
    """Return the runs of a flow, newest first."""
    statement = select(runs).where(runs.c.integration == integration, runs.c.flow == flow)
    if since is not None:
        statement = statement.where(runs.c.began_at >= since)
    rows = work.connection.execute(statement.order_by(runs.c.began_at.desc()).limit(limit))
    return [_run(row) for row in rows]


def _run(row: Row[Any]) -> Run:
    return Run(
        run_id=row.run_id,
        integration=row.integration,
        flow=row.flow,
        state=row.state,
        began_at=row.began_at,
        ended_at=row.ended_at,
        files=row.files,
        counts=row.counts,
        problems=row.problems,
    )
