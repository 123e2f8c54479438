"""SAP's customers as debtors: found, created once, updated where a field that SAP owns differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.flows.debtors import (
    DEBTOR,
    debtor_name,
    differences,
    draft_of_master,
    find_debtor,
    with_ids,
)
from airflow_provider_asperion.flows.master_data.desk import Decision
from airflow_provider_asperion.flows.orders_to_asperion.identity import ATTRIBUTES
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Debtor, DebtorDraft
    from airflow_provider_asperion.flows.creating import Creator
    from airflow_provider_asperion.flows.master_data.prepare import Said
    from airflow_provider_asperion.flows.orders_to_asperion.live import LiveValues
    from airflow_provider_asperion.records import CustomerMaster
    from airflow_provider_asperion.settings.master_data import MasterDebtorRules
    from airflow_provider_asperion.settings.orders import IdentityField


@dataclass(frozen=True, slots=True)
class DebtorDesk:
    """Decides about debtors, and writes them.

    :param live: ids of the administration.
    :param hashed: turns an identity into the key under which the ledger knows it, without the value.
    :param creator: None where nothing is to be written, as for a plan.
    """

    asperion: Asperion
    rules: MasterDebtorRules
    live: LiveValues
    hashed: Callable[[str], str]
    creator: Creator[Debtor] | None = None
    kind: str = DEBTOR

    def name_of(self, said: Said[CustomerMaster]) -> str:
        """Return the field and value by which the debtor is found.

        :raises ProblemError: the record has none of the fields.
        """
        return debtor_name(*self._identity(said.record))

    def ledger_name(self, said: Said[CustomerMaster]) -> str:
        """Return the same, hashed."""
        return self.hashed(self.name_of(said))

    async def decide(self, said: Said[CustomerMaster]) -> Decision:
        """Say what happens to a customer.

        :raises ProblemError: several debtors match, or none and none may be created, or SAP deleted it.
        """
        debtor = await self._find(said)
        if said.record.deleted and self.rules.deleted == "report":
            raise ProblemError(_deleted(debtor))
        if debtor is None:
            if said.record.deleted:
                return Decision("skip")
            return self._creation(said)
        changes = differences(debtor, self._draft(said.record), self.rules) if self.rules.update else {}
        return Decision("update" if changes else "skip", changes, str(debtor.id))

    async def carry_out(self, said: Said[CustomerMaster], decision: Decision) -> str:
        """Create or update the debtor; return its id."""
        if decision.action == "create":
            return str((await self._create(said)).id)
        if decision.asperion_id is None:
            raise AssertionError("an update has a debtor")
        draft = self._draft(said.record)
        changes = {name: getattr(draft, name) for name in decision.changes}
        return str((await self.asperion.update_debtor(decision.asperion_id, changes)).id)

    async def _create(self, said: Said[CustomerMaster]) -> Debtor:
        if self.creator is None:
            raise AssertionError("a plan creates nothing")
        identity = self._identity(said.record)
        return await self.creator.create(
            lambda predecessor: self.hashed(debtor_name(*identity, predecessor)),
            find=lambda: self._find(said),
            post=lambda: self.asperion.create_debtor(self._draft(said.whole)),
        )

    def _creation(self, said: Said[CustomerMaster]) -> Decision:
        if not self.rules.create:
            raise ProblemError(_absent(self.rules.match[0]))
        draft = self._draft(said.whole)
        if draft.name is None:
            raise ProblemError(_nameless())
        values = draft.model_dump(exclude_none=True)
        return Decision("create", {name: ("", str(value)) for name, value in values.items()})

    def _draft(self, record: CustomerMaster) -> DebtorDraft:
        draft = with_ids(draft_of_master(record, self.rules), self.live)
        blocks = record.deleted and self.rules.deleted == "block"
        return draft.model_copy(update={"blocked": True}) if blocks else draft

    async def _find(self, said: Said[CustomerMaster]) -> Debtor | None:
        return await find_debtor(self.asperion, *self._identity(said.record), self.rules)

    def _identity(self, record: CustomerMaster) -> tuple[IdentityField, str]:
        for field in self.rules.match:
            value = getattr(record, ATTRIBUTES[field])
            normal = normal_form(field, value) if value else ""
            if normal:
                return field, normal
        raise ProblemError(
            Problem(
                rule="customer.no_identity",
                message=f"it has no value for {', '.join(self.rules.match)}: no debtor can be found",
                remedy="map the field, or add another field to customer.match",
                field=ATTRIBUTES[self.rules.match[0]],
            )
        )


def _deleted(debtor: Debtor | None) -> Problem:
    there = (
        "it is not in Asperion" if debtor is None else f"debtor {debtor.customer_number or debtor.id} stays"
    )
    return Problem(
        rule="customer.deleted",
        message=f"SAP flags the customer as deleted; {there} as it is",
        remedy="block the debtor in Asperion, or set customer.deleted: block or ignore",
        field="deleted",
    )


def _absent(field: str) -> Problem:
    return Problem(
        rule="customer.absent",
        message="the customer's debtor does not exist in Asperion",
        remedy="create it there, or set customer.create: true",
        field=f"customer.{field}",
    )


def _nameless() -> Problem:
    return Problem(
        rule="customer.incomplete",
        message="the file tells only what changed of a customer, and Asperion does not have the customer",
        remedy="have SAP send the customer whole (transaction BD12)",
        field="company",
    )
