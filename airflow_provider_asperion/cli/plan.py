"""`asperion plan`: what would happen to orders, of local files or of the drop folder. Writes nothing."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.files import documents_of
from airflow_provider_asperion.cli.output import remark, show
from airflow_provider_asperion.cli.plan_table import as_json, as_table
from airflow_provider_asperion.cli.profiles import ORDERS, flow_of
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of, tell
from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanEntry
from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
from airflow_provider_asperion.flows.orders_to_asperion.reading import Reading
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.delivering import plan_orders
from airflow_provider_asperion.operators.reading import preparer_of
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.sap.transfer import RemoteStream
    from airflow_provider_asperion.settings import OrdersToAsperion


def plan(arguments: argparse.Namespace) -> int:
    """Print what would happen; return 1 when the files that were named hold no order."""
    reach_connections()
    flow = flow_of(arguments, ORDERS)
    integration = integration_of(settings_of(arguments), arguments.integration)
    orders = _Orders(preparer_of(flow))
    with missing_connections_told():
        if arguments.files:
            orders.add(documents_of(arguments.files, flow.reading))
        else:
            asyncio.run(_add_drop_folder(orders, integration, flow))
        planned = asyncio.run(plan_orders(orders.staged, integration, flow)) if orders.staged else []
    entries = sorted([*planned, *orders.refused], key=lambda entry: (entry.file, entry.position))
    shown = as_json if arguments.json else as_table
    for line in shown(entries, masked=arguments.masked):
        show(line)
    return 1 if arguments.files and not planned else 0


class _Orders:
    """Gathers the orders of documents, and what is refused before Asperion is asked."""

    def __init__(self, preparer: Preparer) -> None:
        self._preparer = preparer
        self._met: dict[str, Reading] = {}
        self.staged: list[StagedOrder] = []
        self.refused: list[PlanEntry] = []

    def add(self, found: Iterable[SourceDocument | Problem]) -> None:
        """Prepare documents."""
        for one in found:
            if isinstance(one, Problem):
                self._refuse((one,))
                continue
            try:
                prepared = self._preparer.prepare(one, claim="")
            except ProblemError as error:
                self._refuse(error.problems)
                continue
            if isinstance(prepared, Filtered):
                remark(f"{one.file}: order {prepared.record} does not travel: {prepared.reason}")
            else:
                self._take(prepared)

    def _take(self, staged: StagedOrder) -> None:
        reading = self._met.setdefault(staged.file, Reading("", staged.file))
        double = reading.double_of(staged)
        if double is None:
            self.staged.append(staged)
            return
        content, first = double
        if content == "same":
            text = f"{staged.file}: document {staged.position} is the same as document {first}"
            remark(f"{text}, and would be skipped")
            return
        problem = Problem(
            rule="order.double",
            message=f"document {first} of this file has the same order number and other content",
            remedy="have the sender send one of them under another number",
            field="reference",
        )
        order = staged.order.reference
        self._refuse(
            (problem.at(file=staged.file, position=staged.position, line=staged.line, record=order),)
        )

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        self.refused.append(
            PlanEntry(
                record=first.record or "",
                file=first.file or "",
                position=first.position or 0,
                action="refuse",
                problems=problems,
            )
        )


async def _add_drop_folder(orders: _Orders, integration: str, flow: OrdersToAsperion) -> None:
    """Read the files that the next run would read, where they lie."""
    async with runtime.intake(integration, flow.folder, run="plan") as (intake, dropbox, _):
        files, problems = await intake.new_files()
        tell(problems)
        for file in files:
            async with dropbox.open(file.remote) as stream:
                await asyncio.to_thread(_add_stream, orders, stream, file.name, flow)


def _add_stream(orders: _Orders, stream: RemoteStream, name: str, flow: OrdersToAsperion) -> None:
    with io.BufferedReader(stream, BLOCK) as buffered:
        orders.add(read_documents(buffered, file=name, profile=flow.reading))
