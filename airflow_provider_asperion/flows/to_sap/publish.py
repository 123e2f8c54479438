"""Publishes a batch: decide, write, and let each record appear in SAP's folder exactly once.

Planned (ledger) -> written under a temporary name and checked -> ``uploaded`` (ledger) -> renamed, done-file
-> ``published`` (ledger, with what SAP has now). A worker killed between two of these leaves a row from which
the next one knows what to do: planned, nothing can be seen yet, so it is planned anew; uploaded, the
temporary file tells whether it was renamed, even when SAP has fetched the file since.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.flows.to_sap.prepare import Preparing, mapped_records, placed, prepare
from airflow_provider_asperion.ledger import DocumentKey, GripLost, names, outbox, payloads
from airflow_provider_asperion.ledger.outbox import Decision, OutFile
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.faults import stalled
from airflow_provider_asperion.sap.file_names import file_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from airflow_provider_asperion.flows.to_sap.observed import Observed
    from airflow_provider_asperion.flows.to_sap.prepare import Prepared, Ready
    from airflow_provider_asperion.ledger import LiveSession
    from airflow_provider_asperion.ledger.outbox import Outbox
    from airflow_provider_asperion.ledger.payloads import Keeper
    from airflow_provider_asperion.ledger.snapshots import Snapshot
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.sap.writing import FileContent

# Of the lease: as long as making one file appear may take. The heartbeat comes every third, too.
REVEAL_SHARE = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing(Preparing):
    """What publishing works with.

    :param on_problem: told of each record that is refused, and each value that was cut.
    :param on_record: told of each record that is mapped.
    :param keeper: keeps the values of records for some days, encrypted; None: they are not kept.
    """

    live: LiveSession
    dropbox: Dropbox
    on_problem: Callable[[Problem], None]
    keeper: Keeper | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_record: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Published:
    """What came of a batch.

    :param counts: records by what was done: create, update, delete, none, older, refused.
    :param files: names of the files that SAP finds.
    :param again: it was published by an earlier try, and how many were refused is not known any more.
    """

    counts: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)
    again: bool = False


async def publish(records: Sequence[Observed], parts: Publishing) -> Published:
    """Publish a batch through one mapping; may be repeated at any point.

    :raises ProblemError: the server or the ledger refuses; nothing is half visible.
    """
    found = await _run(parts, outbox.find, parts.outbox_key)
    if found is not None and found.state == "published":
        return _told(found)
    if found is not None and found.state == "uploaded":
        found = await _run(parts, outbox.adopt, parts.live.session, found.id)
        await complete(found, parts)
        return _told(found)
    return await _publish_anew(records, parts)


async def complete(found: Outbox, parts: Publishing) -> None:
    """Bring a batch to its end whose files are on the server, under their names or still hidden.

    :raises ProblemError: they lie in another folder than that of the settings now; or see :func:`_reveal`.
    """
    now = parts.flow.folder.folder
    if found.files and found.folder not in ("", now):
        # There, a temporary file that is not found would be taken for one that SAP has seen.
        raise ProblemError(_elsewhere(found.folder, now, [file.name for file in found.files]))
    for file in found.files:
        await _reveal(file.name, parts)
    await _run(parts, outbox.published, parts.live.session, found.id)


async def _reveal(name: str, parts: Publishing) -> None:
    """Let a file appear while the lease lasts.

    :raises ProblemError: the server takes longer than that: after it, this worker may be thought dead.
    """
    seconds = _reveal_seconds(parts)
    parts.live.ensure_alive(seconds)
    try:
        async with asyncio.timeout(seconds):
            await parts.dropbox.reveal(name, done_file=True)
    except TimeoutError:
        raise ProblemError(stalled(name, seconds)) from None


def _reveal_seconds(parts: Publishing) -> float:
    return parts.live.session.lease_seconds * REVEAL_SHARE


async def _publish_anew(records: Sequence[Observed], parts: Publishing) -> Published:
    mapped = mapped_records(_counted(records, parts.on_record), parts.mapping)
    held = await _hold([record for record in records if record.key in mapped.fields], parts)
    prepared = prepare(records, mapped, held, parts)
    _tell(records, prepared, parts)
    files = {_name(file, parts): file for file in prepared.files}
    name_of = {number: name for name, file in files.items() for number in file.numbers}
    decisions = [_decision(ready, name_of[ready.document.number]) for ready in prepared.ready]
    session, key = parts.live.session, parts.outbox_key
    await _run(parts, outbox.plan, session, key, decisions, folder=parts.flow.folder.folder)
    await _run(parts, _note_whose, parts, prepared.ready)
    uploaded = []
    for name, file in files.items():
        # One that was thought dead must not write over the file of whoever came after it.
        parts.live.ensure_alive(_reveal_seconds(parts))
        sent = await parts.dropbox.upload(name, [file.body])
        uploaded.append(OutFile(name=name, sha256=sent.sha256, size=sent.size))
    await _run(parts, outbox.uploaded, session, key.id, uploaded)
    await complete(await _run(parts, outbox.find, key), parts)
    return Published(prepared.counts, [file.name for file in uploaded])


def _counted(records: Iterable[Observed], on_record: Callable[[], None]) -> Iterator[Observed]:
    for record in records:
        yield record
        on_record()


async def _hold(records: Sequence[Observed], parts: Publishing) -> dict[str, Snapshot | None]:
    """Take hold of all records; what another run left half done is brought to its end first.

    :raises ProblemError: another run has some of them in hand, and is not done in time.
    """
    session, key = parts.live.session, parts.outbox_key
    observations = [(record.key, record.observed_at) for record in records]
    waited, pause = 0.0, 0.25
    while True:
        held = await _run(parts, outbox.hold, session, key, observations)
        if not held.busy:
            return held.free  # type: ignore[no-any-return]
        # Two that each hold what the other one wants would wait for ever: let go before waiting.
        await _run(parts, outbox.abandon, session, key.id)
        for stranded in held.stranded:
            with suppress(GripLost):  # somebody else was faster
                await complete(await _run(parts, outbox.adopt, session, stranded.id), parts)
        if held.stranded:
            continue
        if waited >= parts.flow.delivery.busy_wait_seconds:
            raise ProblemError(_busy(len(held.busy)))
        await parts.sleep(pause)
        waited += pause
        pause = min(pause * 2, 5.0)


def _elsewhere(folder: str, now: str, names: Sequence[str]) -> Problem:
    return Problem(
        rule="outbox.folder",
        message=f"{len(names)} files of an earlier run, such as {names[0]}, lie hidden in {folder}, and the "
        f"settings name {now}",
        remedy=f"set folder.folder to {folder} until a run has passed, then change it",
        field="folder.folder",
    )


def _busy(count: int) -> Problem:
    return Problem(
        rule="record.busy",
        message=f"{count} records are in the hands of another run",
        remedy="nothing to do when a retry passes; else see what the other run is waiting for",
        transient=True,
    )


def _decision(ready: Ready, file: str) -> Decision:
    return Decision(
        key=ready.observed.key,
        file=file,
        number=ready.document.number,
        action=ready.action,
        fields=ready.change.hashes,
        sent=ready.change.sent,
        observed_at=ready.observed.observed_at,
        amount=_amount(ready.observed),
    )


def _note_whose(work: Work, parts: Publishing, ready: Sequence[Ready]) -> None:
    """Put down whose records they are, as keyed hashes; and their values, where the settings ask for it."""
    run, keeper = parts.live.session.run_id, parts.keeper
    whose, kept = [], []
    for one in ready:
        record_id = DocumentKey(parts.administration, parts.ledger_flow, one.observed.key).id
        email = _email_of(one.observed)
        name = parts.hashed("email", normal_form("email", email)) if email else None
        if name is not None:
            whose.append((name, record_id))
        if keeper is not None:
            sent: dict[str, Any] = dict(one.texts)
            if one.lines:
                sent["lines"] = one.lines
            kept.append(keeper.sealed(record_id, "came", one.observed.record, name))
            kept.append(keeper.sealed(record_id, "went", sent, name))
    names.note(work, whose)
    if keeper is not None:
        payloads.put(work, run, keeper.life, kept)


def _email_of(observed: Observed) -> str | None:
    customer = observed.record.get("customer", observed.record)
    return customer.get("email") or None


def _amount(observed: Observed) -> Decimal | None:
    """Return what an order or invoice adds up to, with VAT, where Asperion told it."""
    gross = observed.record.get("control", {}).get("gross")
    return None if gross is None else Decimal(gross)


def _name(file: FileContent, parts: Publishing) -> str:
    return file_name(
        parts.flow.folder.file_name,
        administration=parts.administration,
        # With the mapping: two of one message type must not write over each other's files.
        run=f"{parts.batch.extraction}/{parts.ledger_flow}",
        run_at=parts.batch.extracted_at,
        batch=parts.batch.number,
        part=file.part,
        kind=parts.mapping.message_type,
        suffix=file.suffix,
        scope="full" if parts.full and parts.batch.whole else "delta",
    )


def _tell(records: Sequence[Observed], prepared: Prepared, parts: Publishing) -> None:
    for record in records:
        for problem in placed(prepared.refused.get(record.key, ()), record, parts):
            parts.on_problem(problem)
    for problem in prepared.cut:
        parts.on_problem(problem)


def _told(found: Outbox) -> Published:
    """Return what came of a batch that is done already."""
    result = Published(files=[file.name for file in found.files], again=True)
    result.counts.update(decision.action for decision in found.decisions)
    return result


async def _run(parts: Publishing, operation: Any, *arguments: Any, **named: Any) -> Any:
    """Run an operation of the ledger beside the event loop."""
    return await asyncio.to_thread(parts.ledger.run, operation, *arguments, **named)
