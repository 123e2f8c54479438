"""The work of the delivering task: batches from staging to Asperion, or into a plan."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.orders_to_asperion.deliver import Delivering, deliver
from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanEntry, PlanSummary, plan
from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
from airflow_provider_asperion.flows.progress import Progress, counts_in_words, many
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import GripLost, LedgerQueue, files, ledger_session
from airflow_provider_asperion.operators.breaking import Breaker
from airflow_provider_asperion.operators.reading import ProblemLog
from airflow_provider_asperion.records import Outcome, Problem, Tally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from airflow_provider_asperion.flows.orders_to_asperion.reading import Batch
    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.settings import OrdersToAsperion

FLOW = "orders_to_asperion"
EXTEND_SECONDS = 300  # a third of the lease of a claimed file


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of a task's batches.

    :param tallies: counts and amounts by claimed file.
    :param pending: orders without an end state.
    :param transient: True when trying again can help.
    :param reason: the first problem of a pending order, None where none is pending.
    """

    tallies: dict[str, Tally]
    pending: int
    transient: bool
    reason: Problem | None


async def deliver_batches(
    batches: Sequence[Batch],
    *,
    integration: str,
    flow: OrdersToAsperion,
    run: str,
    owner: str,
    full: bool,
    log: Logger,
) -> Delivered:
    """Deliver all orders of some batches.

    :raises ProblemError: a batch cannot be read.
    :raises AsperionError: the administration cannot be read at all; nothing was written.
    """
    staged = [order for batch in batches for order in orders_of(batch)]
    progress = _Progress(log, len(staged))
    with runtime.open_ledger() as ledger:
        vault = runtime.vault(ledger)
        who = batches[0].reference.uri if batches else run
        breaker = Breaker(ledger, integration, FLOW, flow.circuit, run, who, log)
        await asyncio.to_thread(breaker.admit)
        async with (
            ledger_session(ledger, owner, run, lease_seconds=runtime.lease_seconds()) as live,
            LedgerQueue(ledger) as queue,
            runtime.asperion(integration, vault, in_flight=flow.delivery.in_flight) as asperion,
            claims_extended(ledger, {batch.claim for batch in batches}, run),
        ):
            await asperion.client.verify_administration()
            hasher = await asyncio.to_thread(vault.identity_hasher)
            parts = Delivering(
                flow=flow,
                asperion=asperion,
                queue=queue,
                live=live,
                administration=str(asperion.client.administration),
                run=run,
                hashed=hasher,
                full=full,
                keeper=runtime.keeper(),
            )
            outcomes = await deliver(staged, parts, on_outcome=progress)
            progress.close()
            await asyncio.to_thread(progress.note, ledger, run, owner)
            counts = Tally.of(outcomes).counts
            log.info("%s: %s", many(len(staged), "order"), counts_in_words(counts))
            await asyncio.to_thread(breaker.count, counts)
            log.info(
                "Asperion: %s; ledger: %s calls in %s transactions",
                asperion.client.stats,
                queue.calls,
                queue.transactions,
            )
    return _delivered(staged, outcomes)


async def plan_batches(
    batches: Sequence[Batch], integration: str, flow: OrdersToAsperion, log: Logger
) -> PlanSummary:
    """Log what delivering some batches would do, and count it."""
    staged = [order for batch in batches for order in orders_of(batch)]
    entries = await plan_orders(staged, integration, flow)
    for entry in entries:
        log.info("%s %s: %s", entry.file, entry.record, in_words(entry))
    return PlanSummary.of(entries)


async def plan_orders(
    staged: Sequence[StagedOrder], integration: str, flow: OrdersToAsperion
) -> list[PlanEntry]:
    """Say what delivering orders would do; writes nothing."""
    with runtime.open_ledger() as ledger:
        async with runtime.asperion(
            integration, runtime.vault(ledger), in_flight=flow.delivery.in_flight
        ) as asperion:
            await asperion.client.verify_administration()
            administration = str(asperion.client.administration)
            return await plan(
                staged, flow=flow, asperion=asperion, ledger=ledger, administration=administration
            )


def in_words(entry: PlanEntry) -> str:
    """Return a plan entry without any value: names of fields, forms of values, keys."""
    if entry.action == "refuse":
        return "refuse: " + "; ".join(str(problem) for problem in entry.problems)
    if entry.action == "update":
        return f"update {entry.asperion_id}: {_masked(entry)}"
    if entry.action != "create":
        return f"{entry.action}: it is {entry.asperion_id} in Asperion"
    if entry.customer is None:
        return f"create: {_masked(entry)}"
    fields = _masked(entry, "customer.")
    return f"create with {entry.lines} lines; customer: {entry.customer}" + (f" ({fields})" if fields else "")


def _masked(entry: PlanEntry, prefix: str = "") -> str:
    return ", ".join(change.masked() for change in entry.changes if change.field.startswith(prefix))


def orders_of(batch: Batch) -> list[StagedOrder]:
    """Read a batch from staging.

    :raises ProblemError: it is gone or damaged.
    """
    return [StagedOrder.model_validate_json(line) for line in runtime.staging().read(batch.reference)]


def _delivered(staged: Sequence[StagedOrder], outcomes: Sequence[Outcome]) -> Delivered:
    tallies: dict[str, Tally] = {}
    pairs = sorted(zip(staged, outcomes, strict=True), key=lambda pair: pair[0].claim)
    for claim, group in groupby(pairs, key=lambda pair: pair[0].claim):
        tallies[claim] = Tally.of(outcome for _, outcome in group)
    pending = [outcome for outcome in outcomes if outcome.state == "pending"]
    problems = [problem for outcome in pending for problem in outcome.problems]
    return Delivered(
        tallies=tallies,
        pending=len(pending),
        transient=all(problem.transient for problem in problems),
        reason=problems[0] if problems else None,
    )


class _Progress:
    """Tells how far a delivery is, now and then, and its problems grouped by cause."""

    def __init__(self, log: Logger, total: int) -> None:
        self._progress = Progress(log.info, "orders", total)
        self._problems = ProblemLog(log)

    def __call__(self, outcome: Outcome) -> None:
        for problem in outcome.problems:
            self._problems(problem)
        self._progress.step(refused=outcome.state == "refused")

    def close(self) -> None:
        self._problems.close()

    def note(self, ledger: Ledger, run: str, owner: str) -> None:
        self._problems.note(ledger, run, owner)


@asynccontextmanager
async def claims_extended(ledger: Ledger, claims: Iterable[str], run: str) -> AsyncIterator[None]:
    """Keep the run's claim on its files alive while their orders are delivered."""

    async def extend() -> None:
        while True:
            for claim in claims:
                try:
                    await asyncio.to_thread(ledger.run, files.extend_claim, claim, run)
                except GripLost:
                    continue  # read from the archive, or taken over: each order is held by itself
            await asyncio.sleep(EXTEND_SECONDS)

    extending = asyncio.create_task(extend())
    try:
        yield
    finally:
        extending.cancel()
        await asyncio.gather(extending, return_exceptions=True)
