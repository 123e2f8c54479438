"""The operator that purges what is older than the settings keep it. Thin: the rules are in the flow."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.notifications.failures import tell_failures
from airflow_provider_asperion.operators.base import told_to_airflow

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_asperion.operators.base import Logger

TOLD_EACH = 10_000


class PurgeOperator(BaseOperator):
    """Purges ledger, staging and, where the settings say so, log files of tasks.

    In many short transactions, beside the flows. Killed at any point, the next run goes on.

    Returns how many rows, batches and files went, by kind.
    """

    ui_color = "#eee7f2"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tell_failures(self)

    def execute(self, context: Context) -> dict[str, int]:
        """Return what went, by kind."""
        with told_to_airflow(self.log):
            return purge(dry_run=bool(context["params"].get("dry_run")), log=self.log)


def purge(*, dry_run: bool, log: Logger) -> dict[str, int]:
    """Purge by the settings, and tell.

    :raises ProblemError: the ledger cannot be reached.
    """
    from airflow_provider_asperion.flows.purging import purge_old
    from airflow_provider_asperion.hooks.task_logs import purge_task_logs

    settings = runtime.settings()
    told = _Told(log)
    with runtime.open_ledger(settings) as ledger:
        lines = purge_old(
            ledger, runtime.staging(settings), settings.retention, dry_run=dry_run, on_progress=told
        )
        emptied = dry_run or ledger.empty_log()
    gone = {line.kind: line.gone for line in lines}
    days = settings.retention.task_logs_days
    if days is not None:
        before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
        gone["task_logs"] = purge_task_logs(settings.integrations, before, dry_run=dry_run)
    verb = "would go" if dry_run else "gone"
    for line in lines:
        kept = "" if line.days is None else f", kept for {line.days} days"
        log.info("%s: %s %s%s", line.about, line.gone, verb, kept)
    if "task_logs" in gone:
        log.info("log files of tasks: %s %s, kept for %s days", gone["task_logs"], verb, days)
    if not emptied:
        log.warning("the log of the ledger is in use and was not emptied; the next run tries again")
    return gone


class _Told:
    """Tells how far it is, each 10,000 rows."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._told: dict[str, int] = {}

    def __call__(self, kind: str, gone: int) -> None:
        if gone - self._told.get(kind, 0) >= TOLD_EACH:
            self._told[kind] = gone
            self._log.info("%s: %s gone so far", kind, gone)
