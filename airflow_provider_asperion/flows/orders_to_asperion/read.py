"""Reads a claimed file: decodes, maps, validates; good orders go to staging, the others to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
from airflow_provider_asperion.flows.orders_to_asperion.reading import Batch, FileRead, Reading
from airflow_provider_asperion.ledger import Claim, DocumentKey, documents, refusals, trail
from airflow_provider_asperion.ledger.refusals import NAMELESS
from airflow_provider_asperion.records import Outcome, Problem, ProblemError
from airflow_provider_asperion.sap.reading import read_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import BinaryIO

    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.ledger import Ledger, WorkSession
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.records import OrderKind
    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.staging import Staging


@dataclass(frozen=True, slots=True)
class Records:
    """Where reading puts down what it refuses or filters out; None for a dry run.

    :param kind: under which documents are known whose mapping failed.
    """

    ledger: Ledger
    session: WorkSession
    administration: str
    kind: OrderKind


def batch_size(index: int, *, size: int, share: int) -> int:
    """Return how many orders go into batch number ``index`` (from 0) of a file.

    A run may have only so many batches (Airflow maps at most 1,024 tasks). Past half of the file's share the
    size doubles, again and again, so that the largest file fits and nothing is ever dropped.
    """
    beyond = index - share // 2
    return size if beyond < 0 else size << (beyond // max(1, share // 40) + 1)


class FileReader:
    """Reads files into staging, in bounded memory.

    :param run: folder, below that of the file, in which batches are staged; the same for a task that runs
        again.
    :param size: see :func:`batch_size`, and ``share``.
    :param on_problem: told each problem as it comes, for the log.
    :param on_document: told of each document that comes, and whether it is refused.
    """

    def __init__(
        self,
        preparer: Preparer,
        staging: Staging,
        records: Records | None,
        *,
        profile: ReadProfile,
        run: str,
        size: int,
        share: int,
        on_problem: Callable[[Problem], None] = lambda problem: None,
        on_document: Callable[[bool], None] = lambda refused: None,
    ) -> None:
        self._on_document = on_document
        self._preparer = preparer
        self._staging = staging
        self._records = records
        self._profile = profile
        self._run = run
        self._size = size
        self._share = share
        self._on_problem = on_problem

    def read(
        self,
        stream: BinaryIO,
        *,
        file: str,
        claim: str,
        positions: Collection[int] | None = None,
        patches: Mapping[int, Mapping[str, str | None]] | None = None,
    ) -> FileRead:
        """Read a file to its end. Blocks: meant for a thread of its own.

        :param claim: id under which the ledger knows the file.
        :param positions: of the documents that are read again; None: all.
        :param patches: by position: what a person changed in a document, see :func:`.patched.patched`.
        :raises ProblemError: the transfer failed; nothing was lost, read it again.
        """
        reading = Reading(claim, file, positions)
        orders = self._orders(stream, reading, patches or {})
        batches: list[Batch] = []
        while chunk := list(islice(orders, batch_size(len(batches), size=self._size, share=self._share))):
            lines = (staged.model_dump_json(exclude_none=True).encode() for staged in chunk)
            name = f"{claim}/{self._run}/{len(batches):05d}"
            batches.append(Batch(reference=self._staging.write(name, lines), claim=claim, file=file))
            self._put_down(reading)
        self._put_down(reading)
        return reading.result(tuple(batches))

    def _orders(
        self, stream: BinaryIO, reading: Reading, patches: Mapping[int, Mapping[str, str | None]]
    ) -> Iterator[StagedOrder]:
        for found in read_documents(stream, file=reading.file, profile=self._profile):
            if not reading.wants(found.position):
                continue
            if isinstance(found, Problem):
                self._on_document(True)
                self._on_problem(found)
                reading.refused(None, (found,))
                continue
            try:
                prepared = self._preparer.prepare(
                    found, claim=reading.claim, patches=patches.get(found.position)
                )
            except ProblemError as error:
                self._on_document(True)
                for problem in error.problems:
                    self._on_problem(problem)
                reading.refused(found, error.problems)
                continue
            self._on_document(False)
            if isinstance(prepared, Filtered):
                reading.ended(prepared.record, _filtered(prepared, reading.file, found.position))
            elif (double := reading.double_of(prepared)) is not None:
                outcome = _double(prepared, *double)
                for problem in outcome.problems:
                    self._on_problem(problem)
                reading.ended(None, outcome)
            else:
                reading.goes_on(prepared)
                yield prepared

    def _put_down(self, reading: Reading) -> None:
        """Put down in the ledger what reading ended, all in one transaction."""
        ended, reading.waiting = reading.waiting, []
        understood, reading.understood = reading.understood, []
        if self._records is not None and (ended or understood):
            self._records.ledger.run(_put_down, self._records, reading.claim, ended, understood)


def _put_down(
    work: Work,
    records: Records,
    claim: str,
    ended: list[tuple[str | None, Outcome]],
    understood: list[int],
) -> None:
    refusals.resolve(work, records.session, records.administration, claim, understood)
    for key, outcome in ended:
        kind, name = (records.kind, key) if key else (NAMELESS, f"{claim}#{outcome.position}")
        document = DocumentKey(records.administration, kind, name)
        if outcome.state == "refused":
            asked = Claim(document, fingerprint="", file=claim, position=outcome.position)
            (grip,) = documents.take(work, records.session, [asked])
            if grip.held:
                documents.finish(work, records.session, document, "refused", problems=outcome.problems)
                continue
        detail: dict[str, str | int | bool | None] = {
            "record": outcome.record,
            "file": outcome.file,
            "position": outcome.position,
        }
        if outcome.note is not None:
            detail["note"] = outcome.note
        trail.add_event(work, records.session, document, outcome.state, detail, outcome.problems)


def _filtered(filtered: Filtered, file: str, position: int) -> Outcome:
    return Outcome(
        record=filtered.record, state="filtered", file=file, position=position, note=filtered.reason
    )


def _double(staged: StagedOrder, content: str, first: int) -> Outcome:
    """Say what becomes of an order number that comes a second time in the same file."""
    outcome = Outcome(
        record=staged.order.reference,
        state="skipped",
        file=staged.file,
        position=staged.position,
        note=f"the same as document {first} of this file",
    )
    if content == "same":
        return outcome
    problem = Problem(
        rule="order.double",
        message=f"document {first} of this file has the same order number and other content",
        remedy="have the sender send one of them under another number",
        field="reference",
        file=staged.file,
        position=staged.position,
        line=staged.line,
        record=staged.order.reference,
    )
    return outcome.model_copy(update={"state": "refused", "problems": (problem,), "note": None})
