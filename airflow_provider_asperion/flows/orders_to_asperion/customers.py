"""Finds, creates and updates debtors: once per customer, however many orders, tasks and workers ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.flows.creating import Creator
from airflow_provider_asperion.flows.debtors import DEBTOR, debtor_name, differences, find_debtor
from airflow_provider_asperion.flows.single_flight import SingleFlight
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Debtor, DebtorDraft
    from airflow_provider_asperion.flows.exactly_once import ExactlyOnce
    from airflow_provider_asperion.flows.orders_to_asperion.identity import Identity
    from airflow_provider_asperion.settings import CustomerRules


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
        return await find_debtor(self._asperion, identity.field, identity.value, self._rules)

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
        self._creator = Creator(once, administration, DEBTOR, asperion.get_debtor)
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
            return await self._creator.create(
                lambda predecessor: self._hashed(debtor_name(identity.field, identity.value, predecessor)),
                find=lambda: self._decider.find(identity),
                post=lambda: self._asperion.create_debtor(decision.draft),
            )
        if decision.action == "update":
            changes = {name: getattr(decision.draft, name) for name in decision.changes}
            return await self._asperion.update_debtor(decision.debtor.id, changes)
        return decision.debtor


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
