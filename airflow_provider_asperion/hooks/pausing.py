"""Switches the DAG of a flow on and off, as the switch in Airflow's list of DAGs does. Not for tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable


def paused(dags: Iterable[str]) -> dict[str, bool]:
    """Return which of these DAGs are paused; one that Airflow does not know is absent.

    :raises ProblemError: Airflow's database cannot be reached.
    """
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    wanted = select(DagModel.dag_id, DagModel.is_paused).where(
        DagModel.dag_id.in_(list(dags)), DagModel.is_stale.is_(False)
    )
    try:
        with create_session(scoped=False) as session:
            return {row.dag_id: bool(row.is_paused) for row in session.execute(wanted)}
    except SQLAlchemyError as error:
        raise ProblemError(_unreachable(error)) from None


def pause(dag: str, *, value: bool, user: str) -> bool:
    """Pause a DAG, or let it run again; return False when Airflow does not know it.

    :param user: who does it, for Airflow's audit log.
    :raises ProblemError: Airflow's database cannot be reached.
    """
    from airflow.models.dag import DagModel
    from airflow.models.log import Log
    from airflow.utils.session import create_session
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_session(scoped=False) as session:
            found = session.get(DagModel, dag)
            if found is None:
                return False
            found.is_paused = value
            event = "asperion_pause" if value else "asperion_unpause"
            session.add(Log(event=event, dag_id=dag, owner=user))
            return True
    except SQLAlchemyError as error:
        raise ProblemError(_unreachable(error)) from None


def _unreachable(error: Exception) -> Problem:
    return Problem(
        rule="airflow.database",
        message=f"Airflow's database does not answer ({type(error).__name__})",
        remedy="try again; see the log of the API server if it stays",
    )
