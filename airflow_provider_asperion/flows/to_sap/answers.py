"""What SAP answers: written is not posted. STATUS, ALEAUD and ORDRSP files close the loop in the trail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_asperion.ledger import DocumentKey, snapshots
from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_asperion.ledger import Ledger, WorkSession
    from airflow_provider_asperion.ledger.snapshots import Answered
    from airflow_provider_asperion.records import SourceDocument

MESSAGE_TYPES = ("STATUS", "ALEAUD", "ORDRSP")
# Status codes of inbound IDocs (SAP table TEDS1): 53 posted; 51 not posted, 56 and 60 faulty, 63 and 65 not
# passed on, 68 given up. All others tell of a step on the way.
POSTED = frozenset({"53"})
FAILED = frozenset({"51", "56", "60", "63", "65", "68"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What SAP says of one document of ours.

    :param number: number of our document (``DOCNUM``), where SAP names it so.
    :param key: our order number, where SAP names that.
    :param problem: why it failed.
    """

    state: Literal["posted", "failed"]
    number: str | None = None
    key: str | None = None
    problem: Problem | None = None


def answers_of(document: SourceDocument) -> Iterator[Answer]:
    """Yield what a file of SAP's says about documents of ours; steps on the way are passed over."""
    data = document.data
    if document.message_type == "ORDRSP":
        yield _confirmed(document)
    for state in data.get("E1STATS", ()):
        yield from _status(state)
    for header in data.get("E1ADHDR", ()):
        for state in header.get("E1STATE", ()):
            yield from _status(state)


class AnswerNotes:
    """Puts answers down in the ledger, many in one transaction; the last answer about a document counts.

    :param order_flows: names under which the ledger knows orders that were sent: SAP confirms those by their
        number.
    :param on_problem: told what SAP refused, and answers about nothing that was sent.
    :param dry_run: look only at what answers are about, note nothing.
    :ivar counts: documents by what came of them: posted, failed, unknown.
    """

    AT_ONCE = 1_000

    def __init__(
        self,
        ledger: Ledger,
        session: WorkSession,
        administration: str,
        order_flows: Sequence[str],
        on_problem: Callable[[Problem], None],
        *,
        dry_run: bool = False,
    ) -> None:
        self._dry_run = dry_run
        self.counts: Counter[str] = Counter()
        self._ledger = ledger
        self._session = session
        self._administration = administration
        self._order_flows = order_flows
        self._on_problem = on_problem
        self._waiting: dict[tuple[str | None, str | None], tuple[Answer, str]] = {}

    def add(self, answer: Answer, file: str) -> None:
        """Take an answer of a file; it is put down with the next thousand, or by :meth:`flush`."""
        self._waiting[answer.number, answer.key] = (answer, file)
        if len(self._waiting) >= self.AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Put down what waits."""
        waiting, self._waiting = list(self._waiting.values()), {}
        same: dict[tuple[str, str], list[tuple[Answer, str]]] = {}
        for answer, file in waiting:
            cause = answer.problem.message if answer.problem else ""
            same.setdefault((answer.state, cause), []).append((answer, file))
        for group in same.values():
            self._put_down(group)

    def _put_down(self, group: list[tuple[Answer, str]]) -> None:
        answered = self._answered(group[0][0], [answer for answer, _ in group])
        known = {found.number for found in answered} | {found.key.key for found in answered}
        for answer, file in group:
            name = answer.number or answer.key
            if name not in known:
                self.counts["unknown"] += 1
                self._on_problem(_unknown(name).at(file=file))
                continue
            self.counts[answer.state] += 1
            if answer.problem is not None:
                self._on_problem(answer.problem.at(file=file, record=name))

    def _answered(self, first: Answer, answers: Sequence[Answer]) -> list[Answered]:
        about: Any = {
            "numbers": [answer.number for answer in answers if answer.number],
            "keys": [
                DocumentKey(self._administration, flow, answer.key)
                for answer in answers
                if answer.key
                for flow in self._order_flows
            ],
        }
        if self._dry_run:
            return self._ledger.run(snapshots.answered, self._administration, **about)
        problems = [first.problem.model_copy(update={"record": None})] if first.problem else []
        return self._ledger.run(
            snapshots.mark_posted,
            self._session,
            first.state,
            self._administration,
            **about,
            problems=problems,
        )


def _unknown(name: str | None) -> Problem:
    return Problem(
        rule="sap.answer_unknown",
        message="SAP answers about a document that is not the last one sent of any record",
        remedy="nothing to do when the record was sent again since; else see whose document it is",
        record=name,
    )


def _status(segment: dict[str, Any]) -> Iterator[Answer]:
    """Read E1STATS (STATUS) or E1STATE (ALEAUD): both name our IDoc in DOCNUM and its status in STATUS."""
    number, code = segment.get("DOCNUM", ""), segment.get("STATUS", "")
    if number and code in POSTED:
        yield Answer("posted", number=number.zfill(16))
    elif number and code in FAILED:
        yield Answer("failed", number=number.zfill(16), problem=_refused(segment, code))


def _confirmed(document: SourceDocument) -> Answer:
    """Read an order confirmation: rejected when every item of it is (E1EDP01-ABGRU, or ACTION 003)."""
    items = document.data.get("E1EDP01", ())
    rejected = [item for item in items if item.get("ABGRU") or item.get("ACTION") == "003"]
    if not items or len(rejected) < len(items):
        return Answer("posted", key=document.key)
    reasons = ", ".join(sorted({item.get("ABGRU", "003") for item in rejected}))
    return Answer(
        "failed",
        key=document.key,
        problem=Problem(
            rule="sap.rejected",
            message=f"SAP rejects all items of the order (reason {reasons})",
            remedy="see the order in SAP; correct it in Asperion and send it again with full",
            record=document.key,
        ),
    )


def _refused(segment: dict[str, Any], code: str) -> Problem:
    message = f"{segment.get('STAMID', '')} {segment.get('STAMNO', '')}".strip()
    return Problem(
        rule="sap.not_posted",
        # SAP's text may hold names; its message number says the same to whoever looks it up (SE91).
        message=f"SAP did not post the document: status {code}" + (f", message {message}" if message else ""),
        remedy="see the IDoc in SAP (WE02); after correcting the data, send the record again with full",
    )
