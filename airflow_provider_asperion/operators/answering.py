"""The work of the task that reads SAP's answers: file by file into the ledger, then into the archive."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.flows.intake import taken
from airflow_provider_asperion.flows.to_sap.answers import AnswerNotes, answers_of
from airflow_provider_asperion.flows.to_sap.prepare import ledger_flow
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import files, ledger_session
from airflow_provider_asperion.operators.publishing import sap_mappings_of
from airflow_provider_asperion.operators.reading import ProblemLog
from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK, drain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.flows.intake import ClaimedFile, FileToRead
    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.sap.transfer import RemoteStream
    from airflow_provider_asperion.settings import AnswersFromSap


async def read_answers(
    found: Sequence[FileToRead],
    *,
    integration: str,
    flow: AnswersFromSap,
    run: str,
    owner: str,
    dry_run: bool,
    log: Logger,
) -> dict[str, Any]:
    """Read files with answers, one after another; a task that runs again notes nothing twice.

    A file of which something is no answer goes to the error folder, after all that is one was noted.

    :raises ProblemError: a transfer failed; trying again reads the same files again.
    """
    administration = await runtime.administration_of(integration)
    sent = runtime.integration(integration).flows.orders_to_sap
    mappings = sap_mappings_of(sent) if sent else []
    order_flows = [ledger_flow("orders_to_sap", mapping.name, integration) for mapping in mappings]
    causes = ProblemLog(log)
    counts: Counter[str] = Counter()
    async with (
        runtime.intake(integration, flow.folder, run=run) as (intake, dropbox, ledger),
        ledger_session(ledger, owner, run, lease_seconds=runtime.lease_seconds()) as live,
    ):
        for file in found:
            claimed = await taken(intake, file, dry_run=dry_run)
            if claimed is None:
                log.info("file %s is in the hands of another run, or gone", file.name)
                continue
            notes = AnswerNotes(ledger, live.session, administration, order_flows, causes, dry_run=dry_run)
            faults = await _read(dropbox, ledger, claimed, flow, notes, run=run)
            for fault in faults:
                causes(fault)
            lies = "" if claimed.archived else f" -> {await intake.put_away(claimed, faults)}"
            log.info("%s: %s%s", file.name, _in_words(notes.counts, len(faults)), lies)
            counts.update(notes.counts)
            counts["refused"] += len(faults)
            counts["files"] += 1
        causes.close()
        if not dry_run:
            await asyncio.to_thread(causes.note, ledger, run, owner)
    log.info("%s: %s", "dry run, nothing was written" if dry_run else "all files", dict(counts))
    return dict(counts)


async def _read(
    dropbox: Dropbox,
    ledger: Ledger,
    claimed: ClaimedFile,
    flow: AnswersFromSap,
    notes: AnswerNotes,
    *,
    run: str,
) -> list[Problem]:
    """Note what a file says; return what of it cannot be read."""
    async with dropbox.open(claimed.remote) as stream:
        documents, faults = await asyncio.to_thread(_read_to_the_end, stream, claimed.name, flow, notes)
        sha256 = stream.sha256
    if not claimed.archived:
        ledger.run(files.file_read, claimed.id, run, sha256, documents)
    return faults


def _read_to_the_end(
    stream: RemoteStream, name: str, flow: AnswersFromSap, notes: AnswerNotes
) -> tuple[int, list[Problem]]:
    documents, faults = 0, []
    with io.BufferedReader(stream, BLOCK) as buffered:
        for found in read_documents(buffered, file=name, profile=flow.reading):
            documents += 1
            if isinstance(found, Problem):
                faults.append(found)
                continue
            for answer in answers_of(found):
                notes.add(answer, name)
        notes.flush()
        drain(buffered)
    return documents, faults


def _in_words(counts: Counter[str], refused: int) -> str:
    told = [f"{count} {state}" for state, count in sorted(counts.items())]
    return ", ".join(told + [f"{refused} refused"] * bool(refused)) or "tells of nothing that ended"
