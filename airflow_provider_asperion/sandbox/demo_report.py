"""What became of each order of the demo: out of the ledger's trail, as a table."""

from __future__ import annotations

import json
import textwrap
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.ledger import Ledger, files, trail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from airflow_provider_asperion.ledger import DocumentKey

ENDS = {"done": "created", "refused": "refused", "skipped": "skipped", "filtered": "filtered", "held": "held"}
WIDTHS = (22, 12, 9, 9)
REASON_WIDTH = 76


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """What became of one order of one file."""

    file: str
    record: str
    state: str
    asperion_id: str
    reason: str


def outcomes(ledger_file: Path, run: str) -> list[OrderOutcome]:
    """Read the trail of a run: the end of each order, in the order in which they ended."""
    ledger = Ledger.open(f"sqlite:///{ledger_file}")
    try:
        found = []
        with ledger.transaction(reading=True) as work:
            documents = trail.of_run(work, run)
            taken: dict[DocumentKey | None, str] = {}
            for key, event in documents:
                if key is not None and key.kind == "debtor":
                    continue
                if event.name == "taken":
                    claim = files.get_file(work, str(event.detail.get("file")))
                    taken[key] = claim.seen.name if claim else ""
                elif event.name in ENDS:
                    found.append(_outcome(key.key if key else "", event, taken.get(key, "")))
    finally:
        ledger.close()
    return sorted(found, key=lambda one: (one.file, one.record))


def _outcome(key: str, event: trail.Event, file: str) -> OrderOutcome:
    detail = event.detail
    state = str(detail.get("how") or ENDS[event.name])
    reason = str(detail.get("note") or "")
    if event.problems:
        problem = event.problems[0]
        reason = f"{problem.message} -> {problem.remedy}"
    elif state == "adopted":
        reason = "it was in Asperion already"
    return OrderOutcome(
        file=str(detail.get("file") or file),
        record=str(detail.get("record") or key),
        state=state,
        asperion_id=str(detail.get("asperion_id") or ""),
        reason=reason,
    )


def table(found: Sequence[OrderOutcome]) -> str:
    """Return the outcomes as text of at most 132 columns."""
    head = ("file", "order", "outcome", "Asperion", "why")
    lines = [_row(head[:4], head[4]), _row(tuple("-" * width for width in WIDTHS), "-" * REASON_WIDTH)]
    file = None
    for one in found:
        first, *rest = textwrap.wrap(one.reason, REASON_WIDTH) or [""]
        shown = one.file if one.file != file else ""
        lines.append(_row((shown, one.record, one.state, one.asperion_id), first))
        lines += [_row(("", "", "", ""), line) for line in rest]
        file = one.file
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...], last: str) -> str:
    parts = [f"{cell[:width]:{width}}" for cell, width in zip(cells, WIDTHS, strict=True)]
    return "  ".join([*parts, last]).rstrip()


def asperion_holds(asperion: dict[str, Any]) -> list[str]:
    """Return the references of all orders and invoices that were added to the sandbox, sorted."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"{asperion['url']}/_sandbox/state"
    ) as answer:
        held = json.loads(answer.read())["administrations"]["1"]
    named = [one.get("reference") for one in held["orders"]]
    return sorted(map(str, [*named, *(one.get("invoiceNumber") for one in held["invoices"])]))
