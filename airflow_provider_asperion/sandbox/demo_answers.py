"""The demo's last leg: SAP answers the files that it found, and the ledger learns what was posted."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from airflow_provider_asperion.ledger import Ledger, trail
from airflow_provider_asperion.sandbox.sap_answers import answer_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_asperion.sandbox.demo_airflow import DemoAirflow
    from airflow_provider_asperion.sandbox.demo_to_sap import Sent
    from airflow_provider_asperion.sandbox.sap_answers import Answered

DAG_ID = "sap_answers"
ANSWERS = "out/answers"  # SAP's outbound side
SETTINGS = f"""\
      answers_from_sap:
        enabled: true               # not every SAP system writes answers: off unless it is said
        schedule: "0 7 * * *"
        folder: {{inbox: {ANSWERS}, stable_looks: 1, minimum_age_seconds: 0}}
"""
_KEYS_WIDTH, _REASON_WIDTH = 23, 92
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Noted:
    """What the ledger has noted of one document.

    :param state: posted or failed.
    :param reason: why it failed, and what to do.
    """

    state: str
    reason: str = ""


def let_sap_answer(sent: Path, answers: Path, tell: Callable[[str], None]) -> list[Answered]:
    """Let SAP fetch all files and answer them."""
    answered = answer_all(sent, answers, now=dt.datetime.now(dt.UTC))
    files = sorted(path.name for path in answers.iterdir() if path.is_file())
    tell(f"SAP fetches the files, and drops {len(files)} with answers about {len(answered):,} documents")
    for name in files:
        tell(f"SAP drops {name} ({(answers / name).stat().st_size:,} bytes)")
    return answered


def read_them(airflow: DemoAirflow, tell: Callable[[str], None]) -> dict[str, str]:
    """Switch the DAG on and return its first run when it has ended."""
    airflow.wait_for_dag(DAG_ID)
    airflow.request("PATCH", f"dags/{DAG_ID}?update_mask=is_paused", {"is_paused": False})
    tell(f"DAG {DAG_ID} is switched on; its first run begins")
    return airflow.wait_for_run(DAG_ID, tell)


def noted(ledger_file: Path, run: str) -> dict[str, Noted]:
    """Return what a run has noted, by number of the document; of several answers the last one."""
    ledger = Ledger.open(f"sqlite:///{ledger_file}")
    try:
        with ledger.transaction(reading=True) as work:
            events = [event for _, event in trail.of_run(work, run)]
    finally:
        ledger.close()
    return {
        str(event.detail["number"]): Noted(
            event.name, "".join(f"{one.message} -> {one.remedy}" for one in event.problems[:1])
        )
        for event in events
        if event.name in ("posted", "failed")
    }


def table(sent: Sequence[Sent], answered: Sequence[Answered], known: Mapping[str, Noted]) -> str:
    """Return what became of what was sent, and why some of it failed, as text of at most 132 columns."""
    states = Counter((one.message_type, known[one.number].state) for one in answered if one.number in known)
    lines = [
        "flow       document     sent   posted   failed  no answer",
        "---------  --------  -------  -------  -------  ---------",
    ]
    for one in sent:
        posted, failed = states[one.kind, "posted"], states[one.kind, "failed"]
        silent = one.records - posted - failed
        why = "  rows have no IDoc number that SAP could name" if one.file.endswith(".csv") else ""
        lines.append(
            f"{one.flow:9}  {one.kind:8}  {one.records:7}  {posted:7}  {failed:7}  {silent:9}{why}".rstrip()
        )
    return "\n".join([*lines, "", *_failures(sent, answered, known)]) + "\n"


def _failures(sent: Sequence[Sent], answered: Sequence[Answered], known: Mapping[str, Noted]) -> list[str]:
    """Return the lines of what failed: records with one reason stand together."""
    failed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in answered:
        if (note := known.get(one.number)) is not None and note.state == "failed":
            failed[one.message_type, note.reason].append(one.key.lstrip("0"))
    lines = [_row("document", "failed", "why"), _row("-" * 8, "-" * _KEYS_WIDTH, "-" * _REASON_WIDTH)]
    places = {one.kind: place for place, one in enumerate(sent)}
    for (kind, reason), keys in sorted(failed.items(), key=lambda item: places[item[0][0]]):
        records, reasons = textwrap.wrap(" ".join(keys), _KEYS_WIDTH), textwrap.wrap(reason, _REASON_WIDTH)
        for place, (some, part) in enumerate(zip_longest(records, reasons, fillvalue="")):
            lines.append(_row("" if place else kind, some, part))
    return lines


def _row(kind: str, keys: str, reason: str) -> str:
    return f"{kind:8}  {keys:{_KEYS_WIDTH}}  {reason}".rstrip()


def faults_of(answered: Sequence[Answered], known: Mapping[str, Noted], run: Mapping[str, str]) -> list[str]:
    """Compare what the ledger has noted with what SAP said."""
    faults = [] if run["state"] == "success" else [f"the run of {DAG_ID} ended as {run['state']}"]
    said = {one.number: one.state for one in answered}
    if not {"posted", "failed"} <= set(said.values()):
        faults.append("SAP should have posted some documents and refused others")
    wrong = [
        f"{one.message_type} {one.key}: SAP says {one.state}, the ledger {state}"
        for one in answered
        if (state := known[one.number].state if one.number in known else "nothing") != one.state
    ]
    wrong += [f"document {number}: SAP said nothing of it" for number in sorted(known.keys() - said)]
    more = [f"and {len(wrong) - _MOST_TOLD:,} more"] if len(wrong) > _MOST_TOLD else []
    return faults + wrong[:_MOST_TOLD] + more
