"""Alerts: what people are told of, one row per cause and flow, from its first sight until it is gone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, insert, select, update

from airflow_provider_asperion.ledger.tables import alerts, findings
from airflow_provider_asperion.records.groups import ProblemGroup, added_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.work import Work

# What an alert is about decides how it ends. state: ends when it is no longer so. incident: happened, and is
# forgotten after some days. failure: ends with the next run that ends well. late: a file has not come. gap: a
# number of files is missing; told once. circuit: the flow was stopped.
AlertKind = Literal["state", "incident", "failure", "late", "gap", "circuit"]
FINDINGS_LAST = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Alert:
    """A cause that people are told of.

    :param group: the problem, how many records have it, and the keys of the first.
    :param told_count: how many there were when people were told last.
    :param run_id: DAG and run of Airflow that met it last, ``dag_id/run_id``.
    :param told_at: None: nobody was told yet.
    """

    integration: str
    flow: str
    kind: AlertKind
    group: ProblemGroup
    run_id: str
    opened_at: dt.datetime
    seen_at: dt.datetime
    told_count: int = 0
    told_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None

    @property
    def open(self) -> bool:
        """True until its cause is gone."""
        return self.ended_at is None


def open_alerts(work: Work, integrations: Sequence[str] | None = None) -> list[Alert]:
    """Return what is wrong now, the newest first.

    :param integrations: of these; None: of all.
    """
    statement = select(alerts).where(alerts.c.state == "open")
    if integrations is not None:
        statement = statement.where(alerts.c.integration.in_(integrations))
    rows = work.connection.execute(statement.order_by(alerts.c.opened_at.desc(), alerts.c.digest))
    return [_alert(row) for row in rows]


def of_flow(work: Work, integration: str, flow: str) -> dict[str, Alert]:
    """Return the alerts of a flow by digest, ended ones too, locked against other writers."""
    statement = (
        select(alerts)
        .where(alerts.c.integration == integration, alerts.c.flow == flow)
        .order_by(alerts.c.digest)
        .with_for_update()
    )
    return {row.digest: _alert(row) for row in work.connection.execute(statement)}


def begin(work: Work, new: Iterable[Alert]) -> None:
    """Put alerts down that may be new; those that are there stay as they are."""
    rows = [_row(alert) for alert in new]
    if rows:
        rows.sort(key=lambda row: str(row["digest"]))
        work.connection.execute(work.insert_missing(alerts), rows)


def change(work: Work, changed: Iterable[Alert]) -> None:
    """Put down how alerts stand now."""
    for alert in changed:
        row = _row(alert)
        statement = update(alerts).where(
            alerts.c.integration == alert.integration,
            alerts.c.flow == alert.flow,
            alerts.c.digest == alert.group.digest,
        )
        work.connection.execute(statement.values(row))


def forget(work: Work, before: dt.datetime) -> int:
    """Forget alerts that ended before a moment. Return how many."""
    ended = (alerts.c.state == "ended") & (alerts.c.ended_at < before)
    return work.connection.execute(delete(alerts).where(ended)).rowcount


def note_findings(work: Work, run_id: str, task: str, groups: Iterable[ProblemGroup]) -> None:
    """Put down which problems a task of a run has met; a task that runs again says it anew."""
    mine = (findings.c.run_id == run_id) & (findings.c.task == task)
    work.connection.execute(delete(findings).where(mine))
    work.connection.execute(delete(findings).where(findings.c.at < work.now - FINDINGS_LAST))
    rows = [
        {"run_id": run_id, "task": task, "digest": digest, "problems": _json(group), "at": work.now}
        for digest, group in added_up(groups).items()
    ]
    if rows:
        work.connection.execute(insert(findings), rows)


def findings_of(work: Work, run_id: str) -> dict[str, ProblemGroup]:
    """Return the problems that the tasks of a run have met, by digest."""
    rows = work.connection.execute(
        select(findings.c.problems).where(findings.c.run_id == run_id).order_by(findings.c.task)
    )
    return added_up(ProblemGroup.model_validate(row.problems) for row in rows)


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "integration": alert.integration,
        "flow": alert.flow,
        "digest": alert.group.digest,
        "kind": alert.kind,
        "state": "open" if alert.open else "ended",
        "problems": _json(alert.group),
        "count": alert.group.count,
        "told_count": alert.told_count,
        "run_id": alert.run_id,
        "opened_at": alert.opened_at,
        "seen_at": alert.seen_at,
        "told_at": alert.told_at,
        "ended_at": alert.ended_at,
    }


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        integration=row.integration,
        flow=row.flow,
        kind=row.kind,
        group=ProblemGroup.model_validate(row.problems),
        run_id=row.run_id,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        told_count=row.told_count,
        told_at=row.told_at,
        ended_at=row.ended_at,
    )


def _json(group: ProblemGroup) -> dict[str, Any]:
    return group.model_dump(mode="json", exclude_defaults=True)
