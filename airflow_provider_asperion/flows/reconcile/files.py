"""Reads both sides of one file: its documents as they stand in it now, and what the ledger says of them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.orders_to_asperion.deliver import amount_of
from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
from airflow_provider_asperion.flows.orders_to_asperion.reading import Reading
from airflow_provider_asperion.flows.orders_to_asperion.staged import fingerprint_of
from airflow_provider_asperion.flows.reconcile.amounts import merged
from airflow_provider_asperion.flows.reconcile.facts import InFile, InLedger
from airflow_provider_asperion.ledger import DocumentKey, documents, reconciling
from airflow_provider_asperion.ledger.refusals import NAMELESS
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.records.money import line_amount
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK, drain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal
    from typing import BinaryIO

    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.flows.reconcile.facts import LedgerState, Verdict
    from airflow_provider_asperion.ledger import FileClaim, Ledger
    from airflow_provider_asperion.ledger.reconciling import Seen
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.records import OrderKind, SourceDocument
    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.sap.transfer import RemoteStream
    from airflow_provider_asperion.settings import OrdersToAsperion

# So far from its place a document is looked for that came twice in a file.
MOST_MOVED = 50


class FileFacts:
    """Reads files with the mapping and settings of today.

    :param vat_rates: percentage by VAT code, as the administration has them.
    """

    def __init__(
        self, flow: OrdersToAsperion, preparer: Preparer, *, vat_rates: Mapping[str, Decimal]
    ) -> None:
        self._flow = flow
        self._preparer = preparer
        self._rates = vat_rates

    @property
    def profile(self) -> ReadProfile:
        """How the files are read."""
        return self._flow.reading

    def read(self, stream: RemoteStream, name: str) -> tuple[list[InFile], str]:
        """Read a file to its end; return its documents and its checksum. Blocks: meant for a thread.

        Holds keys and amounts of the documents, never the documents.
        """
        with io.BufferedReader(stream, BLOCK) as buffered:
            found = list(self.documents(buffered, name))
            drain(buffered)
        return found, stream.sha256

    def documents(self, stream: BinaryIO, name: str) -> Iterator[InFile]:
        """Yield the documents of a file, numbered as the flow numbers them."""
        reading = Reading("", name)
        last = 0
        for one in read_documents(stream, file=name, profile=self.profile):
            fact = self._problem(one, last) if isinstance(one, Problem) else self._document(one, reading)
            last = fact.position
            yield fact

    def _problem(self, problem: Problem, last: int) -> InFile:
        kind = self._flow.kind or "sales_order"
        return InFile(
            kind, problem.record, problem.file or "", problem.position or last + 1, verdict="refused"
        )

    def _document(self, document: SourceDocument, reading: Reading) -> InFile:
        kind, key = self._flow.kind or "sales_order", document.key or None
        fingerprint = fingerprint_of(document)
        try:
            prepared = self._preparer.prepare(document, claim="")
        except ProblemError:
            return self._unmapped(document, kind, "refused", key, fingerprint)
        if isinstance(prepared, Filtered):
            return self._unmapped(document, kind, "filtered", prepared.record, fingerprint)
        double = reading.double_of(prepared) is not None
        return self._order(prepared, "repeated" if double else "order")

    def _unmapped(
        self, document: SourceDocument, kind: str, verdict: Verdict, key: str | None, fingerprint: str
    ) -> InFile:
        return InFile(kind, key, document.file, document.position, verdict=verdict, fingerprint=fingerprint)

    def _order(self, staged: StagedOrder, verdict: Verdict) -> InFile:
        order = staged.order
        parts = tuple(
            (
                line.vat_rate if line.vat_rate is not None else self._rates.get(line.vat_code or ""),
                line_amount(line, self._flow.totals.half),
            )
            for line in order.lines
        )
        return InFile(
            kind=order.kind,
            key=order.reference,
            file=staged.file,
            position=staged.position,
            verdict=verdict,
            fingerprint=staged.fingerprint,
            currency=order.currency,
            include_vat=order.prices_include_vat,
            # Prices with VAT are converted line by line; all others may be added up here.
            parts=parts if order.prices_include_vat else merged(parts),
            lines=len(order.lines),
            amount=amount_of(order),
        )


def in_ledger(
    ledger: Ledger, administration: str, claim: FileClaim, found: Sequence[InFile], *, kind: OrderKind
) -> list[InLedger]:
    """Return what the ledger says of the documents of a file.

    :param found: what stands in it now: what a filter left out is in the ledger's trail only.
    :param kind: under which documents are known whose mapping failed.
    """
    file = claim.seen.name
    seen = _without_earlier(ledger.run(reconciling.documents_of, claim.id))
    keys = {one.key.key for one in seen}
    left = [one for one in found if one.key is None or one.verdict == "repeated" or one.key not in keys]
    # What was taken out of the file since has moved all that follows.
    moved = min(MOST_MOVED, max(0, (claim.documents or 0) - len(found)))
    places = {one.position + more for one in left for more in range(moved + 1)}
    by_id = {key.id: key for key in (DocumentKey(administration, kind, one.key) for one in left if one.key)}
    nameless = (DocumentKey(administration, NAMELESS, f"{claim.id}#{place}") for place in places)
    by_id |= {key.id: key for key in nameless}
    told = [_of_seen(one, file) for one in seen]
    told += _of_erased(ledger, administration, left, file)
    return told + ledger.run(_endings, by_id, file)


def _of_erased(ledger: Ledger, administration: str, left: Sequence[InFile], file: str) -> list[InLedger]:
    """Return what the ledger says of orders whose place it has forgotten: their person was erased."""
    places = {DocumentKey(administration, one.kind, one.key): one.position for one in left if one.key}
    return [
        InLedger(
            kind=key.kind,
            key=key.key,
            file=file,
            position=places[key],
            state="done",
            fingerprint=known.fingerprint,
            asperion_id=known.asperion_id,
            amount=known.amount,
            ended_at=known.updated_at,
        )
        for key, known in ledger.look_up(places).items()
        if known.state == "done" and known.file is None
    ]


def _without_earlier(seen: Sequence[Seen]) -> list[Seen]:
    """Leave out under what name a document was refused before it was understood, at the same place."""
    done = {one.position for one in seen if one.state == "done" and one.key.kind != NAMELESS}
    return [
        one
        for one in seen
        if not (one.key.kind == NAMELESS and one.state == "done")
        and not (one.state == "refused" and one.position in done)
    ]


def _of_seen(seen: Seen, file: str) -> InLedger:
    nameless = seen.key.kind == NAMELESS
    return InLedger(
        kind=seen.key.kind,
        key=None if nameless else seen.key.key,
        file=file,
        position=seen.position,
        state=_state(seen),
        fingerprint=seen.fingerprint,
        asperion_id=seen.asperion_id,
        amount=seen.amount if seen.state == "done" and seen.here else None,
        ended_at=seen.updated_at,
    )


def _state(seen: Seen) -> LedgerState:
    if seen.state == "done":
        if seen.here:
            return "done"
        return "repeated" if seen.same else "other_content"
    if seen.state in ("open", "intended"):
        return "open"
    return "held" if seen.state == "held" else "refused"


def _endings(work: Work, by_id: Mapping[str, DocumentKey], file: str) -> list[InLedger]:
    """Return what the trail says of documents of which the ledger has no row."""
    delivered = documents.look_up(work, by_id.values())
    told = []
    for (id_, position), (name, at) in reconciling.endings_of(work, by_id.values(), file).items():
        key = by_id[id_]
        if key.kind == NAMELESS:
            told.append(InLedger(NAMELESS, None, file, position, "repeated", ended_at=at))
        elif name == "filtered":
            # An order that was delivered may come again with a status that does not travel.
            known = delivered[key].asperion_id if key in delivered else None
            told.append(
                InLedger(key.kind, key.key, file, position, "filtered", asperion_id=known, ended_at=at)
            )
    return told
