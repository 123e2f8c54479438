"""What would happen to orders, before any DAG runs: of files at hand, and of refused records tried again."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanEntry
from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
from airflow_provider_asperion.flows.orders_to_asperion.reading import Reading
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger.patches import PatchBook
from airflow_provider_asperion.operators.delivering import plan_orders
from airflow_provider_asperion.operators.reading import preparer_of
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK, drain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from airflow_provider_asperion.flows.intake import FileToRead
    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.sap.transfer import RemoteStream

FLOW = "orders_to_asperion"


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What trying refused records again would do. Personal: for the eyes of whoever asked.

    :param remarks: of records that do not travel, and of files that cannot be read.
    :param left_out: how many more would be tried; a plan for a person ends somewhere.
    """

    entries: Sequence[PlanEntry]
    remarks: Sequence[str]
    left_out: int


async def plan_retry(integration: str, wanted: Collection[str], *, most: int) -> RetryPlan:
    """Read refused records again from the archive and say what would happen to them; writes nothing.

    :param wanted: see :func:`.refusals.refused`.
    :param most: of so many at most.
    :raises ProblemError, AsperionError: settings, ledger, server or Asperion cannot be used.
    """
    flow, remarks = runtime.flow(integration, FLOW), list[str]()
    orders = OrdersToPlan(await asyncio.to_thread(preparer_of, flow), on_remark=remarks.append)
    administration, left_out, taken = await runtime.administration_of(integration), 0, 0
    async with runtime.intake(integration, flow.folder, run="plan") as (intake, dropbox, ledger):
        files, problems = await intake.refused_files(wanted, administration)
        remarks += [str(problem) for problem in problems]
        book = PatchBook(ledger, runtime.cipher())
        for file in files:
            positions = sorted(file.positions or ())
            chosen = positions[: max(0, most - taken)]
            taken, left_out = taken + len(chosen), left_out + len(positions) - len(chosen)
            if not chosen:
                continue
            patches = await asyncio.to_thread(book.of_file, file.claim or "")
            async with dropbox.open(file.remote) as stream:
                await asyncio.to_thread(_add, orders, stream, file, frozenset(chosen), patches, flow.reading)
    planned = await plan_orders(orders.staged, integration, flow) if orders.staged else []
    entries = sorted([*planned, *orders.refused], key=lambda entry: (entry.file, entry.position))
    return RetryPlan(entries, remarks, left_out)


def _add(
    orders: OrdersToPlan,
    stream: RemoteStream,
    file: FileToRead,
    positions: Collection[int],
    patches: Mapping[int, Mapping[str, str | None]],
    profile: ReadProfile,
) -> None:
    with io.BufferedReader(stream, BLOCK) as buffered:
        found = read_documents(buffered, file=file.name, profile=profile)
        orders.add((one for one in found if one.position in positions), patches)
        drain(buffered)


class OrdersToPlan:
    """Gathers the orders of documents, and what is refused before Asperion is asked.

    :param keys: numbers of the orders that are wanted; empty: all.
    :param on_remark: told of orders that do not travel.
    :ivar met: numbers of the orders that there are.
    """

    def __init__(
        self, preparer: Preparer, keys: Collection[str] = (), *, on_remark: Callable[[str], None]
    ) -> None:
        self._preparer = preparer
        self._keys = frozenset(keys)
        self._remark = on_remark
        self._met: dict[str, Reading] = {}
        self.met: set[str] = set()
        self.staged: list[StagedOrder] = []
        self.refused: list[PlanEntry] = []

    def add(
        self, found: Iterable[SourceDocument | Problem], patches: Mapping[int, Mapping[str, str | None]] = {}
    ) -> None:
        """Prepare documents; ``patches`` by position: what a person changed in one."""
        for one in found:
            if isinstance(one, Problem):
                self._refuse((one,))
                continue
            try:
                prepared = self._preparer.prepare(one, claim="", patches=patches.get(one.position))
            except ProblemError as error:
                self._refuse(error.problems)
                continue
            number = prepared.record if isinstance(prepared, Filtered) else prepared.order.reference
            if not self._wanted(number):
                continue
            if isinstance(prepared, Filtered):
                self._remark(f"{one.file}: order {prepared.record} does not travel: {prepared.reason}")
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
            self._remark(f"{text}, and would be skipped")
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

    def _wanted(self, number: str) -> bool:
        self.met.add(number)
        return not self._keys or number in self._keys

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        if first.record is not None and not self._wanted(first.record):
            return
        self.refused.append(
            PlanEntry(
                record=first.record or "",
                file=first.file or "",
                position=first.position or 0,
                action="refuse",
                problems=problems,
            )
        )
