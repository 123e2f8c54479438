"""Publishes a batch: decide, write, and let each record appear in SAP's folder exactly once.

Planned (ledger) -> written under a temporary name and checked -> ``uploaded`` (ledger) -> renamed, done-file
-> ``published`` (ledger, with what SAP has now). A worker killed between two of these leaves a row from which
the next one knows what to do: planned, nothing can be seen yet, so it is planned anew; uploaded, the
temporary file tells whether it was renamed, even when SAP has fetched the file since.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.flows.to_sap.decide import Change, change_of, deletion_of
from airflow_provider_asperion.ledger import GripLost, outbox
from airflow_provider_asperion.ledger.outbox import Decision, OutboxKey, OutFile
from airflow_provider_asperion.mapping.targets import LINES
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.file_names import file_name
from airflow_provider_asperion.sap.writing import TargetDocument, write_files, writer_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from airflow_provider_asperion.flows.to_sap.decide import Action
    from airflow_provider_asperion.flows.to_sap.observed import Observed, OutBatch
    from airflow_provider_asperion.ledger import IdentityHasher, Ledger, LiveSession
    from airflow_provider_asperion.ledger.outbox import Outbox
    from airflow_provider_asperion.ledger.snapshots import Snapshot
    from airflow_provider_asperion.mapping.to_sap import SapFields, SapMapping
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.sap.writing import FileContent
    from airflow_provider_asperion.settings import ToSap

# The longest that making a file appear takes: two answers of the server, each watched by itself.
REVEAL_MARGIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Publishing:
    """What publishing works with.

    :param flow_name: name of the flow, as the ledger and the settings have it.
    :param batch: the batch in hand.
    :param full: send also what did not change.
    :param on_problem: told of each record that is refused, and each value that was cut.
    """

    flow_name: str
    flow: ToSap
    mapping: SapMapping
    ledger: Ledger
    live: LiveSession
    dropbox: Dropbox
    administration: str
    batch: OutBatch
    hashed: IdentityHasher
    full: bool
    on_problem: Callable[[Problem], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def ledger_flow(self) -> str:
        """Name under which the ledger keeps what SAP got through this mapping."""
        return f"{self.flow_name}/{self.mapping.name}"

    @property
    def outbox_key(self) -> OutboxKey:
        """Key of the batch in the outbox."""
        return OutboxKey(self.administration, self.ledger_flow, self.batch.extraction, self.batch.number)


@dataclass(slots=True)
class Published:
    """What came of a batch.

    :param counts: records by what was done: create, update, delete, none, older, refused.
    :param files: names of the files that SAP finds.
    """

    counts: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that travels, ready to be written."""

    observed: Observed
    action: Action
    change: Change
    document: TargetDocument


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
    """Bring a batch to its end whose files are on the server, under their names or still hidden."""
    for file in found.files:
        parts.live.ensure_alive(REVEAL_MARGIN_SECONDS)
        await parts.dropbox.reveal(file.name, done_file=True)
    await _run(parts, outbox.published, parts.live.session, found.id)


async def _publish_anew(records: Sequence[Observed], parts: Publishing) -> Published:
    result = Published()
    fields = mapped_records(records, parts, result)
    held = await _hold([record for record in records if record.key in fields], parts)
    prepared = []
    for record in records:
        if record.key in held:
            mapped = fields[record.key]
            change = decided(record, mapped, held[record.key], parts, result)
            if change is not None and change.action is not None:
                document = _document(record, change, parts, change.action)
                prepared.append(Prepared(record, change.action, change, document))
    files = {_name(file, parts): file for file in _written(prepared, parts, result)}
    name_of = {number: name for name, file in files.items() for number in file.numbers}
    decisions = [
        _decision(ready, name_of[ready.document.number])
        for ready in prepared
        if ready.document.number in name_of
    ]
    result.counts.update(decision.action for decision in decisions)
    session, key = parts.live.session, parts.outbox_key
    await _run(parts, outbox.plan, session, key, decisions)
    uploaded = []
    for name, file in files.items():
        # One that was thought dead must not write over the file of whoever came after it.
        parts.live.ensure_alive(REVEAL_MARGIN_SECONDS)
        sent = await parts.dropbox.upload(name, [file.body])
        uploaded.append(OutFile(name=name, sha256=sent.sha256, size=sent.size))
    await _run(parts, outbox.uploaded, session, key.id, uploaded)
    await complete(await _run(parts, outbox.find, key), parts)
    result.files = [file.name for file in uploaded]
    return result


def mapped_records(
    records: Sequence[Observed], parts: Publishing, result: Published
) -> dict[str, tuple[SapFields, SapFields | None]]:
    """Map records; those with a fault are refused. For one that is gone: also as if it were not."""
    found: dict[str, tuple[SapFields, SapFields | None]] = {}
    for record in records:
        values = record.values()
        try:
            mapped = parts.mapping.map(values)
            living = parts.mapping.map({**values, "active": True}) if record.gone else None
        except ProblemError as error:
            _refuse(record.shown, error.problems, parts, result)
            continue
        found[record.key] = (mapped, living)
    return found


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


def _busy(count: int) -> Problem:
    return Problem(
        rule="record.busy",
        message=f"{count} records are in the hands of another run",
        remedy="nothing to do when a retry passes; else see what the other run is waiting for",
        transient=True,
    )


def decided(
    record: Observed,
    mapped: tuple[SapFields, SapFields | None],
    snapshot: Snapshot | None,
    parts: Publishing,
    result: Published,
) -> Change | None:
    """Decide what of a record travels; None: nothing."""
    if snapshot is not None and snapshot.observed_at > record.observed_at:
        result.counts["older"] += 1
        return None
    change = _change(*mapped, snapshot, parts)
    if change.action is None:
        result.counts["none"] += 1
        return None
    return change


def _change(
    fields: SapFields, living: SapFields | None, snapshot: Snapshot | None, parts: Publishing
) -> Change:
    send = parts.mapping.send
    texts = _texts(fields, parts.mapping)

    def hashed(target: str, text: str) -> str:
        return parts.hashed("field", target, text)[:16]

    if living is None:
        known = None if snapshot is None else snapshot.fields
        return change_of(texts, known, send, hashed, full=parts.full)
    if snapshot is None:
        return Change(None)
    return deletion_of(texts, _texts(living, parts.mapping), snapshot.fields, send, hashed)


def _texts(fields: SapFields, mapping: SapMapping) -> dict[str, str]:
    """Return all texts of a record by target; its lines as one."""
    return {**fields.fields, LINES: json.dumps(fields.lines)} if mapping.whole else fields.fields


def _document(record: Observed, change: Change, parts: Publishing, action: Action) -> TargetDocument:
    """Return what is written of a record: mapped once more, now that it is known what it is."""
    mapping = parts.mapping
    fields = mapping.map(record.values(), action=action)
    sent = fields.fields.keys() if mapping.whole else change.sent
    chosen = {target: text for target, text in fields.fields.items() if target in sent}
    if parts.flow.writing.no_data:
        chosen |= dict.fromkeys(change.cleared, parts.flow.writing.no_data)
    return TargetDocument(
        key=record.shown,
        message_type=mapping.message_type,
        basic_type=mapping.basic_type,
        number=_document_number(parts.outbox_key.id, record.key),
        created_at=parts.batch.extracted_at,
        data=mapping.data(
            {target: text for target, text in chosen.items() if mapping.send[target] != "never"}, fields.lines
        ),
    )


def _document_number(batch: str, key: str) -> str:
    """Return a DOCNUM of 16 digits: the same for the same record of the same batch."""
    digest = hashlib.sha256(f"{batch}/{key}".encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**16:016}"


def _written(prepared: Sequence[Prepared], parts: Publishing, result: Published) -> list[FileContent]:
    """Write records; those that do not fit are refused."""
    mapping, profile = parts.mapping, parts.flow.writing
    written = write_files(
        (ready.document for ready in prepared),
        lambda: writer_of(profile, columns=mapping.columns, numbers=mapping.numbers, dates=mapping.dates),
        maximum_bytes=profile.maximum_bytes,
    )
    for key, problems in written.refused.items():
        _refuse(key, problems, parts, result)
    for problem in written.cut:
        parts.on_problem(problem)
    return written.files


def _decision(ready: Prepared, file: str) -> Decision:
    return Decision(
        key=ready.observed.key,
        file=file,
        number=ready.document.number,
        action=ready.action,
        fields=ready.change.hashes,
        sent=ready.change.sent,
        observed_at=ready.observed.observed_at,
    )


def _name(file: FileContent, parts: Publishing) -> str:
    return file_name(
        parts.flow.folder.file_name,
        administration=parts.administration,
        run=parts.batch.extraction,
        run_at=parts.batch.extracted_at,
        batch=parts.batch.number,
        part=file.part,
        kind=parts.mapping.message_type,
        suffix=file.suffix,
    )


def _refuse(shown: str, problems: Sequence[Problem], parts: Publishing, result: Published) -> None:
    result.counts["refused"] += 1
    for problem in problems:
        parts.on_problem(problem.at(record=shown, flow=parts.flow_name, administration=parts.administration))


def _told(found: Outbox) -> Published:
    """Return what came of a batch that is done already."""
    result = Published(files=[file.name for file in found.files])
    result.counts.update(decision.action for decision in found.decisions)
    return result


async def _run(parts: Publishing, operation: Any, *arguments: Any) -> Any:
    """Run an operation of the ledger beside the event loop."""
    return await asyncio.to_thread(parts.ledger.run, operation, *arguments)
