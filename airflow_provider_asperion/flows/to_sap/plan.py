"""Says what publishing would do (X3): create, update, deletion or nothing, field by field; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from airflow_provider_asperion.flows.to_sap.decide import Send
from airflow_provider_asperion.flows.to_sap.prepare import mapped_records, placed, prepare
from airflow_provider_asperion.ledger import snapshots
from airflow_provider_asperion.mapping.segments import split
from airflow_provider_asperion.mapping.targets import LINES
from airflow_provider_asperion.records import Problem, Record, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_asperion.flows.to_sap.observed import Observed
    from airflow_provider_asperion.flows.to_sap.prepare import Prepared, Preparing, Ready
    from airflow_provider_asperion.mapping.to_sap import SapMapping

Why = Literal["new", "changed", "emptied", "always", "stamp", "whole", "unchanged"]
REASONS = ("changed", "emptied")
_COUNTED = {"nothing": "none", "refuse": "refused"}


class PlannedField(Record):
    """A field that travels. What SAP has of it now is not known: the ledger keeps keyed hashes.

    :param field: target of the mapping; of an order's line with its number, ``lines.1.E1EDP01.MENGE``.
    :param send: when it travels, by the mapping.
    :param why: ``new`` in a create; ``changed`` or ``emptied`` since SAP got it last; else why it goes along:
        ``always`` and ``stamp`` by its rule, ``whole`` because the record is one whole, ``unchanged`` because
        everything was asked for.
    :param then: what SAP would get. May be personal: for the eyes of whoever asked, not for a log.
    """

    field: str
    send: Send
    why: Why
    then: str = Field(repr=False)


class PlanEntry(Record):
    """What would happen to one record, through one mapping.

    :param record: how people find it: SKU, customer or order number.
    :param older: nothing travels because SAP has a newer observation already.
    :param fields: what travels; those that changed first, in the order of the mapping.
    :param problems: why it is refused; of one that travels, what is cut.
    """

    record: str
    mapping: str
    action: Literal["create", "update", "delete", "nothing", "refuse"]
    older: bool = False
    fields: tuple[PlannedField, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def counted_as(self) -> str:
        """What publishing counts it as: create, update, delete, none, older, refused."""
        return "older" if self.older else _COUNTED.get(self.action, self.action)

    def masked(self) -> PlanEntry:
        """Return the entry with the form of its values only."""
        fields = (one.model_copy(update={"then": shape_of(one.then)}) for one in self.fields)
        return self.model_copy(update={"fields": tuple(fields)})


def plan(records: Sequence[Observed], parts: Preparing) -> list[PlanEntry]:
    """Return what each record of a batch would become, in their order."""
    mapped = mapped_records(records, parts.mapping)
    with parts.ledger.transaction(reading=True) as work:
        known = snapshots.look_up(work, parts.administration, parts.ledger_flow, mapped.fields)
    prepared = prepare(records, mapped, known, parts)
    ready = {one.observed.key: one for one in prepared.ready}
    return [_entry(record, ready.get(record.key), prepared, parts) for record in records]


def in_words(entry: PlanEntry) -> str:
    """Return what travels, and why, without any value."""
    names = list(dict.fromkeys(_name(one) for one in entry.fields))
    if entry.action == "create":
        return f"create: SAP does not have it; {len(names)} fields"
    why = {_name(one): one.why for one in entry.fields if one.why in REASONS}
    told = ", ".join(f"{name} (emptied)" if reason == "emptied" else name for name, reason in why.items())
    rest = ", ".join(name for name in names if name not in why)
    return f"{entry.action}: {told or 'asked for, nothing changed'}{f'; with it {rest}' if rest else ''}"


def _name(one: PlannedField) -> str:
    return LINES if one.field.startswith(f"{LINES}.") else one.field


def _entry(record: Observed, ready: Ready | None, prepared: Prepared, parts: Preparing) -> PlanEntry:
    shown, mapping = record.shown, parts.mapping.name
    if record.key in prepared.refused:
        problems = placed(prepared.refused[record.key], record, parts)
        return PlanEntry(record=shown, mapping=mapping, action="refuse", problems=problems)
    if ready is None:
        older = record.key in prepared.older
        return PlanEntry(record=shown, mapping=mapping, action="nothing", older=older)
    cut = [problem for problem in prepared.cut if problem.record == shown]
    return PlanEntry(
        record=shown,
        mapping=mapping,
        action=ready.action,
        fields=tuple(sorted(_fields(ready, parts.mapping), key=lambda one: one.why not in REASONS)),
        problems=placed(cut, record, parts),
    )


def _fields(ready: Ready, mapping: SapMapping) -> Iterator[PlannedField]:
    gone = {target: "" for target in ready.change.cleared if target not in ready.texts}
    for target, text in [*_written(ready.texts, mapping.send, mapping), *gone.items()]:
        send = mapping.send[target]
        yield PlannedField(field=target, send=send, why=_why(target, send, ready, mapping), then=text)
    for number, line in enumerate(ready.lines, start=1):
        why = _why(LINES, mapping.send[LINES], ready, mapping)
        for target, text in _written(line, mapping.line_send, mapping):
            name = f"{LINES}.{number}.{target}"
            yield PlannedField(field=name, send=mapping.line_send[target], why=why, then=text)


def _written(
    texts: Mapping[str, str], send: Mapping[str, Send], mapping: SapMapping
) -> list[tuple[str, str]]:
    """Return targets and texts that end in the file.

    Of an IDoc, a segment that would hold nothing but fields marked ``stamp`` is not written.
    """
    if not mapping.basic_type:
        return list(texts.items())
    places = [split(target)[0] for target in texts if send[target] != "stamp"]
    said = {place[:depth] for place in places for depth in range(1, len(place) + 1)}
    return [(target, text) for target, text in texts.items() if split(target)[0] in said]


def _why(target: str, send: Send, ready: Ready, mapping: SapMapping) -> Why:
    if ready.action == "create":
        return "new"
    if target in ready.change.cleared:
        return "emptied"
    if target in ready.change.changed:
        return "changed"
    if mapping.whole:
        return "whole"
    return send if send == "always" or send == "stamp" else "unchanged"
