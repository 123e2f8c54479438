"""The last contract check of each integration, kept so that a page shows it at once: names of the API."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from collections.abc import Mapping  # noqa: TC003 - dataclass field
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from airflow_provider_asperion.ledger.tables import contracts

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_asperion.ledger.work import Work


@dataclass(frozen=True, slots=True)
class Checked:
    """A contract check.

    :param run_id: DAG and run of Airflow, ``dag_id/run_id``.
    :param body: the comparison as JSON holds it.
    """

    integration: str
    checked_at: dt.datetime
    run_id: str
    body: Mapping[str, Any]


def keep(work: Work, integration: str, run_id: str, body: Mapping[str, Any]) -> None:
    """Keep a check in place of the one before."""
    values = {"checked_at": work.now, "run_id": run_id, "body": dict(body)}
    work.connection.execute(work.insert_missing(contracts).values(integration=integration, **values))
    work.connection.execute(update(contracts).where(contracts.c.integration == integration).values(values))


def last(work: Work, integrations: Collection[str]) -> dict[str, Checked]:
    """Return the last check of each integration that had one."""
    rows = work.connection.execute(select(contracts).where(contracts.c.integration.in_(sorted(integrations))))
    return {row.integration: Checked(row.integration, row.checked_at, row.run_id, row.body) for row in rows}
