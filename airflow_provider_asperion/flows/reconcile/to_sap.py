"""The way back: what Asperion holds = what the ledger published = what is in the files = what SAP posted."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence  # noqa: TC003 - dataclass fields
from dataclasses import dataclass, field
from decimal import Decimal  # noqa: TC003 - dataclass field
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.reconcile.statement import Cell, CountRow, Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.flows.reconcile.statement import Name
    from airflow_provider_asperion.ledger.publications import Decision, Outbox
    from airflow_provider_asperion.ledger.reconciling import Sent


@dataclass(frozen=True, slots=True)
class FileNow:
    """A published file as it is now.

    :param changed: it lies there with another content than was written.
    :param numbers: document numbers in it, of a changed one; None: its format has none.
    """

    changed: bool = False
    numbers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class HeldNow:
    """An order as Asperion holds it now. ``amount`` is with VAT."""

    id: str
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFacts:
    """All that is known of what was published in an interval.

    :param publications: oldest first.
    :param answers: by id of the publication, what became of each of its records.
    :param files: files that still lie there, by name; SAP has fetched the others.
    :param held: orders in Asperion by number; None: not looked at.
    :param expects_answers: SAP answers what it fetches.
    :param now: when that was looked at.
    """

    publications: Sequence[Outbox] = ()
    answers: Mapping[str, Mapping[str, Sent]] = field(default_factory=dict)
    files: Mapping[str, FileNow] = field(default_factory=dict)
    held: Mapping[str, HeldNow] | None = None
    expects_answers: bool = False
    answer_within: dt.timedelta = dt.timedelta(days=1)
    now: dt.datetime

    @property
    def sides(self) -> tuple[str, ...]:
        """What is compared."""
        first = () if self.held is None else ("asperion",)
        return (*first, "ledger", "files", *(("sap",) if self.expects_answers else ()))

    def is_late(self, publication: Outbox) -> bool:
        """Whether SAP should have answered to a publication by now."""
        return self.expects_answers and self.now - publication.updated_at > self.answer_within


def compare_sent(facts: SentFacts) -> tuple[tuple[CountRow, ...], list[Difference]]:
    """Return the counts per action and the differences; each record has one difference at most.

    What a later publication has replaced before SAP answered is a row of its own.
    """
    counts: dict[str, dict[str, Cell]] = defaultdict(lambda: {side: Cell() for side in facts.sides})
    differences = [*_unfinished(facts), *_changed_files(facts)]
    for publication, decision in _published(facts):
        state = facts.answers[publication.id].get(decision.key, "unknown")
        in_file = _in_file(facts, publication, decision)
        held = None if facts.held is None else facts.held.get(decision.key)
        row = counts["replaced" if state == "replaced" else decision.action]
        row["ledger"] = row["ledger"].plus(1, decision.amount)
        row["files"] = row["files"].plus(int(in_file), decision.amount if in_file else None)
        if "sap" in row:
            row["sap"] = row["sap"].plus(int(state == "posted"), None)
        if "asperion" in row and held is not None and state != "replaced":
            row["asperion"] = row["asperion"].plus(1, held.amount)
        found = _difference(facts, publication, decision, state, in_file=in_file)
        if found is not None:
            differences.append(found)
    rows = [
        CountRow(name=action, cells=tuple(cells[side] for side in facts.sides))
        for action, cells in sorted(counts.items())
    ]
    return tuple(rows), differences


def _published(facts: SentFacts) -> Iterator[tuple[Outbox, Decision]]:
    for publication in facts.publications:
        if publication.state == "published":
            yield from ((publication, decision) for decision in publication.decisions)


def _difference(
    facts: SentFacts, publication: Outbox, decision: Decision, state: Sent, *, in_file: bool
) -> Difference | None:
    name: Name | None = None
    by, note, held = None, "", None
    if not in_file:
        name = "only_in_ledger"
    elif state == "unknown":
        name, note = "content_differs", "the ledger's account of what SAP got last does not hold it"
    elif state == "failed" and facts.expects_answers:
        name = "failed"
    elif state == "sent" and facts.is_late(publication):
        name = "unanswered"
    elif facts.held is not None and state not in ("replaced", "erased"):
        held = facts.held.get(decision.key)
        if held is None:
            name = "gone"
        elif decision.amount is not None and held.amount is not None and held.amount != decision.amount:
            name, by = "amount_differs", decision.amount - held.amount
    if name is None:
        return None
    amounts = {"asperion": held.amount if held else None, "ledger": decision.amount}
    amounts["files"] = decision.amount if in_file else None
    return Difference(
        name=name,
        key=decision.key,
        file=_file_of(publication, decision),
        ids=(held.id,) if held else (),
        amounts=tuple(amounts.get(side) for side in facts.sides),
        by=by,
        note=note or (f"document {decision.number}" if decision.number else ""),
    )


def _in_file(facts: SentFacts, publication: Outbox, decision: Decision) -> bool:
    """Whether the record stands in its file: one that was not changed holds what was written into it."""
    there = facts.files.get(_file_of(publication, decision))
    if there is None or not there.changed or there.numbers is None:
        return True
    return decision.number in there.numbers


def _file_of(publication: Outbox, decision: Decision) -> str:
    return decision.file or (publication.files[0].name if publication.files else "")


def _changed_files(facts: SentFacts) -> Iterator[Difference]:
    """Yield the files that were changed, and the documents in them that nobody sent."""
    for publication in facts.publications:
        for file in publication.files:
            there = facts.files.get(file.name)
            if there is None or not there.changed:
                continue
            yield Difference(name="file_changed", file=file.name)
            sent = {decision.number for decision in publication.decisions}
            for number in sorted((there.numbers or frozenset()) - sent):
                yield Difference(name="only_in_file", file=file.name, note=f"document {number}")


def _unfinished(facts: SentFacts) -> Iterator[Difference]:
    for publication in facts.publications:
        if publication.state != "published" and publication.decisions:
            names = ", ".join(file.name for file in publication.files) or publication.key.run_id
            note = f"{len(publication.decisions)} records, {publication.state}"
            yield Difference(name="unfinished", file=names, note=note)
