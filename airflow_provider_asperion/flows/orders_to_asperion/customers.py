"""Finds, creates and updates debtors: once per customer, however many orders, tasks and workers ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.asperion.errors import NotFound, Rejected
from airflow_provider_asperion.flows.orders_to_asperion.debtors import differences
from airflow_provider_asperion.flows.single_flight import SingleFlight
from airflow_provider_asperion.ledger import Claim, DocumentKey
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Debtor, DebtorDraft
    from airflow_provider_asperion.flows.exactly_once import ExactlyOnce, How
    from airflow_provider_asperion.flows.orders_to_asperion.identity import Identity
    from airflow_provider_asperion.ledger import Grip
    from airflow_provider_asperion.settings import CustomerRules

DEBTOR = "debtor"


@dataclass(frozen=True, slots=True)
class CustomerDecision:
    """What happens to the debtor of an order.

    :param debtor: the debtor there is; None when one is to be created.
    :param changes: field to (value now, value then); personal, for the eyes of a plan only.
    """

    identity: Identity
    action: Literal["use", "create", "update"]
    draft: DebtorDraft = field(repr=False)
    debtor: Debtor | None = field(default=None, repr=False)
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)


class CustomerDecider:
    """Looks debtors up and decides; writes nothing.

    :param drafts: what each customer of the batch should look like; of several orders the last one counts.
    """

    def __init__(
        self, asperion: Asperion, rules: CustomerRules, drafts: Mapping[Identity, DebtorDraft]
    ) -> None:
        self._asperion = asperion
        self._rules = rules
        self._drafts = drafts
        self._flights = SingleFlight(self._decide)

    async def decide(self, identity: Identity) -> CustomerDecision:
        """Return what happens to the debtor of this identity.

        :raises ProblemError: several debtors match, or none and none may be created.
        """
        return await self._flights.get(identity)

    async def find(self, identity: Identity) -> Debtor | None:
        """Return the debtor of an identity, None when there is none.

        :raises ProblemError: several match and the settings say to refuse that.
        """
        found = await self._asperion.find_debtors(identity.field, identity.value)
        if len(found) > 1 and self._rules.several == "refuse":
            raise ProblemError(_several(identity, found))
        # The oldest has the lowest key: keys are given out in order.
        return min(found, key=lambda debtor: (len(str(debtor.id)), str(debtor.id)), default=None)

    async def _decide(self, identity: Identity) -> CustomerDecision:
        draft = self._drafts[identity]
        debtor = await self.find(identity)
        if debtor is None:
            if identity.collective or not self._rules.create:
                raise ProblemError(_absent(identity))
            return CustomerDecision(identity, "create", draft)
        if debtor.blocked:
            raise ProblemError(_blocked(debtor))
        changes = {} if identity.collective else differences(debtor, draft, self._rules)
        if changes and self._rules.update:
            return CustomerDecision(identity, "update", draft, debtor, changes)
        return CustomerDecision(identity, "use", draft, debtor, changes)


class CustomerDesk:
    """Makes the decisions about debtors true.

    :param hashed: turns an identity into the key under which the ledger knows it, without the value.
    """

    def __init__(
        self,
        asperion: Asperion,
        decider: CustomerDecider,
        once: ExactlyOnce,
        *,
        administration: str,
        hashed: Callable[[str], str],
    ) -> None:
        self._asperion = asperion
        self._decider = decider
        self._once = once
        self._administration = administration
        self._hashed = hashed
        self._flights = SingleFlight(self._settle)

    async def settle(self, identity: Identity) -> Debtor:
        """Return the debtor, created or updated where the decision says so.

        :raises ProblemError: it cannot be, for a reason that the order is refused for.
        :raises AsperionError: Asperion refused it or did not answer.
        """
        return await self._flights.get(identity)

    async def _settle(self, identity: Identity) -> Debtor:
        decision = await self._decider.decide(identity)
        if decision.debtor is None:
            return await self._create(identity, decision.draft)
        if decision.action == "update":
            changes = {name: getattr(decision.draft, name) for name in decision.changes}
            return await self._asperion.update_debtor(decision.debtor.id, changes)
        return decision.debtor

    async def _create(self, identity: Identity, draft: DebtorDraft, successor_of: str = "") -> Debtor:
        """Create a debtor, unless another order, task or worker just did."""
        name = self._hashed("|".join((identity.field, identity.value, successor_of)))
        key = DocumentKey(self._administration, DEBTOR, name)
        claim = Claim(key, fingerprint=name)
        grip = await self._once.hold(claim)
        if grip.status == "busy":
            raise ProblemError(_busy())
        if grip.status == "done":
            return await self._known(identity, draft, grip)
        try:
            return await self._post(identity, draft, key, grip)
        finally:
            await self._once.queue.release(self._once.live.session, [key])

    async def _post(self, identity: Identity, draft: DebtorDraft, key: DocumentKey, grip: Grip) -> Debtor:
        session, queue = self._once.live.session, self._once.queue
        # Another worker may have created it between our look and our hold.
        debtor = await self._decider.find(identity)
        how: How = "adopted"
        if debtor is None:
            try:
                debtor, how = await self._bring_about(identity, draft, key, grip)
            except Rejected:
                await queue.finish(session, key, "refused")
                raise
        await queue.finish(session, key, "done", asperion_id=str(debtor.id), note=how)
        return debtor

    async def _bring_about(
        self, identity: Identity, draft: DebtorDraft, key: DocumentKey, grip: Grip
    ) -> tuple[Debtor, How]:
        return await self._once.bring_about(
            key,
            effect="POST debtor",
            find=lambda: self._decider.find(identity),
            post=lambda: self._asperion.create_debtor(draft),
            intended_before=grip.intended,
        )

    async def _known(self, identity: Identity, draft: DebtorDraft, grip: Grip) -> Debtor:
        """Return a debtor that we created but could not find: reading lags, or it was changed by hand."""
        found = await self._decider.find(identity)
        if found is not None:
            return found
        try:
            return await self._asperion.get_debtor(grip.asperion_id or "")
        except NotFound:
            # Deleted in Asperion. Its successor has a key of its own, so that it too is created once.
            return await self._create(identity, draft, successor_of=grip.key.key)


def _several(identity: Identity, found: list[Debtor]) -> Problem:
    numbers = ", ".join(str(debtor.customer_number or debtor.id) for debtor in found[:5])
    return Problem(
        rule="customer.several",
        message=f"{len(found)} debtors have the same {identity.field}: {numbers}",
        remedy="merge them in Asperion, or set customer.several: oldest",
        field=f"customer.{identity.field}",
    )


def _absent(identity: Identity) -> Problem:
    what = f"the collective debtor {identity.value}" if identity.collective else "the customer's debtor"
    return Problem(
        rule="customer.absent",
        message=f"{what} does not exist in Asperion",
        remedy="create it there"
        + (", or correct customer.collective" if identity.collective else ", or set customer.create: true"),
        field=f"customer.{identity.field}",
    )


def _blocked(debtor: Debtor) -> Problem:
    return Problem(
        rule="customer.blocked",
        message=f"debtor {debtor.customer_number or debtor.id} is blocked in Asperion",
        remedy="lift the block in Asperion, or cancel the order",
        field="customer",
    )


def _busy() -> Problem:
    return Problem(
        rule="customer.busy",
        message="another worker is creating the same debtor and has not finished",
        remedy="nothing to do: the next run goes on with the order",
        transient=True,
    )
