"""The statement of an interval: counts and amounts side by side, and each difference by name. Keys only."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Literal

from airflow_provider_asperion.flows.reconcile.amounts import Amounts
from airflow_provider_asperion.records import Problem, Record

Name = Literal[
    "only_in_file",
    "only_in_ledger",
    "gone",
    "twice",
    "other_document",
    "amount_differs",
    "vat_differs",
    "content_differs",
    "unexpected",
    "open",
    "held",
    "file_gone",
    "file_changed",
    "file_unreadable",
    "file_waiting",
    "changed_since",
    "unfinished",
    "failed",
    "unanswered",
]

WORDS: dict[Name, tuple[str, str]] = {
    "only_in_file": ("only in the file", "see why the ledger does not know it: `asperion explain KEY`"),
    "only_in_ledger": ("no longer in the file", "see who changed the file in the archive"),
    "gone": ("no longer in Asperion", "see in Asperion who deleted it, and whether that was meant"),
    "twice": ("more than once in Asperion", "cancel all but one of them in Asperion"),
    "other_document": ("another document in Asperion", "see who deleted it and entered it anew"),
    "amount_differs": ("amounts differ", "see which side is right, and correct the other"),
    "vat_differs": ("VAT differs", "see which side is right, and correct the other"),
    "content_differs": ("contents differ", "see which side is right, and correct the other"),
    "unexpected": (
        "in Asperion, not by the ledger",
        "try it again: the ledger then learns of it (`asperion retry KEY`)",
    ),
    "open": ("has no end yet", "see the run that has it in hand"),
    "held": ("waits for a person", "see on the page Refused what to do"),
    "file_gone": ("the file is no longer there", "see who removed it; its records cannot be compared"),
    "file_changed": ("the file was changed since", "see who changed it"),
    "file_unreadable": ("the file cannot be read", "see the message"),
    "file_waiting": ("the file was not read yet", "let the flow run"),
    "changed_since": ("changed in Asperion since", "nothing, where it was meant"),
    "unfinished": ("began to travel, and did not end", "let the flow run"),
    "failed": ("refused by SAP", "see the record's trail for SAP's message"),
    "unanswered": ("not answered by SAP", "see in SAP (WE02) what became of the document"),
}

# Enough for a person; the CSV file of the command has all.
KEPT = 5_000
SHOWN = 5


class Cell(Record):
    """A count and an amount, of one side; the amount is None where the side has none."""

    count: int = 0
    amount: Decimal | None = None

    def plus(self, count: int, amount: Decimal | None) -> Cell:
        """Return the sum."""
        if amount is None:
            return Cell(count=self.count + count, amount=self.amount)
        return Cell(count=self.count + count, amount=(self.amount or Decimal(0)) + amount)


class CountRow(Record):
    """Records of one state, on each side.

    :param name: what the ledger says became of them.
    :param currency: of the amounts; empty where the records have none.
    """

    name: str
    currency: str = ""
    cells: tuple[Cell, ...]


class RateRow(Record):
    """Amounts at one VAT rate, on the two sides that have amounts: the sender's and the receiver's.

    :param rate: percentage; None: not told.
    """

    kind: str
    currency: str
    rate: Decimal | None
    sides: tuple[Amounts, Amounts]

    @property
    def difference(self) -> Amounts:
        """What the receiver has more."""
        return self.sides[1].minus(self.sides[0])


class Difference(Record):
    """One record, or one file, that does not tie.

    :param key: number of the record; empty where it is about a file, or the record has none.
    :param ids: of documents in Asperion.
    :param amounts: on each side, in the order of the statement's sides.
    :param by: what the last side that has it has more.
    :param note: more in words, without any value.
    """

    name: Name
    kind: str = ""
    key: str = ""
    file: str = ""
    position: int | None = None
    ids: tuple[str, ...] = ()
    amounts: tuple[Decimal | None, ...] = ()
    by: Decimal | None = None
    note: str = ""

    @property
    def title(self) -> str:
        """What is the matter, in words."""
        return WORDS[self.name][0]

    @property
    def remedy(self) -> str:
        """What a person does about it."""
        return WORDS[self.name][1]

    @property
    def subject(self) -> str:
        """What it is about: the record's number, else its place."""
        place = f"{self.file}#{self.position}" if self.position else self.file
        return self.key or place

    def __str__(self) -> str:
        """One line for people."""
        more = [f"by {self.by}" if self.by is not None else "", self.note]
        return f"{self.subject}: {', '.join([self.title, *filter(None, more)])}"


class Statement(Record):
    """What came of reconciling one flow over one interval.

    :param flow: ``orders_to_asperion``, or flow to SAP and mapping.
    :param start: begin of the interval; ``end`` is exclusive.
    :param sides: what is compared, in the order of the cells.
    :param files: how many were read.
    :param requests: how many calls of Asperion's API it took.
    :param differences: what does not tie; ``more`` says how many are left out.
    :param notes: what a person may want to know, and which does tie.
    """

    integration: str
    administration: str
    flow: str
    start: dt.datetime
    end: dt.datetime
    sides: tuple[str, ...]
    files: int = 0
    requests: int = 0
    counts: tuple[CountRow, ...] = ()
    rates: tuple[RateRow, ...] = ()
    differences: tuple[Difference, ...] = ()
    more: int = 0
    notes: tuple[Difference, ...] = ()

    @property
    def found(self) -> int:
        """How many differences there are."""
        return len(self.differences) + self.more

    @property
    def ties(self) -> bool:
        """True when nothing differs."""
        return not self.found

    @property
    def records(self) -> int:
        """How many records it is about, by the side that has most."""
        return max(
            (sum(row.cells[side].count for row in self.counts) for side in range(len(self.sides))), default=0
        )

    def by_name(self) -> dict[str, int]:
        """Count the differences by name."""
        return dict(Counter(one.name for one in self.differences))

    def shortened(self) -> Statement:
        """Return what is kept of it."""
        left = max(0, len(self.differences) - KEPT)
        changes = {
            "differences": self.differences[:KEPT],
            "more": self.more + left,
            "notes": self.notes[:KEPT],
        }
        return self.model_copy(update=changes)


def problem_of(statement: Statement) -> Problem | None:
    """Return what does not tie, naming the first differences by key; None when all does."""
    if statement.ties:
        return None
    named = "; ".join(str(one) for one in statement.differences[:SHOWN])
    rest = statement.found - min(SHOWN, len(statement.differences))
    return Problem(
        rule="reconcile.difference",
        message=f"{statement.found} differences: {named}{f'; and {rest} more' if rest else ''}",
        remedy="see the page Reconcile for all of them and what to do",
        flow=statement.flow,
        administration=statement.administration,
    )
