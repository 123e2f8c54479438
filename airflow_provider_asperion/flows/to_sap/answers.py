"""What SAP answers: written is not posted. STATUS, ALEAUD and ORDRSP files close the loop in the trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

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
