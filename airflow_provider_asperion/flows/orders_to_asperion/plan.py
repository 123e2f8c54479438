"""What would happen (X3): created, adopted, skipped or refused, field by field, and nothing written."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.flows.orders_to_asperion.decide import Decider
from airflow_provider_asperion.flows.orders_to_asperion.deliver import amount_of, changed_problem
from airflow_provider_asperion.flows.orders_to_asperion.live import load_live_values
from airflow_provider_asperion.ledger import DocumentKey
from airflow_provider_asperion.records import Problem, ProblemError, Record, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.flows.orders_to_asperion.decide import Decision
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.settings import OrdersToAsperion

Action = Literal["create", "update", "adopt", "skip", "refuse"]


class Change(Record):
    """A field, what it is now, what it would be. Personal: for the eyes of whoever asked, not for a log."""

    field: str
    now: str = Field(repr=False)
    then: str = Field(repr=False)

    def masked(self) -> str:
        """Return the change with the form of its values only."""
        return f"{self.field}: {shape_of(self.now) or '(empty)'} -> {shape_of(self.then)}"


class PlanEntry(Record):
    """What would happen to one order.

    :param customer: ``create``, ``update`` or ``use``; None when the order goes no further.
    :param changes: fields of the debtor, and of the document when it is to be created.
    """

    record: str
    file: str
    position: int
    action: Action
    customer: Literal["create", "update", "use"] | None = None
    changes: tuple[Change, ...] = ()
    lines: int = 0
    amount: Decimal = Decimal(0)
    asperion_id: str | None = None
    problems: tuple[Problem, ...] = ()


class PlanSummary(Record):
    """How many of what. Nothing personal: it travels as an XCom."""

    actions: dict[str, int]
    customers: dict[str, int]
    fields: dict[str, int]
    problems: dict[str, int]

    @classmethod
    def of(cls, entries: Iterable[PlanEntry]) -> PlanSummary:
        """Count entries."""
        counted: dict[str, Counter[str]] = {name: Counter() for name in cls.model_fields}
        for entry in entries:
            counted["actions"][entry.action] += 1
            counted["customers"].update([entry.customer] if entry.customer else [])
            counted["fields"].update(change.field for change in entry.changes)
            counted["problems"].update(problem.rule for problem in entry.problems)
        return cls(**{name: dict(counter) for name, counter in counted.items()})


async def plan(
    batch: Sequence[StagedOrder],
    *,
    flow: OrdersToAsperion,
    asperion: Asperion,
    ledger: Ledger,
    administration: str,
    validate: bool = True,
) -> list[PlanEntry]:
    """Say what delivering a batch would do. Reads only, but for ``validateOnly`` where the API offers it.

    :param validate: let Asperion itself say what it would refuse.
    :raises AsperionError: the administration cannot be read.
    """
    live = await load_live_values(asperion)
    decider = Decider(asperion, flow, live, batch)
    keys = [DocumentKey(administration, staged.order.kind, staged.order.reference) for staged in batch]
    known = await asyncio.to_thread(ledger.look_up, keys)
    in_flight = asyncio.Semaphore(flow.delivery.in_flight)

    async def one(staged: StagedOrder, key: DocumentKey) -> PlanEntry:
        document = known.get(key)
        if document is not None and document.state == "done":
            if document.fingerprint != staged.fingerprint and flow.delivery.changed_order == "refuse":
                problem = changed_problem(document.asperion_id)
                return _entry(staged, "refuse", problems=(problem,), asperion_id=document.asperion_id)
            return _entry(staged, "skip", asperion_id=document.asperion_id)
        async with in_flight:
            try:
                decision = await decider.decide(staged.order)
                if validate:
                    await _validate(asperion, decision)
            except ProblemError as error:
                return _entry(staged, "refuse", problems=error.problems)
            except AsperionError as error:
                return _entry(staged, "refuse", problems=(to_problem(error),))
        return _entry_of(staged, decision)

    return list(await asyncio.gather(*(one(*pair) for pair in zip(batch, keys, strict=True))))


async def _validate(asperion: Asperion, decision: Decision) -> None:
    """Let Asperion check what would be sent; a document for a debtor to be cannot be checked before it is."""
    if decision.customer is None or decision.draft is None:
        return
    if decision.customer.debtor is None:
        await asperion.create_debtor(decision.customer.draft, validate_only=True)
        return
    debtor = decision.customer.debtor
    draft = decision.draft.model_copy(
        update={"debtor_id": debtor.id, "debtor_customer_number": debtor.customer_number}
    )
    await asperion.create_document(decision.order.kind, draft, validate_only=True)


def _entry_of(staged: StagedOrder, decision: Decision) -> PlanEntry:
    if decision.existing is not None:
        return _entry(staged, "adopt", asperion_id=str(decision.existing.id))
    customer = decision.customer
    if customer is None:
        raise AssertionError("a decision to create has a customer")
    changes = dict(customer.changes)
    if customer.action == "create":
        changes = _filled(customer.draft.model_dump(exclude_none=True))
    document = decision.draft.model_dump(exclude_none=True, exclude={"lines"}) if decision.draft else {}
    return PlanEntry(
        record=staged.order.reference,
        file=staged.file,
        position=staged.position,
        action="create",
        customer=customer.action,
        changes=(*_changes("customer", changes), *_changes("document", _filled(document))),
        lines=len(decision.order.lines),
        amount=amount_of(decision.order),
    )


def _filled(values: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    return {name: ("", str(value)) for name, value in values.items() if not isinstance(value, dict)}


def _changes(prefix: str, changes: Mapping[str, tuple[str, str]]) -> Iterable[Change]:
    return [Change(field=f"{prefix}.{name}", now=now, then=then) for name, (now, then) in changes.items()]


def _entry(
    staged: StagedOrder, action: Action, *, problems: tuple[Problem, ...] = (), asperion_id: str | None = None
) -> PlanEntry:
    order = staged.order
    places = {
        "file": staged.file,
        "position": staged.position,
        "line": staged.line,
        "record": order.reference,
    }
    return PlanEntry(
        record=order.reference,
        file=staged.file,
        position=staged.position,
        action=action,
        lines=len(order.lines),
        amount=amount_of(order),
        asperion_id=asperion_id,
        problems=tuple(problem.at(**places) for problem in problems),
    )
