"""Closes the books of a run: what came in is what went out, file by file, in count and in amount."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import END_STATES, Problem, Record, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_asperion.flows.orders_to_asperion.reading import FileRead


class FileClosing(Record):
    """The account of one file.

    :param pending: documents without an end state; then the file stays in the work folder for the next run.
    :param difference: a count or amount that does not tie, in words.
    """

    claim: str
    file: str
    documents: int
    tally: Tally
    pending: int
    difference: str | None = None

    @property
    def complete(self) -> bool:
        """True when the file may be archived."""
        return self.pending == 0 and self.difference is None


def close(file: FileRead, delivered: Tally) -> FileClosing:
    """Close the account of a file: read = created + adopted + skipped + filtered + refused + pending.

    :param delivered: outcomes of its batches; a batch whose task failed has none and counts as pending.
    """
    tally = file.tally.plus(delivered)
    accounted = sum(delivered.counts.values())
    ended = sum(count for state, count in tally.counts.items() if state in END_STATES)
    return FileClosing(
        claim=file.claim,
        file=file.file,
        documents=file.documents,
        tally=tally,
        pending=file.documents - ended,
        difference=_difference(file, delivered, accounted),
    )


def _difference(file: FileRead, delivered: Tally, accounted: int) -> str | None:
    if accounted > file.staged:
        return f"{file.staged} orders went to delivery, {accounted} came out"
    amount = sum(delivered.amounts.values(), Decimal(0))
    if accounted == file.staged and amount != file.amount:
        return f"orders of {file.amount} went to delivery, {amount} came out"
    return None


def by_claim(tallies: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    """Add up what the delivering tasks said, per file."""
    total: dict[str, Tally] = {}
    for part in tallies:
        for claim, tally in part.items():
            total[claim] = total.get(claim, Tally()).plus(tally)
    return total


def problem_of(closing: FileClosing) -> Problem | None:
    """Return why a file is not done, None when it is."""
    if closing.complete:
        return None
    if closing.difference is not None:
        return Problem(
            rule="run.difference",
            message=f"counts or amounts do not tie: {closing.difference}",
            remedy="clear the run; if it stays, report it with the trail of the file's orders",
            file=closing.file,
        )
    return Problem(
        rule="run.pending",
        message=f"{closing.pending} of {closing.documents} orders have no end state yet",
        remedy="see the log of the deliver task; the next run goes on with the file",
        file=closing.file,
        transient=True,
    )
