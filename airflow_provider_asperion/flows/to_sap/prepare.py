"""From observed records to files: map, compare with what SAP got last, write. Nothing leaves the house here.

Publishing and planning both begin with it, so that what was planned is what is published.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.to_sap.decide import Change, change_after_failure, change_of, deletion_of
from airflow_provider_asperion.ledger.outbox import OutboxKey
from airflow_provider_asperion.mapping.targets import LINES
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.writing import TargetDocument, write_files, writer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_asperion.flows.to_sap.decide import Action
    from airflow_provider_asperion.flows.to_sap.observed import Observed, OutBatch
    from airflow_provider_asperion.ledger import IdentityHasher, Ledger
    from airflow_provider_asperion.ledger.snapshots import Snapshot
    from airflow_provider_asperion.mapping.to_sap import SapFields, SapMapping
    from airflow_provider_asperion.sap.writing import FileContent
    from airflow_provider_asperion.settings import ToSap


def ledger_flow(flow_name: str, mapping: str, integration: str) -> str:
    """Return the name under which the ledger keeps what SAP got through a mapping.

    Of the default integration without its name; two others may bring one administration to two SAPs.
    """
    return f"{flow_name}/{mapping}" + ("" if integration == "default" else f"@{integration}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """What preparing a batch for one mapping works with.

    :param flow_name: name of the flow, as the ledger and the settings have it.
    :param batch: the batch in hand.
    :param full: send also what did not change.
    :param integration: whose account of what SAP got is kept.
    """

    flow_name: str
    flow: ToSap
    mapping: SapMapping
    ledger: Ledger
    administration: str
    batch: OutBatch
    hashed: IdentityHasher
    full: bool
    integration: str = "default"

    @property
    def ledger_flow(self) -> str:
        """Name under which the ledger keeps what SAP got through this mapping."""
        return ledger_flow(self.flow_name, self.mapping.name, self.integration)

    @property
    def outbox_key(self) -> OutboxKey:
        """Key of the batch in the outbox."""
        return OutboxKey(self.administration, self.ledger_flow, self.batch.extraction, self.batch.number)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Records as fields, by key.

    :param living: of records that are gone: their fields as if they were not.
    :param refused: problems of those that cannot be mapped.
    """

    fields: dict[str, SapFields] = field(default_factory=dict, repr=False)
    living: dict[str, SapFields] = field(default_factory=dict, repr=False)
    refused: dict[str, tuple[Problem, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ready:
    """A record that travels.

    :param texts: text by target, of what is written of it; its lines apart.
    """

    observed: Observed
    action: Action
    change: Change
    document: TargetDocument
    texts: dict[str, str] = field(repr=False)
    lines: tuple[dict[str, str], ...] = field(repr=False)


@dataclass(slots=True)
class Prepared:
    """What a batch comes to.

    :param ready: records that travel, in their order.
    :param unchanged: keys of records of which SAP has all.
    :param older: keys of records of which SAP has a newer observation.
    :param refused: problems by key, of records that cannot be mapped or written.
    :param cut: values that were cut, as the settings allow.
    """

    ready: list[Ready] = field(default_factory=list)
    unchanged: set[str] = field(default_factory=set)
    older: set[str] = field(default_factory=set)
    refused: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    cut: tuple[Problem, ...] = ()
    files: list[FileContent] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """The records by what is done: create, update, delete, none, older, refused."""
        counts = Counter[str](ready.action for ready in self.ready)
        counts.update(none=len(self.unchanged), older=len(self.older), refused=len(self.refused))
        return +counts


def mapped_records(records: Iterable[Observed], mapping: SapMapping) -> Mapped:
    """Map records; those with a fault are refused."""
    result = Mapped()
    for record in records:
        values = record.values()
        try:
            fields = mapping.map(values)
            if record.gone:
                result.living[record.key] = mapping.map({**values, "active": True})
            result.fields[record.key] = fields
        except ProblemError as error:
            result.refused[record.key] = error.problems
    return result


def prepare(
    records: Iterable[Observed], mapped: Mapped, known: Mapping[str, Snapshot | None], parts: Preparing
) -> Prepared:
    """Decide what of each record travels, and write it.

    :param known: what SAP got last, by key; None or absent: it never got the record.
    """
    result = Prepared(refused=dict(mapped.refused))
    for record in records:
        if record.key not in mapped.fields:
            continue
        snapshot = known.get(record.key)
        if snapshot is not None and snapshot.observed_at > record.observed_at:
            result.older.add(record.key)
            continue
        change = _change(mapped, record.key, snapshot, parts)
        if change.action is None:
            result.unchanged.add(record.key)
            continue
        try:
            result.ready.append(_ready(record, change, change.action, parts))
        except ProblemError as error:
            result.refused[record.key] = error.problems
    _write(result, parts)
    return result


def placed(problems: Iterable[Problem], record: Observed, parts: Preparing) -> tuple[Problem, ...]:
    """Return the problems of a record with its name, flow and administration filled in."""
    places = {"record": record.shown, "flow": parts.flow_name, "administration": parts.administration}
    return tuple(problem.at(**places) for problem in problems)


def _change(mapped: Mapped, key: str, snapshot: Snapshot | None, parts: Preparing) -> Change:
    send = parts.mapping.send
    texts = _texts(mapped.fields[key], parts.mapping)

    def hashed(target: str, text: str) -> str:
        return parts.hashed("field", target, text)[:16]

    if key not in mapped.living:
        if snapshot is not None and snapshot.posted == "failed" and snapshot.action != "delete":
            created = snapshot.action == "create"
            return change_after_failure(
                texts, snapshot.fields, send, hashed, created=created, full=parts.full
            )
        known = None if snapshot is None else snapshot.fields
        return change_of(texts, known, send, hashed, full=parts.full)
    if snapshot is None:
        return Change(None)
    return deletion_of(texts, _texts(mapped.living[key], parts.mapping), snapshot.fields, send, hashed)


def _texts(fields: SapFields, mapping: SapMapping) -> dict[str, str]:
    """Return all texts of a record by target; its lines as one."""
    return {**fields.fields, LINES: json.dumps(fields.lines)} if mapping.whole else fields.fields


def _ready(record: Observed, change: Change, action: Action, parts: Preparing) -> Ready:
    """Return what is written of a record: mapped once more, now that it is known what it is.

    :raises ProblemError: the mapping has no answer for what it is.
    """
    mapping = parts.mapping
    fields = mapping.map(record.values(), action=action)
    sent = fields.fields.keys() if mapping.whole else change.sent
    chosen = {target: text for target, text in fields.fields.items() if target in sent}
    chosen |= dict.fromkeys(change.cleared, parts.flow.writing.no_data)
    texts = {target: text for target, text in chosen.items() if mapping.send[target] != "never"}
    untouched = "" if action == "create" or mapping.whole else parts.flow.writing.untouched
    document = TargetDocument(
        key=record.shown,
        message_type=mapping.message_type,
        basic_type=mapping.basic_type,
        number=_document_number(parts.outbox_key.id, record.key),
        created_at=parts.batch.extracted_at,
        data=mapping.data(texts, fields.lines, untouched=untouched),
    )
    return Ready(record, action, change, document, texts, fields.lines)


def _document_number(batch: str, key: str) -> str:
    """Return a DOCNUM of 16 digits: the same for the same record of the same batch."""
    digest = hashlib.sha256(f"{batch}/{key}".encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**16:016}"


def _write(result: Prepared, parts: Preparing) -> None:
    """Write what travels; a record that does not fit is refused."""
    mapping, profile = parts.mapping, parts.flow.writing
    written = write_files(
        (ready.document for ready in result.ready),
        lambda: writer_of(profile, columns=mapping.columns, numbers=mapping.numbers, dates=mapping.dates),
        maximum_bytes=profile.maximum_bytes,
    )
    result.files = written.files
    result.cut = tuple(written.cut)
    # By number: two records may be known to people by one name.
    there = {number for file in written.files for number in file.numbers}
    for ready in result.ready:
        if ready.document.number not in there:
            result.refused[ready.observed.key] = written.refused[ready.document.key]
    result.ready = [ready for ready in result.ready if ready.document.number in there]
