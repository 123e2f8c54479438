"""Delivers a batch of orders to Asperion, many in flight, each exactly once, each with an outcome."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import AsperionError, Rejected, to_problem
from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.asperion.requests import requests_noted
from airflow_provider_asperion.asperion.wire import write_document
from airflow_provider_asperion.flows.exactly_once import ExactlyOnce, HeldError, patience_of
from airflow_provider_asperion.flows.orders_to_asperion.customers import CustomerDesk
from airflow_provider_asperion.flows.orders_to_asperion.decide import Decider, known_by
from airflow_provider_asperion.flows.orders_to_asperion.drafts import with_debtor
from airflow_provider_asperion.flows.orders_to_asperion.live import load_live_values
from airflow_provider_asperion.flows.orders_to_asperion.staged import shortened
from airflow_provider_asperion.flows.totals import check_placed
from airflow_provider_asperion.ledger import (
    Claim,
    DocumentKey,
    GripLost,
    SessionLost,
    documents,
    names,
    payloads,
    trail,
)
from airflow_provider_asperion.records import Outcome, Problem, ProblemError
from airflow_provider_asperion.records.money import line_amount, order_totals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from decimal import Decimal

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Document, DocumentDraft
    from airflow_provider_asperion.flows.orders_to_asperion.decide import Decision
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.ledger import Grip, LedgerQueue, LiveSession
    from airflow_provider_asperion.ledger.keys import EndState
    from airflow_provider_asperion.ledger.payloads import Keeper
    from airflow_provider_asperion.records import Order, State
    from airflow_provider_asperion.settings import OrdersToAsperion


@dataclass(frozen=True, slots=True)
class Delivering:
    """With what a batch is delivered.

    :param administration: id of the administration, part of the key under which an order exists once.
    :param run: the run; orders that an earlier try of the same run created count as created by it.
    :param full: look orders up in Asperion again that the ledger knows as done.
    :param hashed: turns a personal value into the key under which the ledger knows it.
    :param keeper: keeps the values of orders for some days, encrypted; None: they are not kept.
    """

    flow: OrdersToAsperion
    asperion: Asperion
    queue: LedgerQueue
    live: LiveSession
    administration: str
    run: str
    hashed: Callable[..., str]
    full: bool = False
    keeper: Keeper | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def deliver(
    batch: Sequence[StagedOrder],
    parts: Delivering,
    *,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Deliver all orders of a batch; return one outcome for each, in the order of the batch.

    A fault that concerns one order becomes its outcome. An order whose answer stays unclear, or that another
    worker holds, is ``pending``: the next run goes on with it.

    :param on_outcome: told each outcome as it comes, for a log of progress.
    :raises AsperionError: the administration cannot be read at all, or is another one; nothing was written.
    """
    live_values = await load_live_values(parts.asperion)
    delivery = _Delivery(batch, parts, Decider(parts.asperion, parts.flow, live_values, batch))
    # Documents of one number wait for each other; of all others as many fly as the settings allow.
    turns: dict[DocumentKey, list[StagedOrder]] = {}
    for staged in batch:
        turns.setdefault(delivery.claim_of(staged).key, []).append(staged)
    claims = [delivery.claim_of(first) for first, *_ in turns.values()]
    grips = await parts.queue.take(parts.live.session, claims)
    await parts.queue.run(names.note, delivery.whose())
    await delivery.keep_what_came({grip.key for grip in grips if grip.held})
    in_flight = asyncio.Semaphore(parts.flow.delivery.in_flight)
    outcomes: dict[tuple[str, int], Outcome] = {}

    async def deliver_in_turn(waiting: list[StagedOrder], grip: Grip | None) -> None:
        async with in_flight:
            for staged in waiting:
                outcome = await delivery.deliver(staged, grip)
                outcomes[staged.claim, staged.position] = outcome
                on_outcome(outcome)
                grip = None

    try:
        async with asyncio.TaskGroup() as group:
            for waiting, grip in zip(turns.values(), grips, strict=True):
                group.create_task(deliver_in_turn(waiting, grip))
    finally:
        await parts.queue.release(parts.live.session, list(turns))
    return [outcomes[staged.claim, staged.position] for staged in batch]


def amount_of(order: Order) -> Decimal:
    """Return the sum of the line amounts: by it what came in is compared with what went out."""
    return sum((line_amount(line) for line in order.lines), start=line_amount(order.lines[0]) * 0)


class _Delivery:
    """The work on one batch."""

    def __init__(self, batch: Sequence[StagedOrder], parts: Delivering, decider: Decider) -> None:
        self._batch = batch
        self._requests: dict[tuple[str, int], list[str]] = {}
        self._parts = parts
        self._decider = decider
        post_seconds = parts.live.session.lease_seconds / 3
        patience = patience_of(parts.flow.delivery, post_seconds)
        self._once = ExactlyOnce(parts.queue, parts.live, patience, sleep=parts.sleep)
        self._customers = CustomerDesk(
            parts.asperion,
            decider.customers,
            self._once,
            administration=parts.administration,
            hashed=parts.hashed,
        )

    def claim_of(self, staged: StagedOrder) -> Claim:
        order = staged.order
        key = DocumentKey(self._parts.administration, order.kind, order.reference)
        return Claim(key, staged.fingerprint, staged.claim, staged.position)

    def whose(self) -> list[tuple[str, str]]:
        """Return keyed hashes of e-mail addresses, each with the id of an order: by them one is found."""
        return [
            (name, self.claim_of(staged).key.id)
            for staged in self._batch
            if (name := self._name_of(staged)) is not None
        ]

    def _name_of(self, staged: StagedOrder) -> str | None:
        email = staged.order.customer.email
        return self._parts.hashed("email", normal_form("email", email)) if email else None

    async def keep_what_came(self, held: Collection[DocumentKey]) -> None:
        """Keep the orders as they were understood, where the settings ask for it."""
        keeper = self._parts.keeper
        if keeper is None:
            return
        came = [
            keeper.sealed(key.id, "came", staged.order.model_dump(exclude_none=True), self._name_of(staged))
            for staged in self._batch
            if (key := self.claim_of(staged).key) in held
        ]
        await self._parts.queue.run(payloads.put, self._parts.run, keeper.life, came)

    async def _keep_what_goes(self, staged: StagedOrder, draft: DocumentDraft) -> None:
        keeper = self._parts.keeper
        if keeper is None:
            return
        kind = staged.order.kind
        sent = write_document(kind, draft, self._parts.asperion.names)
        went = keeper.sealed(self.claim_of(staged).key.id, "went", sent, self._name_of(staged))
        await self._parts.queue.run(payloads.put, self._parts.run, keeper.life, [went])

    async def deliver(self, staged: StagedOrder, grip: Grip | None) -> Outcome:
        """Deliver one order; ``grip`` answers its claim, where it was claimed with the batch."""
        with requests_noted() as self._requests[staged.claim, staged.position]:
            return await self._deliver(staged, grip)

    async def _deliver(self, staged: StagedOrder, grip: Grip | None) -> Outcome:
        try:
            grip = await self._once.hold(self.claim_of(staged), grip)
            if grip.status == "busy":
                return _outcome(staged, "pending", _busy())
            if grip.status == "done" and not self._parts.full:
                return await self._known(staged, grip)
            return await self._act(staged, grip)
        except HeldError as error:
            await self._finish(staged, "held", problems=error.problems)
            return _outcome(staged, "pending", *error.problems)
        except (GripLost, SessionLost):
            return _outcome(staged, "pending", _taken_over())
        except AsperionError as error:
            refused = isinstance(error, Rejected)
            return await self._failed(staged, (to_problem(error),), refused=refused)
        except ProblemError as error:
            return await self._failed(staged, error.problems, refused=not error.transient)

    async def _act(self, staged: StagedOrder, grip: Grip) -> Outcome:
        decision = await self._decider.decide(staged.order)
        if decision.existing is not None:
            return await self._adopt(staged, grip, decision.existing)
        if grip.status == "done":
            return _outcome(staged, "skipped", _gone(grip), asperion_id=grip.asperion_id)
        return await self._place(staged, grip, decision)

    async def _place(self, staged: StagedOrder, grip: Grip, decision: Decision) -> Outcome:
        if decision.customer is None or decision.draft is None:
            raise AssertionError("a decision to create has a customer and a draft")
        debtor = await self._customers.settle(decision.customer.identity)
        draft = with_debtor(decision.draft, debtor)
        order, asperion = decision.order, self._parts.asperion
        if self._parts.flow.delivery.validate_first:
            await asperion.create_document(order.kind, draft, validate_only=True)
        detail = known_by(decision.customer, debtor) | staged.how()
        if decision.articles:
            detail["articles"] = shortened([f"{sku}: {code}" for sku, code in decision.articles.items()])
        await self._parts.queue.event(self._parts.live.session, grip.key, "decided", detail)
        await self._keep_what_goes(staged, draft)
        document, _ = await self._once.bring_about(
            grip.key,
            effect=f"POST {order.kind}",
            find=lambda: self._decider.find(order),
            post=lambda: asperion.create_document(order.kind, draft),
            intended_before=grip.intended,
        )
        return await self._done(staged, "created", document, self._differences(order, document))

    async def _adopt(self, staged: StagedOrder, grip: Grip, document: Document) -> Outcome:
        """Take note of an order that is there: by an earlier try whose answer never came, or by others."""
        problems = self._differences(staged.order, document)
        if grip.status == "done":
            return _outcome(staged, "skipped", *problems, asperion_id=str(document.id))
        state: State = "created" if grip.intended else "adopted"
        return await self._done(staged, state, document, problems)

    async def _done(
        self, staged: StagedOrder, state: State, document: Document, problems: Sequence[Problem]
    ) -> Outcome:
        await self._finish(
            staged,
            "done",
            asperion_id=str(document.id),
            amount=amount_of(staged.order),
            problems=problems,
            note=state,
        )
        return _outcome(staged, state, *problems, asperion_id=str(document.id))

    async def _known(self, staged: StagedOrder, grip: Grip) -> Outcome:
        """Say of an order that the ledger knows as done: created by this run, skipped, or changed since."""
        if grip.changed and self._parts.flow.delivery.changed_order == "refuse":
            problem = changed_problem(grip.asperion_id)
            await self._event(staged, grip, "refused", problem)
            return _outcome(staged, "refused", problem, asperion_id=grip.asperion_id)
        how = await self._ended_here(staged, grip)
        if how is not None:
            return _outcome(staged, how, asperion_id=grip.asperion_id)
        await self._event(staged, grip, "skipped")
        return _outcome(staged, "skipped", asperion_id=grip.asperion_id)

    async def _ended_here(self, staged: StagedOrder, grip: Grip) -> State | None:
        """Return how this very document ended earlier in this run, before the task was killed or cleared."""
        queue, run = self._parts.queue, self._parts.run
        document = (await queue.run(documents.look_up, [grip.key])).get(grip.key)
        if document is None or (document.file, document.position) != (staged.claim, staged.position):
            return None
        ends = [event for event in await queue.run(trail.trail, grip.key) if event.name == "done"]
        if not ends or ends[-1].run_id != run:
            return None
        return "adopted" if ends[-1].detail.get("how") == "adopted" else "created"

    async def _failed(self, staged: StagedOrder, problems: Sequence[Problem], *, refused: bool) -> Outcome:
        if not refused:
            return _outcome(staged, "pending", *problems)
        try:
            await self._finish(staged, "refused", problems=problems)
        except GripLost:
            return _outcome(staged, "pending", _taken_over())
        return _outcome(staged, "refused", *problems)

    def _differences(self, order: Order, document: Document) -> list[Problem]:
        rules = self._parts.flow.totals
        totals = order_totals(order, rounding=rules.rounding, half=rules.half)
        return check_placed(order, totals, net=document.net, gross=document.gross, tolerance=rules.tolerance)

    async def _finish(
        self,
        staged: StagedOrder,
        state: EndState,
        *,
        problems: Sequence[Problem] = (),
        asperion_id: str | None = None,
        amount: Decimal | None = None,
        note: str | None = None,
    ) -> None:
        requests = self._requests.pop((staged.claim, staged.position), ())
        await self._parts.queue.finish(
            self._parts.live.session,
            self.claim_of(staged).key,
            state,
            asperion_id=asperion_id,
            amount=amount,
            problems=problems,
            note=note,
            facts={"requests": ", ".join(requests)} if requests else None,
        )

    async def _event(self, staged: StagedOrder, grip: Grip, name: str, *problems: Problem) -> None:
        detail = {"asperion_id": grip.asperion_id, "file": staged.file, "position": staged.position}
        await self._parts.queue.event(self._parts.live.session, grip.key, name, detail, problems)


def _outcome(
    staged: StagedOrder, state: State, *problems: Problem, asperion_id: str | None = None
) -> Outcome:
    places = {
        "file": staged.file,
        "position": staged.position,
        "line": staged.line,
        "record": staged.order.reference,
    }
    return Outcome(
        record=staged.order.reference,
        state=state,
        file=staged.file,
        position=staged.position,
        amount=amount_of(staged.order),
        asperion_id=asperion_id,
        problems=tuple(problem.at(**places) for problem in problems),
    )


def _busy() -> Problem:
    return Problem(
        rule="order.busy",
        message="another worker has this order in hand",
        remedy="nothing to do: the next run goes on with it",
        transient=True,
    )


def _taken_over() -> Problem:
    return Problem(
        rule="order.taken_over",
        message="the lease of this worker ran out, and another one may have taken the order over",
        remedy="nothing to do: the next run goes on with it",
        transient=True,
    )


def changed_problem(asperion_id: str | None) -> Problem:
    """Say that an order came again with other content than it was delivered with."""
    return Problem(
        rule="order.changed",
        message=f"the order was delivered before as {asperion_id}, with other content",
        remedy="change or cancel it in Asperion by hand, or set delivery.changed_order: skip",
        field="reference",
    )


def _gone(grip: Grip) -> Problem:
    return Problem(
        rule="order.gone",
        message=f"the order was delivered before as {grip.asperion_id}, and Asperion does not find it now",
        remedy="see in Asperion whether it was deleted on purpose; send it under a new number if not",
        field="reference",
    )
