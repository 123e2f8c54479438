"""Operators of the orders flow: list, read, deliver, settle. Thin: the rules are in the flow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.sdk import task

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.notifications.failures import task_failed
from airflow_provider_asperion.operators import account
from airflow_provider_asperion.operators.base import failure_of, told_to_airflow
from airflow_provider_asperion.operators.incoming import FromSapOperator, ListFilesOperator
from airflow_provider_asperion.operators.interval import parameters
from airflow_provider_asperion.operators.lineage import Moved, Traced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class OrdersOperator(FromSapOperator):
    """Base of the operators of the orders flow."""

    flow_name = "orders_to_asperion"

    def flow_in(self, context: Context) -> Any:
        """Return the settings of the flow for a run.

        Refused orders that a person has tried again neither stop the flow nor wait until it goes on.
        """
        from airflow_provider_asperion.settings.watching import CircuitRules

        flow = self.flow()
        retried = bool(parameters(context).retry)
        return flow.model_copy(update={"circuit": CircuitRules()}) if retried else flow


class ListOrderFilesOperator(ListFilesOperator):
    """Finds the order files that a run reads."""

    flow_name = "orders_to_asperion"

    def batches(self) -> int:
        """Return how many batches the orders of a run may make."""
        return int(self.flow().delivery.maximum_batches)


class ReadOrdersOperator(Traced, OrdersOperator):
    """Claims the files of a group, decodes, maps and validates them; good orders go to staging.

    :param files: a group of files, as :class:`ListOrderFilesOperator` returns it.

    Returns what came of each file: :class:`.reading.FileRead`.
    """

    template_fields: Sequence[str] = (*OrdersOperator.template_fields, "files")

    def __init__(self, *, files: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.files = files

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return what came of each file."""
        from airflow_provider_asperion.flows.intake import FileGroup

        group = FileGroup.model_validate(self.files)
        with told_to_airflow(self.log):
            return asyncio.run(self._read(group, context))

    async def _read(self, group: Any, context: Context) -> list[dict[str, Any]]:
        from airflow_provider_asperion.operators.reading import read_group

        read = await read_group(
            group,
            integration=self.integration,
            flow=self.flow_in(context),
            run=runtime.run_of(context),
            owner=runtime.owner_of(context),
            dry_run=parameters(context).dry_run,
            log=self.log,
        )
        if not parameters(context).dry_run:
            inbox = self.flow().folder.inbox.rstrip("/")
            self.moved = Moved(files_read={f"{inbox}/{file.file}": file.documents for file in read})
        return [file.model_dump(mode="json") for file in read]


@task(task_id="batches", on_failure_callback=task_failed)
def all_batches(read: Any, orders_per_task: int = 500) -> list[list[dict[str, Any]]]:
    """Put the batches of all files into one list; small ones go together into one task."""
    groups: list[list[dict[str, Any]]] = []
    room = 0
    for batch in (batch for files in read for file in files for batch in file["batches"]):
        count = batch["reference"]["count"]
        if count > room:
            groups.append([])
            room = max(orders_per_task, count)
        groups[-1].append(batch)
        room -= count
    return groups


class DeliverOrdersOperator(Traced, OrdersOperator):
    """Delivers batches of orders to Asperion, many in flight, each exactly once; or plans it.

    :param batch: batches of one task, as :func:`all_batches` returns them.

    Returns counts and amounts per file; in a dry run, what would happen.
    """

    template_fields: Sequence[str] = (*OrdersOperator.template_fields, "batch")

    def __init__(self, *, batch: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def execute(self, context: Context) -> dict[str, Any]:
        """Return counts and amounts by file."""
        from airflow_provider_asperion.flows.orders_to_asperion.reading import Batch
        from airflow_provider_asperion.operators import delivering

        batches = [Batch.model_validate(one) for one in self.batch]
        chosen, flow = parameters(context), self.flow_in(context)
        with told_to_airflow(self.log):
            if chosen.dry_run:
                summary = asyncio.run(delivering.plan_batches(batches, self.integration, flow, self.log))
                return {"plan": summary.model_dump(mode="json")}
            result = asyncio.run(
                delivering.deliver_batches(
                    batches,
                    integration=self.integration,
                    flow=flow,
                    run=runtime.run_of(context),
                    owner=runtime.owner_of(context),
                    full=chosen.full,
                    log=self.log,
                )
            )
        made = sum(tally.counts.get("created", 0) for tally in result.tallies.values())
        self.moved = Moved(lists_written={f"{flow.kind or 'sales_order'}s": made})
        told = {"tallies": {claim: tally.model_dump(mode="json") for claim, tally in result.tallies.items()}}
        if result.pending:
            # The settling task reads this even though the task fails and is tried again.
            context["ti"].xcom_push(key="return_value", value=told)
            text = f"{result.pending} orders have no end state yet. The first reason: {result.reason}"
            problems = [result.reason] if result.reason else []
            raise failure_of(problems, text, final=not result.transient)
        return told


class SettleOrdersOperator(OrdersOperator):
    """Closes the books: counts and amounts in = out, files archived, staging emptied. Runs in any case.

    :param read: what came of each file, of all reading tasks.
    :param delivered: what the delivering tasks say.

    Returns the sum of all files. Fails when a file is not done, or does not tie.
    """

    template_fields: Sequence[str] = (*OrdersOperator.template_fields, "read", "delivered")

    def __init__(self, *, read: Any, delivered: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.read = read
        self.delivered = delivered

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the sum of all files."""
        from airflow_provider_asperion.operators.settling import settle_run

        with account.ending(context, self) as told, told_to_airflow(self.log):
            closing = asyncio.run(
                settle_run(
                    read=list(self.read or ()),
                    delivered=list(self.delivered or ()),
                    integration=self.integration,
                    flow=self.flow(),
                    run=runtime.run_of(context),
                    dry_run=parameters(context).dry_run,
                    log=self.log,
                )
            )
            told.take(closing.summary)
            if closing.open_problems:
                # Nothing to try again here: the next run goes on with the files.
                text = "\n".join(str(problem) for problem in closing.open_problems)
                raise failure_of(closing.open_problems, text, final=True)
        return closing.summary
