"""From a source document to an order: choose the mapping, map, fill in defaults, filter, check totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_asperion.flows.orders_to_asperion.patched import patched
from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder, fingerprint_of
from airflow_provider_asperion.flows.totals import check_control_totals
from airflow_provider_asperion.records import Order, Problem, ProblemError, problems_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_asperion.mapping import Mapping as Mapper
    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.settings import OrdersToAsperion

LINES = "lines"


@dataclass(frozen=True, slots=True)
class Filtered:
    """A document that the settings say does not travel (O2), and why."""

    record: str
    reason: str


class Preparer:
    """Makes orders of source documents by the settings of one flow.

    :param flow: the settings.
    :param mappings: the compiled mappings that the flow uses.
    :param today: gives the date that the default ``today`` stands for.
    """

    def __init__(
        self, flow: OrdersToAsperion, mappings: Sequence[Mapper], *, today: Callable[[], dt.date]
    ) -> None:
        self._flow = flow
        self._mappings = mappings
        self._today = today

    def prepare(
        self, document: SourceDocument, *, claim: str, patches: Mapping[str, str | None] | None = None
    ) -> StagedOrder | Filtered:
        """Return the order of a document, or why it is filtered out.

        :param patches: what a person changed in the document. It stays the same document to the ledger.
        :raises ProblemError: when the document cannot become an order; each problem names the field.
        """
        try:
            if not patches:
                return self._prepare(document, claim)
            prepared = self._prepare(patched(document, patches), claim)
        except ProblemError as error:
            places = {
                "file": document.file,
                "position": document.position,
                "line": document.line,
                "record": document.key or None,
            }
            raise ProblemError(*(problem.at(**places) for problem in error.problems)) from error
        if isinstance(prepared, Filtered):
            return prepared
        return prepared.model_copy(
            update={"fingerprint": fingerprint_of(document), "patched": tuple(sorted(patches))}
        )

    def _prepare(self, document: SourceDocument, claim: str) -> StagedOrder | Filtered:
        mapping = self._mapping_for(document)
        mapped = mapping.map(document)
        values = dict(mapped.values)
        applied = fill(values, self._flow.defaults, today=self._today)
        force(values, self._flow.forced, today=self._today)
        if self._flow.kind is not None:
            values["kind"] = self._flow.kind
        try:
            order = Order.model_validate(values)
        except ValidationError as error:
            raise ProblemError(*problems_of(error, rule="order.field")) from error
        reason = self._flow.filter.refuses(order.status, order.channel)
        if reason is not None:
            return Filtered(record=order.reference, reason=reason)
        problems = check_control_totals(order, self._flow.totals)
        if problems:
            raise ProblemError(*problems)
        return StagedOrder(
            order=order,
            claim=claim,
            file=document.file,
            position=document.position,
            line=document.line,
            fingerprint=fingerprint_of(document),
            mapping=mapping.name,
            defaults=(*mapped.defaults_applied, *applied),
            forced=tuple(self._flow.forced),
            looked_up=mapped.looked_up,
        )

    def _mapping_for(self, document: SourceDocument) -> Mapper:
        for mapping in self._mappings:
            if mapping.applies_to(document):
                return mapping
        raise ProblemError(
            Problem(
                rule="mapping.none",
                message=f"no mapping is for message {document.message_type} in format {document.format}",
                remedy="add a mapping whose `for` names them, or take the message type off the reader",
            )
        )


def fill(
    values: dict[str, Any], defaults: dict[str, str], *, today: Callable[[], dt.date]
) -> tuple[str, ...]:
    """Put defaults where a mapped record has no value (O3); return the targets that were filled."""
    return tuple(
        target
        for target, value in defaults.items()
        if _put(values, target.split("."), _value(value, today), replace=False)
    )


def force(values: dict[str, Any], forced: dict[str, str], *, today: Callable[[], dt.date]) -> None:
    """Put forced values in place of whatever the source said (O11)."""
    for target, value in forced.items():
        _put(values, target.split("."), _value(value, today), replace=True)


def _value(value: str, today: Callable[[], dt.date]) -> Any:
    return today() if value == "today" else value


def _put(values: dict[str, Any], path: list[str], value: Any, *, replace: bool) -> bool:
    """Set the value at a path; True when something was set. ``lines`` stands for every line."""
    name, *rest = path
    if name == LINES:
        lines = values[LINES] = [dict(line) for line in values.get(LINES, ())]
        return any([_put(line, rest, value, replace=replace) for line in lines])
    if rest:
        child = values[name] = dict(values.get(name) or {})
        return _put(child, rest, value, replace=replace)
    if values.get(name) is not None and not replace:
        return False
    values[name] = value
    return True
