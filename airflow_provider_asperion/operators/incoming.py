"""What the operators of all flows from SAP's files share: the settings of the flow, and the list of files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import SkipMixin
from airflow.sdk import BaseOperator

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.links.records import RecordsLink
from airflow_provider_asperion.notifications.failures import tell_failures
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import told_to_airflow
from airflow_provider_asperion.operators.interval import archived_interval, parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_asperion.records import Problem


class FromSapOperator(BaseOperator):
    """Base: knows the integration whose settings count.

    :param integration: name of the integration in the settings file.
    """

    template_fields: Sequence[str] = ("integration",)
    ui_color = "#e3f0ec"
    operator_extra_links = (RecordsLink(),)
    flow_name: ClassVar[str]

    def __init__(self, *, integration: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        tell_failures(self)
        self.integration = integration

    def flow(self) -> Any:
        """Return the settings of the flow.

        :raises ProblemError: the integration does not have the flow.
        """
        return runtime.flow(self.integration, self.flow_name)


class ListFilesOperator(FromSapOperator, SkipMixin):
    """Finds the files that the run reads; none: all that follows is skipped.

    New files, and those that an earlier run left behind. In a backfill, or with the form's interval filled
    in: archived files that landed in the interval. With refused records named in the form: the files in which
    those stand, and of them those records only.

    Returns groups of files, one per task that reads: :class:`.intake.FileGroup`.
    """

    # The scheduler asks for it: of a cleared run the mapped tasks are there already, and must be skipped too.
    inherits_from_skipmixin = True

    def batches(self) -> int:
        """Return how many batches the files of a run may make; none where reading stages nothing."""
        return 0

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the groups of files."""
        with told_to_airflow(self.log):
            stopped = self._stopped(context)
            groups = [] if stopped else asyncio.run(self._list(context))
            if groups:
                account.begin(context, self.integration, self.flow_name)
            else:
                account.idle(context, self, well=not stopped)
        if not groups:
            self.log.info("%s; the run ends here.", stopped or "No file to read")
            following = context["task"].get_flat_relatives(upstream=False)
            self.skip(ti=context["ti"], tasks=following)
        return groups

    def _stopped(self, context: Context) -> Problem | None:
        """Return why nothing is read: too much was refused. What a person wants tried again is read."""
        from airflow_provider_asperion.operators.breaking import stops

        chosen, rules = parameters(context), getattr(self.flow(), "circuit", None)
        if rules is None or rules.share is None or chosen.dry_run or chosen.retry:
            return None
        with runtime.open_ledger() as ledger:
            return stops(ledger, self.integration, self.flow_name, rules)

    async def _list(self, context: Context) -> list[dict[str, Any]]:
        from airflow_provider_asperion.flows.intake import grouped

        chosen, folder = parameters(context), self.flow().folder
        interval = archived_interval(context)
        async with runtime.intake(self.integration, folder, run=runtime.run_of(context)) as (intake, _, _):
            if chosen.retry:
                administration = await runtime.administration_of(self.integration)
                found, problems = await intake.refused_files(chosen.retry, administration)
            elif interval is None:
                found, problems = await intake.new_files(chosen.pattern)
            else:
                found, problems = await intake.archived_files(*interval, chosen.pattern), []
        if problems:
            await asyncio.to_thread(self._note, problems, context)
        for file in found:
            self.log.info("%s file %s, %s bytes", file.source, file.name, file.remote.size)
        groups = grouped(found, batches=self.batches())
        return [group.model_dump(mode="json") for group in groups]

    def _note(self, problems: Sequence[Problem], context: Context) -> None:
        """Log what is wrong with files that are not read, and put it down for the alerts of the run."""
        from airflow_provider_asperion.operators.reading import ProblemLog

        causes = ProblemLog(self.log)
        for problem in problems:
            causes(problem)
        causes.close()
        if not parameters(context).dry_run:
            with runtime.open_ledger() as ledger:
                causes.note(ledger, runtime.run_of(context), runtime.owner_of(context))
