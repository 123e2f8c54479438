"""The work of the reading task: a group of files, one after another, from the server into staging."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections import Counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_provider_asperion.flows.intake import taken
from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
from airflow_provider_asperion.flows.orders_to_asperion.read import FileReader, Records
from airflow_provider_asperion.flows.progress import Progress, many
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import alerts, files, ledger_session
from airflow_provider_asperion.ledger.patches import PatchBook
from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.operators.breaking import Breaker
from airflow_provider_asperion.records.groups import Grouping
from airflow_provider_asperion.sap.transfer import BLOCK, drain

if TYPE_CHECKING:
    from airflow_provider_asperion.flows.intake import ClaimedFile, FileGroup
    from airflow_provider_asperion.flows.orders_to_asperion.reading import FileRead
    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.records import Problem
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.sap.transfer import RemoteStream
    from airflow_provider_asperion.settings import MasterData, OrdersToAsperion

FLOW = "orders_to_asperion"
SHOWN_PER_CAUSE = 5
Patches = dict[int, dict[str, str | None]]


async def read_group(
    group: FileGroup,
    *,
    integration: str,
    flow: OrdersToAsperion,
    run: str,
    owner: str,
    dry_run: bool,
    log: Logger,
) -> list[FileRead]:
    """Read the files of a group; a file that another run has is passed over.

    :raises ProblemError: a transfer failed; trying again reads the same files again.
    """
    preparer = preparer_of(flow)
    administration = await runtime.administration_of(integration)
    read = []
    async with (
        runtime.intake(integration, flow.folder, run=run) as (intake, dropbox, ledger),
        ledger_session(ledger, owner, run, lease_seconds=runtime.lease_seconds()) as live,
    ):
        records = Records(ledger, live.session, administration, flow.kind or "sales_order")
        causes, book = ProblemLog(log), PatchBook(ledger, runtime.cipher())
        told = _Told(log)
        reader = FileReader(
            preparer,
            runtime.staging(),
            None if dry_run else records,
            profile=flow.reading,
            run=runtime.staging_folder(run),
            size=flow.delivery.batch_size,
            share=group.share,
            on_problem=causes,
            on_document=told,
        )
        for file in group.files:
            claimed = await taken(intake, file, dry_run=dry_run)
            if claimed is None:
                log.info("file %s is in the hands of another run, or gone", file.name)
                continue
            patches = await asyncio.to_thread(book.of_file, file.claim or claimed.id)
            told.begin(claimed)
            result = await _read(
                reader, dropbox, ledger, claimed, patches, run=run, dry_run=dry_run, log=log, told=told
            )
            read.append(result)
        causes.close()
        if not dry_run:
            await asyncio.to_thread(causes.note, ledger, run, owner)
            breaker = Breaker(ledger, integration, FLOW, flow.circuit, run, owner, log)
            # Those that were staged are counted when they are delivered.
            refused = sum(file.tally.counts.get("refused", 0) for file in read)
            await asyncio.to_thread(breaker.count, {"refused": refused})
    return read


def preparer_of(flow: OrdersToAsperion) -> Preparer:
    """Return what makes orders of documents: the mappings of the settings, compiled.

    :raises ProblemError: a mapping is wrong; each problem names the row.
    """
    mappings = mappings_of(flow)
    zone = ZoneInfo(flow.timezone)
    return Preparer(flow, mappings, today=lambda: dt.datetime.now(zone).date())


def mappings_of(flow: OrdersToAsperion | MasterData) -> list[Mapping]:
    """Return the mappings of a flow, compiled; those for CSV read numbers and dates in its dialect.

    :raises ProblemError: a mapping is wrong; each problem names the row.
    """
    return [mapping_of(flow, name) for name in flow.mappings]


def mapping_of(flow: OrdersToAsperion | MasterData, name: str) -> Mapping:
    """Return one mapping of a flow, compiled.

    :raises ProblemError: it is wrong; each problem names the row.
    """
    choice, dialect = flow.mappings[name], flow.reading.csv.dialect
    arguments: dict[str, Any] = {
        "names": choice.names,
        "look_ups": flow.look_ups,
        "folder": runtime.settings_path().parent,
    }
    mapping = Mapping.load(name, choice.rows, **arguments)
    if mapping.formats != ("csv",):
        return mapping
    functions: dict[str, Any] = {"decimal": dialect.decimal, "date": dialect.date}
    return Mapping.load(name, choice.rows, functions=functions, **arguments)


async def _read(
    reader: FileReader,
    dropbox: Dropbox,
    ledger: Ledger,
    claimed: ClaimedFile,
    patches: Patches,
    *,
    run: str,
    dry_run: bool,
    log: Logger,
    told: _Told,
) -> FileRead:
    async with dropbox.open(claimed.remote) as stream:
        told.stream = stream
        result = await asyncio.to_thread(_read_to_the_end, reader, stream, claimed, patches)
        sha256 = stream.sha256
    log.info(
        "%s: %s, %s staged in %s, %s",
        claimed.name,
        many(result.documents, "document"),
        many(result.staged, "order"),
        many(len(result.batches), "batch", "batches"),
        ", ".join(f"{count} {state}" for state, count in result.tally.counts.items()) or "none refused",
    )
    if not dry_run and not claimed.archived:
        for same in ledger.run(files.file_read, claimed.id, run, sha256, result.documents):
            log.warning("%s has the same content as %s, read before", claimed.name, same.seen.name)
    return result


def _read_to_the_end(
    reader: FileReader, stream: RemoteStream, claimed: ClaimedFile, patches: Patches
) -> FileRead:
    """Read a file; past the place where reading had to stop too, for its size and checksum."""
    with io.BufferedReader(stream, BLOCK) as buffered:
        result = reader.read(
            buffered, file=claimed.name, claim=claimed.id, positions=claimed.positions, patches=patches
        )
        drain(buffered)
    return result


class _Told:
    """Tells how far the reading of the file is that was begun last."""

    def __init__(self, log: Logger) -> None:
        self.stream: RemoteStream | None = None
        self._size = 0
        self._log = log
        self._progress = Progress(log.info, "documents")

    def begin(self, claimed: ClaimedFile) -> None:
        """Begin with a file."""
        self.stream, self._size = None, claimed.remote.size
        self._log.info("reading %s, %s bytes", claimed.name, f"{self._size:,}")
        self._progress = Progress(self._log.info, f"documents of {claimed.name}", share=self._share)

    def _share(self) -> float:
        """Return how much of the file has come."""
        return self.stream.count / self._size if self.stream is not None and self._size else 0.0

    def __call__(self, refused: bool) -> None:
        self._progress.step(refused=refused)


class ProblemLog:
    """Logs problems, the first few of each cause in full: 4,000 like ones are one line. Counts them all."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._counts: Counter[str] = Counter()
        self._grouping = Grouping()

    def __call__(self, problem: Problem) -> None:
        """Log a problem, or count it when its cause was shown often enough."""
        self._counts[problem.rule] += 1
        self._grouping.add(problem)
        if self._counts[problem.rule] <= SHOWN_PER_CAUSE:
            self._log.warning("%s", problem)

    def close(self) -> None:
        """Say how many were not shown."""
        for rule, count in self._counts.items():
            if count > SHOWN_PER_CAUSE:
                self._log.warning("[%s] and %s more like these", rule, count - SHOWN_PER_CAUSE)

    def note(self, ledger: Ledger, run: str, owner: str) -> None:
        """Put down what was met, for the alerts of the run.

        :param owner: the task with its try, see :func:`.runtime.owner_of`; another try says it anew.
        """
        ledger.run(alerts.note_findings, run, owner.rpartition("/")[0] or owner, self._grouping.groups())
