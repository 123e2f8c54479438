"""What is known of a file while it is being read: outcomes so far, order numbers met, amounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.flows.orders_to_asperion.deliver import amount_of
from airflow_provider_asperion.records import Outcome, Problem, Record, Tally
from airflow_provider_asperion.staging import BatchRef

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.records import SourceDocument


class Batch(Record):
    """A staged batch and the file it comes from. Nothing personal: it travels as an XCom.

    :param claim: id under which the ledger knows the file.
    """

    reference: BatchRef
    claim: str
    file: str


class FileRead(Record):
    """What came of reading one file.

    :param documents: all documents that were met, good or not.
    :param staged: how many went to staging; ``amount`` is their sum: delivery must account for both.
    :param tally: outcomes that reading itself ended: filtered, refused, doubles.
    :param broken: why reading could not go on to the end of the file.
    """

    claim: str
    file: str
    documents: int
    staged: int
    amount: Decimal
    tally: Tally
    batches: tuple[Batch, ...]
    broken: Problem | None = None


@dataclass(slots=True)
class Reading:
    """The state of reading one file. Grows by an order number and a fingerprint per document.

    :param positions: of the documents that are read again; None: all.
    """

    claim: str
    file: str
    positions: Collection[int] | None = None
    documents: int = 0
    staged: int = 0
    amount: Decimal = Decimal(0)
    tally: Tally = field(default_factory=Tally)
    broken: Problem | None = None
    waiting: list[tuple[str | None, Outcome]] = field(default_factory=list)
    understood: list[int] = field(default_factory=list)
    _met: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def wants(self, position: int | None) -> bool:
        """Tell whether a document is read; what is about the file as a whole always is."""
        return self.positions is None or position is None or position in self.positions

    def ended(self, key: str | None, outcome: Outcome) -> None:
        """Note a document that reading itself ended; ``waiting`` keeps it until the ledger has it.

        :param key: order number as the reader found it, None when it found none.
        """
        self.documents += 1
        self.tally = self.tally.plus(Tally.of([outcome]))
        self.waiting.append((key, outcome))

    def refused(self, document: SourceDocument | None, problems: tuple[Problem, ...]) -> None:
        """Note a document that is refused; without a document the reader could not make one."""
        problem = problems[0]
        key = document.key if document else problem.record
        position = document.position if document else problem.position
        if position is None:
            # About the file as a whole: nothing after this place could be read.
            self.broken = problem
            position = self.documents + 1
        self.ended(
            key or None,
            Outcome(
                record=key or f"{self.file}#{position}",
                state="refused",
                file=self.file,
                position=position,
                problems=problems,
            ),
        )

    def double_of(self, staged: StagedOrder) -> tuple[Literal["same", "other"], int] | None:
        """Tell whether the order number was met before in this file, with which content, at which place."""
        key = (staged.order.kind, staged.order.reference)
        first = self._met.setdefault(key, (staged.position, staged.fingerprint))
        if first[0] == staged.position:
            return None
        return ("same" if first[1] == staged.fingerprint else "other"), first[0]

    def goes_on(self, staged: StagedOrder) -> None:
        """Note an order that goes to staging."""
        self.documents += 1
        if self.positions is not None:
            self.understood.append(staged.position)
        self.staged += 1
        self.amount += amount_of(staged.order)

    def result(self, batches: tuple[Batch, ...]) -> FileRead:
        """Return what came of it."""
        return FileRead(
            claim=self.claim,
            file=self.file,
            documents=self.documents,
            staged=self.staged,
            amount=self.amount,
            tally=self.tally,
            batches=batches,
            broken=self.broken,
        )
