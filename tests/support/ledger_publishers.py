"""A publication step by step, to be stopped, killed or overtaken anywhere. A folder stands for SAP's."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import true

from airflow_provider_asperion.ledger import GripLost, Ledger, outbox
from airflow_provider_asperion.ledger.outbox import Decision, OutboxKey, OutFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from airflow_provider_asperion.ledger import WorkSession
    from airflow_provider_asperion.ledger.outbox import Outbox
    from airflow_provider_asperion.ledger.snapshots import Snapshot

FLOW = "products_to_sap/plain"
NOON = dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC)
POINTS = ("held", "planned", "written", "uploaded", "revealed", "published")


def batch(run: str, number: int = 1) -> OutboxKey:
    return OutboxKey("1", FLOW, run, number)


def name_of(key: OutboxKey) -> str:
    return f"{key.run_id}-{key.batch}.txt"


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def steps(
    ledger: Ledger,
    session: WorkSession,
    folder: Path,
    key: OutboxKey,
    records: Mapping[str, str],
    observed_at: dt.datetime = NOON,
) -> Iterator[str]:
    """Publish a batch as the flows do; yields each of :data:`POINTS` when it has been reached."""
    found = ledger.run(outbox.find, key)
    if found is not None and found.state == "published":
        return
    if found is not None and found.state == "uploaded":
        found = ledger.run(outbox.adopt, session, found.id)
    else:
        held = _hold(ledger, session, folder, key, [(record, observed_at) for record in records])
        yield "held"
        decisions = [
            decision
            for record, snapshot in held.items()
            if (decision := _decide(record, records[record], snapshot, observed_at)) is not None
        ]
        ledger.run(outbox.plan, session, key, decisions)
        yield "planned"
        body = "".join(
            f"{decision.action} {decision.key}={records[decision.key]}\n" for decision in decisions
        )
        (folder / f"{name_of(key)}.tmp").write_text(body)
        yield "written"
        file = OutFile(name_of(key), hashlib.sha256(body.encode()).hexdigest(), len(body))
        ledger.run(outbox.uploaded, session, key.id, [file])
        yield "uploaded"
        found = ledger.run(outbox.find, key)
    assert found is not None
    _reveal(folder, found)
    yield "revealed"
    ledger.run(outbox.published, session, found.id)
    yield "published"


def _hold(
    ledger: Ledger,
    session: WorkSession,
    folder: Path,
    key: OutboxKey,
    observations: list[tuple[str, dt.datetime]],
) -> dict[str, Snapshot | None]:
    while True:
        held = ledger.run(outbox.hold, session, key, observations)
        for stranded in held.stranded:
            _reveal(folder, ledger.run(outbox.adopt, session, stranded.id))
            ledger.run(outbox.published, session, stranded.id)
        if not held.stranded:
            return held.free


def _decide(record: str, value: str, snapshot: Snapshot | None, observed_at: dt.datetime) -> Decision | None:
    if snapshot is not None and snapshot.observed_at > observed_at:
        return None
    fields = {"value": short_hash(value)}
    if snapshot is not None and dict(snapshot.fields) == fields:
        return None
    action = "create" if snapshot is None else "update"
    return Decision(record, action, observed_at, fields, ("value",))


def _reveal(folder: Path, found: Outbox) -> None:
    for file in found.files:
        temporary = folder / f"{file.name}.tmp"
        if temporary.exists():
            temporary.rename(folder / file.name)


def seen(folder: Path) -> Counter[str]:
    """Return how often each record is visible to SAP."""
    lines: Counter[str] = Counter()
    for path in folder.glob("*.txt"):
        lines.update(path.read_text().splitlines())
    return lines


def switch_off(protection: str | None) -> None:
    """Take a protection away, to see that a test would notice."""
    if protection == "fence":
        outbox._is_mine = lambda work, session: true()  # type: ignore[assignment]
    elif protection == "hold":
        outbox._is_taken = lambda key, holder: False  # type: ignore[assignment]


def publish(
    url: str,
    folder: Path,
    run: str,
    records: Mapping[str, str],
    die: str | None = None,
    observed_at: dt.datetime = NOON,
) -> None:
    """Publish a batch in a process of its own, killed at a point of :data:`POINTS`."""
    ledger = Ledger.open(url)
    session = ledger.open_session(run, run, lease_seconds=3600)
    for point in steps(ledger, session, folder, batch(run), records, observed_at):
        if point == die:
            os.kill(os.getpid(), signal.SIGKILL)
    ledger.close_session(session)
    ledger.close()


def overtake(url: str, folder: Path, barrier: Barrier, answers: Any, number: int) -> None:
    """Publish records, without the hold, while another process is between its upload and its rename.

    The first process stops there; the second publishes the same records meanwhile. No chance is involved.
    """
    switch_off("hold")
    ledger = Ledger.open(url)
    run = f"run{number}"
    session = ledger.open_session(run, run)
    records = dict.fromkeys("ABC", "1")
    lost = 0
    if number == 1:
        barrier.wait(60)
    try:
        for point in steps(ledger, session, folder, batch(run), records):
            if number == 0 and point == "uploaded":
                barrier.wait(60)  # the other one begins
                barrier.wait(60)  # and has published
    except GripLost:
        lost += 1
    if number == 1:
        barrier.wait(60)
    answers.put(lost)
    barrier.wait(60)
    ledger.close()


def compete(url: str, folder: Path, barrier: Barrier, answers: Any, number: int, count: int) -> None:
    """Publish the same records as all others, in small batches; report how many batches were lost."""
    ledger = Ledger.open(url)
    run = f"run{number}"
    session = ledger.open_session(run, run)
    names = [str(record) for record in range(count)]
    lost = 0
    barrier.wait(60)
    for start in range(0, count, 10):
        records = dict.fromkeys(names[start : start + 10], "1")
        try:
            for point in steps(ledger, session, folder, batch(run, start), records):
                if point == "uploaded":
                    time.sleep(0.02)  # as long as a rename on a server takes: others come by meanwhile
        except GripLost:
            lost += 1
    answers.put(lost)
    barrier.wait(60)  # nobody leaves, and dies, while others are still at it
    ledger.close()
