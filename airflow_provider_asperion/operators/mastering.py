"""The work of the task that brings SAP's master data to Asperion: file by file, in the order of the files."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_provider_asperion.flows.creating import Creator
from airflow_provider_asperion.flows.debtors import DEBTOR
from airflow_provider_asperion.flows.exactly_once import ExactlyOnce, patience_of
from airflow_provider_asperion.flows.intake import taken
from airflow_provider_asperion.flows.master_data.customers import DebtorDesk
from airflow_provider_asperion.flows.master_data.deliver import Delivering, plan
from airflow_provider_asperion.flows.master_data.prepare import Preparer, Said
from airflow_provider_asperion.flows.master_data.products import ARTICLE, ArticleMasterDesk
from airflow_provider_asperion.flows.orders_to_asperion.live import load_live_values
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import DocumentKey, LedgerQueue, files, ledger_session
from airflow_provider_asperion.operators.breaking import Breaker
from airflow_provider_asperion.operators.delivering import claims_extended, in_words
from airflow_provider_asperion.operators.reading import ProblemLog, mappings_of
from airflow_provider_asperion.records import ArticleMaster, CustomerMaster, Outcome, Problem, Tally
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK, drain
from airflow_provider_asperion.settings import CustomersToAsperion, ProductsToAsperion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.flows.intake import ClaimedFile, FileToRead, Intake
    from airflow_provider_asperion.flows.master_data.desk import Desk
    from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanEntry
    from airflow_provider_asperion.ledger import Ledger, LiveSession
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.sap.dropbox import Dropbox

MasterFlow = CustomersToAsperion | ProductsToAsperion
NAMELESS = "source_document"


@dataclass(slots=True)
class Mastered:
    """What came of the files of a run.

    :param pending: records without an end state; the file that holds them waits for the next try, and so do
        all later ones: they may tell something newer of the same records.
    :param stopped: why the files after this one were left for later: too much was refused.
    :param plan: in a dry run, how many would be created, updated and so on.
    """

    tally: Tally = field(default_factory=Tally)
    files: int = 0
    pending: list[Outcome] = field(default_factory=list)
    stopped: Problem | None = None
    plan: dict[str, int] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return it for an XCom: counts, nothing personal."""
        counts = {"files": self.files, "counts": self.tally.counts, "problems": self.tally.problems}
        return counts | ({"plan": self.plan} if self.plan else {})


def preparer_of(flow: MasterFlow) -> Preparer[Any]:
    """Return what makes records of documents: the mappings of the settings, compiled.

    :raises ProblemError: a mapping is wrong; each problem names the row.
    """
    zone = ZoneInfo(flow.timezone)
    kind = CustomerMaster if isinstance(flow, CustomersToAsperion) else ArticleMaster
    return Preparer(kind, flow, mappings_of(flow), today=lambda: dt.datetime.now(zone).date())


async def plan_records(said: Sequence[Said[Any]], integration: str, flow: MasterFlow) -> list[PlanEntry]:
    """Say what delivering records would do; writes nothing."""
    with runtime.open_ledger() as ledger:
        vault = runtime.vault(ledger)
        async with runtime.asperion(integration, vault, in_flight=flow.delivery.in_flight) as asperion:
            await asperion.client.verify_administration()
            desk = await _desk(flow, asperion, lambda text: text)
            return await plan(said, desk, in_flight=flow.delivery.in_flight)


async def deliver_files(
    found: Sequence[FileToRead],
    *,
    integration: str,
    flow: MasterFlow,
    run: str,
    owner: str,
    dry_run: bool,
    log: Logger,
) -> Mastered:
    """Read files, one after another, and bring what they say to Asperion; may be repeated.

    :raises ProblemError: a transfer failed; trying again reads the file again.
    :raises AsperionError: the administration cannot be read at all; nothing was written.
    """
    result, causes = Mastered(), ProblemLog(log)
    async with AsyncExitStack() as stack:
        intake, dropbox, ledger = await stack.enter_async_context(
            runtime.intake(integration, flow.folder, run=run)
        )
        vault = runtime.vault(ledger)
        asperion = await stack.enter_async_context(
            runtime.asperion(integration, vault, in_flight=flow.delivery.in_flight)
        )
        await asperion.client.verify_administration()
        live = await stack.enter_async_context(
            ledger_session(ledger, owner, run, lease_seconds=runtime.lease_seconds())
        )
        queue = await stack.enter_async_context(LedgerQueue(ledger))
        hasher = await asyncio.to_thread(vault.identity_hasher)
        parts = await _delivering(flow, asperion, queue, live, hasher)
        name = "customers_to_asperion" if isinstance(flow, CustomersToAsperion) else "products_to_asperion"
        breaker = Breaker(ledger, integration, name, flow.circuit, run, run, log)
        if not dry_run:
            await asyncio.to_thread(breaker.admit)
        for file in found:
            claimed = await taken(intake, file, dry_run=dry_run)
            if claimed is None or (claimed.archived and not dry_run and file.source != "archive"):
                # What an earlier try of this run has done: later files may have said something newer since.
                log.info("file %s is done already, or in the hands of another run", file.name)
                continue
            work = _File(claimed, flow, parts, causes, dry_run=dry_run)
            async with claims_extended(ledger, [] if claimed.archived else [claimed.id], run):
                await work.deliver(dropbox, ledger, run)
            result.files += 1
            result.tally = result.tally.plus(work.tally)
            _count(work.entries, result, log)
            lies = await _put_away(intake, claimed, work)
            log.info("%s: %s%s", file.name, _counts(work), lies)
            if work.pending:
                result.pending = work.pending
                break
            if not dry_run and not await asyncio.to_thread(breaker.count, work.tally.counts):
                result.stopped = await asyncio.to_thread(breaker.stopped)
                break
        log.info("Asperion: %s", asperion.client.stats)
        causes.close()
        if not dry_run:
            await asyncio.to_thread(causes.note, ledger, run, owner)
    log.info("%s: %s", "dry run, nothing was written" if dry_run else "all files", result.told())
    return result


async def _delivering(
    flow: MasterFlow,
    asperion: Asperion,
    queue: LedgerQueue,
    live: LiveSession,
    hasher: Callable[[str], str],
) -> Delivering[Any]:
    patience = patience_of(flow.delivery, live.session.lease_seconds / 3)
    desk = await _desk(flow, asperion, hasher, ExactlyOnce(queue, live, patience))
    administration = str(asperion.client.administration)
    return Delivering(desk, queue, live, administration, flow.delivery.in_flight)


async def _desk(
    flow: MasterFlow, asperion: Asperion, hasher: Callable[[str], str], once: ExactlyOnce | None = None
) -> Desk[Any]:
    """Return who decides and writes; without ``once`` it can only decide."""
    values, administration = await load_live_values(asperion), str(asperion.client.administration)
    desk: Any
    if isinstance(flow, CustomersToAsperion):
        debtors = Creator(once, administration, DEBTOR, asperion.get_debtor) if once else None
        desk = DebtorDesk(asperion, flow.customer, values, hasher, debtors)
    else:
        articles = Creator(once, administration, ARTICLE, asperion.get_article) if once else None
        desk = ArticleMasterDesk(asperion, flow.article, values, articles)
    return desk


class _File:
    """The work on one file."""

    def __init__(
        self,
        claimed: ClaimedFile,
        flow: MasterFlow,
        parts: Delivering[Any],
        causes: ProblemLog,
        *,
        dry_run: bool,
    ) -> None:
        self._claimed = claimed
        self._flow = flow
        self._preparer = preparer_of(flow)
        self._parts = parts
        self._causes = causes
        self._dry_run = dry_run
        self.documents = 0
        self.tally = Tally()
        self.broken: Problem | None = None
        self.pending: list[Outcome] = []
        self.entries: list[PlanEntry] = []

    async def deliver(self, dropbox: Dropbox, ledger: Ledger, run: str) -> None:
        """Read the file to its end and deliver what it says, batch by batch, in bounded memory."""
        async with dropbox.open(self._claimed.remote) as stream:
            with io.BufferedReader(stream, BLOCK) as buffered:
                profile = self._flow.reading
                met = self._met(read_documents(buffered, file=self._claimed.name, profile=profile))
                size = self._flow.delivery.batch_size
                while batch := await asyncio.to_thread(lambda: list(islice(met, size))):
                    await self._deliver(batch)
                await asyncio.to_thread(drain, buffered)
            sha256 = stream.sha256
        if not self._claimed.archived:
            ledger.run(files.file_read, self._claimed.id, run, sha256, self.documents)

    def _met(self, found: Iterator[Any]) -> Iterator[Said[Any] | tuple[Problem, ...]]:
        for one in found:
            self.documents += 1
            if isinstance(one, Problem):
                if one.position is None:
                    self.broken = one  # about the file as a whole: nothing after this place can be read
                yield (one,)
            else:
                yield from self._preparer.prepare(one)

    async def _deliver(self, batch: Sequence[Said[Any] | tuple[Problem, ...]]) -> None:
        said = [one for one in batch if isinstance(one, Said)]
        for problems in (one for one in batch if not isinstance(one, Said)):
            await self._refuse(problems)
        if self._dry_run:
            self.entries += await plan(said, self._parts.desk, in_flight=self._parts.in_flight)
            return
        outcomes = await self._parts.deliver(said)
        self._end(outcomes)
        self.pending += [outcome for outcome in outcomes if outcome.state == "pending"]

    async def _refuse(self, problems: tuple[Problem, ...]) -> None:
        """Note what could not be understood: in the trail, under its place in the file."""
        first = problems[0]
        position = first.position or self.documents
        record = first.record or f"{self._claimed.name}#{position}"
        outcome = Outcome(
            record=record, state="refused", file=self._claimed.name, position=position, problems=problems
        )
        self._end([outcome])
        if not self._dry_run:
            key = DocumentKey(self._parts.administration, NAMELESS, f"{self._claimed.id}#{position}")
            detail: dict[str, Any] = {"record": record, "file": self._claimed.name, "position": position}
            await self._parts.queue.event(self._parts.live.session, key, "refused", detail, problems)

    def _end(self, outcomes: Sequence[Outcome]) -> None:
        self.tally = self.tally.plus(Tally.of(outcomes))
        for outcome in outcomes:
            for problem in outcome.problems:
                self._causes(problem)


async def _put_away(intake: Intake, claimed: ClaimedFile, work: _File) -> str:
    """Move a file whose records have an end state; return where it lies, in words."""
    if claimed.archived:
        return ""
    if work.pending:
        await intake.leave(claimed)
        return "; it stays in the work folder for the next try"
    return f" -> {await intake.put_away(claimed, [work.broken] if work.broken else [])}"


def _count(entries: Sequence[PlanEntry], result: Mastered, log: Logger) -> None:
    for entry in entries:
        result.plan[entry.action] = result.plan.get(entry.action, 0) + 1
        log.info("%s %s: %s", entry.file, entry.record, in_words(entry))


def _counts(work: _File) -> str:
    states = [f"{count} {state}" for state, count in sorted(work.tally.counts.items())]
    return f"{work.documents} documents" + (f": {', '.join(states)}" if states else "")
