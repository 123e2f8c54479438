"""The operator that reconciles an interval. Thin: the rules are in the flow."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.links.records import ReconciliationLink
from airflow_provider_asperion.notifications.failures import tell_failures
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import told_to_airflow
from airflow_provider_asperion.operators.interval import reconciled_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_asperion.flows.reconcile.statement import Statement
    from airflow_provider_asperion.operators.account import Account


class ReconcileOperator(BaseOperator):
    """Compares what stood in files with the ledger and with what the other side holds, over an interval.

    The interval is that of the form (``reconcile_from``, ``reconcile_to``), else that of the run, else the
    last 24 hours: it may stand in a DAG of its own or end another one; a backfill reconciles past days.

    The statements are kept for the page Reconcile. What does not tie fails the task at once, and the first
    differences are named by their keys.

    :param integration: name of the integration in the settings file.

    Returns for each flow how many records there were and how many differ; nothing personal.
    """

    template_fields: Sequence[str] = ("integration",)
    ui_color = "#efe9f7"
    operator_extra_links = (ReconciliationLink(),)
    flow_name: ClassVar[str] = "reconcile"

    def __init__(self, *, integration: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tell_failures(self)
        self.integration = integration

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the counts."""
        from airflow_provider_asperion.flows.reconcile.statement import problem_of
        from airflow_provider_asperion.operators.reconciling import keep, reconcile
        from airflow_provider_asperion.records import ProblemError

        start, end = reconciled_interval(context) or _last_day()
        self.log.info("from %s until before %s", start.isoformat(), end.isoformat())
        with told_to_airflow(self.log):
            account.begin(context, self.integration, self.flow_name)
        with account.ending(context, self) as told, told_to_airflow(self.log):
            found = asyncio.run(reconcile(self.integration, start, end, on_progress=self._log))
            keep(found, run=runtime.run_of(context))
            _take(told, found)
            problems = [problem for one in found if (problem := problem_of(one)) is not None]
            if problems:
                raise ProblemError(*problems)
        return {one.flow: {"records": one.records, "differences": one.found} for one in found}

    def _log(self, text: str) -> None:
        self.log.info("%s", text)


def _take(told: Account, found: Sequence[Statement]) -> None:
    """Put the sums into the account of the run."""
    told.files = sum(one.files for one in found)
    told.counts = {
        "compared": sum(one.records for one in found),
        "differences": sum(one.found for one in found),
    }
    told.problems = dict(sum((Counter(one.by_name()) for one in found), Counter()))


def _last_day() -> tuple[dt.datetime, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    return now - dt.timedelta(days=1), now
