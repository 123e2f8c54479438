"""What a DAG file takes from the settings: which integrations have a flow, and a DAG's arguments and form."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import HOUSEKEEPING, dag_id

try:
    from airflow.sdk import CronDataIntervalTimetable
except ImportError:  # Airflow before 3.3
    from airflow.timetables.interval import CronDataIntervalTimetable  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.settings import (
        AnswersFromSap,
        ContractCheck,
        MasterData,
        Notifications,
        OrdersToAsperion,
        Reconcile,
        ToSap,
        Waking,
    )

ORDER_PARAMS = {
    "dry_run": Param(
        False,
        type="boolean",
        title="Dry run",
        description="Show what would be created, updated, skipped or refused. Nothing is written.",
    ),
    "pattern": Param(
        None,
        type=["null", "string"],
        title="File pattern",
        description="Only files whose name fits, e.g. ORDERS_2026*.xml. Empty: the pattern of the settings.",
        maxLength=255,
    ),
    "archived_from": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Archived files from",
        description="Read archived files again that landed at or after this moment, instead of new files.",
    ),
    "archived_to": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Archived files until",
        description="End of that interval, exclusive. Empty: until now.",
    ),
    "full": Param(
        False,
        type="boolean",
        title="Ask about every order",
        description="Look every order up in Asperion again, also those that the ledger knows as done.",
    ),
}

RETRY_PARAM = {
    "retry": Param(
        None,
        type=["null", "array"],
        items={"type": "string"},
        title="Refused records to try again",
        description="One per line: order numbers, file names, or rules such as article.missing; * for all. "
        "They are read again from the archive, with today's mapping and settings.",
        maxItems=10_000,
    ),
}

OUTGOING_PARAMS = {
    "dry_run": Param(
        False,
        type="boolean",
        title="Dry run",
        description="Show what would be sent as create, update or deletion, field by field. "
        "Nothing is written.",
    ),
    "full": Param(
        False,
        type="boolean",
        title="Send everything",
        description="Send every record, also those that did not change since SAP got them.",
    ),
    "changed_from": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Changed from",
        description="Only what changed in Asperion at or after this moment. Empty: as the settings say.",
    ),
    "changed_to": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Changed until",
        description="End of that interval, exclusive. Empty: until now.",
    ),
}


RECONCILE_PARAMS = {
    "reconcile_from": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="From",
        description="Reconcile what landed or travelled at or after this moment. Empty: the run's interval.",
    ),
    "reconcile_to": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Until",
        description="End of that interval, exclusive. Empty: until now.",
    ),
}


PURGE_DRY_RUN = Param(
    False,
    type="boolean",
    title="Dry run",
    description="Say how much would go, by kind. Nothing is deleted.",
)


def configured(flow: str) -> Iterator[tuple[str, Any]]:
    """Yield (integration, settings of the flow) for each integration in which the flow is enabled."""
    for name, integration in runtime.settings().integrations.items():
        chosen = getattr(integration.flows, flow)
        if chosen is not None and chosen.enabled:
            yield name, chosen


def dag_arguments(flow: str, integration: str, settings: OrdersToAsperion) -> dict[str, Any]:
    """Return the arguments of the DAG of a flow to Asperion.

    The schedule has data intervals, so that a backfill of a past day reads the files of that day.
    """
    return _arguments(flow, integration, settings, ORDER_PARAMS | RETRY_PARAM, runs=4)


def outgoing_dag_arguments(flow: str, integration: str, settings: ToSap) -> dict[str, Any]:
    """Return the arguments of the DAG of a flow to SAP; a backfill of a past day sends its changes."""
    return _arguments(flow, integration, settings, OUTGOING_PARAMS, runs=2)


def master_dag_arguments(flow: str, integration: str, settings: MasterData) -> dict[str, Any]:
    """Return the arguments of a DAG that reads master data: one run at a time, so the latest word counts."""
    return _one_at_a_time(flow, integration, settings)


def answer_dag_arguments(flow: str, integration: str, settings: AnswersFromSap) -> dict[str, Any]:
    """Return the arguments of the DAG that reads SAP's answers: one run at a time."""
    return _one_at_a_time(flow, integration, settings)


def reconcile_dag_arguments(flow: str, integration: str, settings: Reconcile) -> dict[str, Any]:
    """Return the arguments of the DAG that reconciles; a backfill reconciles past days."""
    return _arguments(flow, integration, settings, RECONCILE_PARAMS, runs=2)


def housekeeping_dag_arguments() -> dict[str, Any]:
    """Return the arguments of the DAG that purges: schedule of the settings, one run at a time."""
    retention = runtime.settings().retention
    schedule, zone = retention.schedule, retention.timezone
    return {
        "dag_id": HOUSEKEEPING,
        "schedule": CronDataIntervalTimetable(schedule, timezone=zone) if schedule else None,
        "start_date": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        "catchup": False,
        "max_active_runs": 1,
        "params": {"dry_run": PURGE_DRY_RUN},
        "tags": ["asperion"],
        "default_args": {"owner": "asperion", "retries": 2, "retry_delay": dt.timedelta(minutes=5)},
    }


def contract_dag_arguments(flow: str, integration: str, settings: ContractCheck) -> dict[str, Any]:
    """Return the arguments of the DAG that compares the API's description with what the flows use."""
    return _arguments(flow, integration, settings, {}, runs=1)


def watched() -> Iterator[tuple[str, Notifications]]:
    """Yield (integration, its notifications) where there is something to watch or to tell."""
    for name, integration in runtime.settings().integrations.items():
        rules = integration.notifications
        told = any(channel.enabled for channel in rules.channels.values())
        flows = (getattr(integration.flows, flow) for flow in type(integration.flows).model_fields)
        expected = any(getattr(flow, "expect", None) is not None for flow in flows)
        if rules.watch_schedule is not None and (told or expected):
            yield name, rules


def watch_dag_arguments(integration: str, rules: Notifications) -> dict[str, Any]:
    """Return the arguments of the DAG that watches over the flows of an integration."""
    return {
        "dag_id": dag_id("asperion_watch", integration),
        "schedule": rules.watch_schedule,
        "start_date": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        "catchup": False,
        "max_active_runs": 1,
        "tags": ["asperion", integration],
        "default_args": {"owner": "asperion", "retries": 1, "retry_delay": dt.timedelta(minutes=1)},
    }


def _one_at_a_time(flow: str, integration: str, settings: AnswersFromSap | MasterData) -> dict[str, Any]:
    params = {name: param for name, param in ORDER_PARAMS.items() if name != "full"}
    return _arguments(flow, integration, settings, params, runs=1)


def _arguments(
    flow: str,
    integration: str,
    settings: OrdersToAsperion | ToSap | AnswersFromSap | MasterData | Reconcile | ContractCheck,
    params: dict[str, Param],
    *,
    runs: int,
) -> dict[str, Any]:
    """Return the arguments of a DAG: schedule, retries, form."""
    return {
        "dag_id": dag_id(flow, integration),
        "schedule": _schedule(flow, integration, settings),
        "start_date": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        "catchup": False,
        "max_active_runs": runs,
        "params": params,
        "tags": ["asperion", "sap", integration],
        "default_args": {
            "owner": "asperion",
            "retries": settings.delivery.retries,
            "retry_delay": dt.timedelta(seconds=settings.delivery.retry_delay_seconds),
        },
    }


def _schedule(flow: str, integration: str, settings: Waking | ToSap | Reconcile | ContractCheck) -> Any:
    """Return when a DAG runs: by the clock, when a file is complete, by both, or by hand only."""
    from airflow_provider_asperion.settings import Waking

    cron = settings.schedule
    timetable = CronDataIntervalTimetable(cron, timezone=settings.timezone) if cron else None
    if not isinstance(settings, Waking) or settings.wake != "file":
        return timetable
    from airflow_provider_asperion.operators.waking import dropped_files, or_time

    asset = dropped_files(dag_id(flow, integration), integration, settings)
    return [asset] if timetable is None else or_time(timetable, asset)
