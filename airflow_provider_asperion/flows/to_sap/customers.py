"""Debtors of Asperion as customers (C1, C2): who is a company, and which two are one and the same."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.mapping.addresses import split_street
from airflow_provider_asperion.mapping.values import text_of
from airflow_provider_asperion.records import Address, Customer, Problem, ProblemError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Callable

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.models import Debtor, Id
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.settings import CustomersToSap


def customer_of(debtor: Debtor, company_kind: str | None = None) -> Customer:
    """Return a debtor as a customer. Asperion has one address: the billing one."""
    company = is_company(debtor, company_kind)
    street = split_street(debtor.address)
    return Customer(
        number=text_of(debtor.customer_number),
        company=text_of(debtor.name) if company else None,
        person=text_of(debtor.attention_to if company else debtor.name),
        email=text_of(debtor.email),
        phone=text_of(debtor.phone) or text_of(debtor.mobile),
        vat_number=text_of(debtor.vat_number),
        coc_number=text_of(debtor.coc_number),
        billing=Address(
            name=text_of(debtor.name),
            street=street.get("street"),
            house_number=street.get("number"),
            postcode=text_of(debtor.postcode),
            city=text_of(debtor.city),
            country=text_of(debtor.country),
        ),
    )


def is_company(debtor: Debtor, company_kind: str | None) -> bool:
    """Whether a debtor is a company: by its kind where the settings name that, else by its numbers."""
    if company_kind is not None:
        return str(debtor.kind) == company_kind
    return bool(debtor.vat_number or debtor.coc_number or debtor.attention_to)


class CustomerSource:
    """The list of debtors. Those without identity, and several of the same one, are reported (C2).

    :param hashed: keyed hash of an identity: under it the ledger knows a customer.
    """

    flow_name = "customers_to_sap"

    def __init__(self, flow: CustomersToSap, hashed: Callable[..., str]) -> None:
        self._flow = flow
        self._hashed = hashed
        self._numbers: dict[str, dict[Id, str]] = defaultdict(dict)
        self._whole: Asperion | None = None

    async def prepare(self, asperion: Asperion) -> None:
        """Need nothing beside the list."""

    def walk(
        self, asperion: Asperion, changed: Interval | None, on_problem: OnProblem
    ) -> AsyncIterator[Debtor]:
        """Walk the debtors."""
        self._whole = None if changed is None else asperion
        return asperion.debtors(changed, on_problem=on_problem)

    def shown(self, item: Debtor) -> str:
        """Return how people find an entry."""
        return item.customer_number or str(item.id)

    async def observe(self, item: Debtor, at: dt.datetime) -> list[Observed]:
        """Return a debtor as a customer; nothing for a blocked one, where the settings skip those.

        :raises ProblemError: it has no value in the field of the identity.
        """
        if item.blocked and self._flow.blocked == "skip":
            return []
        shown = self.shown(item)
        key = self._key_of(item, shown)
        self._numbers[key][item.id] = shown
        await self._look_for_others(item, key)
        customer = customer_of(item, self._flow.company_kind)
        return [Observed.of("customer", customer, key=key, shown=shown, observed_at=at)]

    def ended(self, item: Debtor) -> bool:
        """Return False: what does not travel by the settings is not told of."""
        return False

    def doubles(self) -> dict[str, Problem]:
        """Return each identity that several debtors have: none of them travels."""
        return {
            key: double_problem(list(numbers.values()), self._flow.identity)
            for key, numbers in self._numbers.items()
            if len(numbers) > 1
        }

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return nothing: a debtor that has a document cannot be deleted in Asperion."""
        return None

    async def _look_for_others(self, debtor: Debtor, key: str) -> None:
        """Look for debtors of the same identity that did not change, where only a part of the list comes."""
        field = self._flow.identity
        if self._whole is None:
            return
        for other in await self._whole.find_debtors(field, str(getattr(debtor, field))):
            if not (other.blocked and self._flow.blocked == "skip"):
                self._numbers[key][other.id] = self.shown(other)

    def _key_of(self, debtor: Debtor, shown: str) -> str:
        field = self._flow.identity
        value = normal_form(field, str(getattr(debtor, field) or ""))
        if value:
            return self._hashed(field, value)
        raise ProblemError(
            Problem(
                rule="customer.no_identity",
                message=f"the debtor has no {field}, by which SAP would know it",
                remedy=f"fill it in in Asperion, or choose another identity than {field}",
                record=shown,
                field=f"customer.{field}",
            )
        )


def double_problem(numbers: list[str], field: str) -> Problem:
    """Say that several debtors have one identity: none of them travels, so that none is merged silently."""
    shown = ", ".join(numbers[:10]) + (f" and {len(numbers) - 10} more" if len(numbers) > 10 else "")
    return Problem(
        rule="customer.double",
        message=f"{len(numbers)} debtors have the same {field}: customers {shown}",
        remedy="merge them in Asperion, or choose another identity; none of them is sent",
        record=numbers[0],
        field=f"customer.{field}",
    )
