"""Starts a run of a DAG from a command or a page, as Airflow's own command does. Not for tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping


def trigger(dag: str, conf: Mapping[str, Any], *, by: Literal["cli", "ui"], user: str | None = None) -> str:
    """Trigger a run; return its id.

    :param conf: the form of the run.
    :param user: who asked, shown with the run.
    :raises ProblemError: Airflow does not know the DAG, or cannot be reached.
    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.providers.common.compat.sdk import AirflowException
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy.exc import SQLAlchemyError

    kind = DagRunTriggeredByType.CLI if by == "cli" else DagRunTriggeredByType.UI
    more: dict[str, Any] = {} if user is None else {"triggering_user_name": user}
    try:
        run = trigger_dag(dag, triggered_by=kind, conf=dict(conf), **more)
    except (AirflowException, SQLAlchemyError) as error:
        raise ProblemError(
            Problem(
                rule="retry.untriggered",
                message=f"Airflow does not start {dag}: {type(error).__name__}",
                remedy="see that Airflow's database is reachable from here and that it knows the DAG; or "
                "trigger the DAG in its pages, with these names in `Refused records to try again`",
            )
        ) from error
    if run is None:
        raise AssertionError("a triggered DAG has a run")
    return str(run.run_id)
