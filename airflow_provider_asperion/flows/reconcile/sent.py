"""Reconciles a flow to SAP over what was published in an interval: reads ledger, folder and Asperion."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.reconcile.statement import Statement
from airflow_provider_asperion.flows.reconcile.to_sap import FileNow, HeldNow, SentFacts, compare_sent
from airflow_provider_asperion.ledger import reconciling
from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK, drain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Document
    from airflow_provider_asperion.asperion.names import DocumentKind
    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.ledger.publications import Outbox
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.sap.transfer import RemoteStream
    from airflow_provider_asperion.settings import ToSap

MESSAGE_TYPES = ("ORDERS", "INVOIC", "MATMAS", "DEBMAS", "ADRMAS")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilingSent:
    """With what a flow to SAP is reconciled.

    :param ledger_flow: name under which the ledger keeps what SAP got: flow and mapping.
    :param asperion: to compare the amounts of orders; None: they are not compared.
    :param expects_answers: SAP answers what it fetches.
    """

    integration: str
    administration: str
    ledger_flow: str
    flow: ToSap
    dropbox: Dropbox
    ledger: Ledger
    asperion: Asperion | None = None
    expects_answers: bool = False
    answer_within: dt.timedelta = dt.timedelta(days=1)


async def reconcile_sent(parts: ReconcilingSent, start: dt.datetime, end: dt.datetime) -> Statement:
    """Compare what was published from ``start`` until before ``end`` with files, answers and Asperion.

    :raises ProblemError: the server or the ledger cannot be read.
    :raises AsperionError: Asperion cannot be read.
    """
    with parts.ledger.transaction(reading=True) as work:
        published = reconciling.publications_of(work, parts.administration, parts.ledger_flow, start, end)
        answers = {one.id: reconciling.answers_to(work, one) for one in published}
        now = work.now
    requests = 0
    held = None
    if parts.asperion is not None:
        held = await _held(parts.asperion, parts.flow, published)
        requests = parts.asperion.client.stats.requests
    facts = SentFacts(
        publications=published,
        answers=answers,
        files=await _files(parts, published),
        held=held,
        expects_answers=parts.expects_answers,
        answer_within=parts.answer_within,
        now=now,
    )
    counts, differences = compare_sent(facts)
    return Statement(
        integration=parts.integration,
        administration=parts.administration,
        flow=parts.ledger_flow,
        start=start,
        end=end,
        sides=facts.sides,
        files=sum(len(one.files) for one in published),
        requests=requests,
        counts=counts,
        differences=tuple(differences),
    )


async def _files(parts: ReconcilingSent, published: Iterable[Outbox]) -> dict[str, FileNow]:
    """Look at the files that SAP has not fetched yet."""
    found = {}
    for one in published:
        for file in one.files if one.state == "published" else ():
            remote = await parts.dropbox.look_at(f"{parts.flow.folder.folder.rstrip('/')}/{file.name}")
            if remote is None:
                continue
            try:
                async with parts.dropbox.open(remote) as stream:
                    numbers = await asyncio.to_thread(_numbers, stream, file.name, parts.flow)
                    changed = stream.sha256 != file.sha256
            except FileNotFoundError:
                continue  # fetched meanwhile
            found[file.name] = FileNow(changed, numbers if changed else None)
    return found


def _numbers(stream: RemoteStream, name: str, flow: ToSap) -> frozenset[str] | None:
    """Read a file to its end; return the numbers of its documents, None where its format has none."""
    numbers = set()
    with io.BufferedReader(stream, BLOCK) as buffered:
        if flow.writing.format != "csv":
            profile = ReadProfile(message_types=MESSAGE_TYPES, layouts=flow.writing.layouts)
            for one in read_documents(buffered, file=name, profile=profile):
                if not isinstance(one, Problem):
                    numbers.add(one.document_number)
        drain(buffered)
    return None if flow.writing.format == "csv" else frozenset(numbers)


async def _held(asperion: Asperion, flow: ToSap, published: Iterable[Outbox]) -> dict[str, HeldNow]:
    """Return the orders that were sent, as Asperion holds them now, by the number that Asperion gave them."""
    wanted = {decision.key for one in published for decision in one.decisions}
    if not wanted:
        return {}
    found: dict[str, HeldNow] = {}
    kind: DocumentKind = flow.kind  # type: ignore[attr-defined]
    async for detail in asperion.documents(kind, wanted=lambda head: bool(_names(head) & wanted)):
        for name in _names(detail) & wanted:
            found[name] = HeldNow(str(detail.id), detail.gross)
    return found


def _names(document: Document) -> set[str]:
    """Return what a document may be called: a concept invoice has no number yet, and is sent by its id."""
    return {document.number or str(document.id), str(document.id)}
