"""By what a customer is recognised (O5), and which orders go to the collective debtor (O12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from airflow_provider_asperion.records import Customer, Order
    from airflow_provider_asperion.settings import CollectiveDebtor, CustomerRules
    from airflow_provider_asperion.settings.orders import IdentityField

ATTRIBUTES: dict[IdentityField, str] = {
    "email": "email",
    "customer_number": "number",
    "vat_number": "vat_number",
    "coc_number": "coc_number",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A field and its value, in the form in which values are compared.

    ``collective`` marks the collective debtor, which is looked up but never created or updated.
    """

    field: IdentityField
    value: str
    collective: bool = False


def identity_of(order: Order, rules: CustomerRules) -> Identity:
    """Return by what the debtor of an order is found.

    :raises ProblemError: when the order has none of the matching fields and no collective debtor takes it.
    """
    own = _own_identity(order.customer, rules)
    collective = rules.collective
    if collective is not None and _is_collective(order, own, collective):
        return Identity("customer_number", collective.customer_number.strip().casefold(), collective=True)
    if own is None:
        wanted = ", ".join(rules.match)
        raise ProblemError(
            Problem(
                rule="customer.no_identity",
                message=f"the customer has no value for {wanted}, so no debtor can be found",
                remedy="map the field, add another field to customer.match, or set a collective debtor",
                field=f"customer.{ATTRIBUTES[rules.match[0]]}",
            )
        )
    return own


def _own_identity(customer: Customer, rules: CustomerRules) -> Identity | None:
    for field in rules.match:
        value = getattr(customer, ATTRIBUTES[field])
        normal = normal_form(field, value) if value else ""
        if normal:
            return Identity(field, normal)
    return None


def _is_collective(order: Order, own: Identity | None, collective: CollectiveDebtor) -> bool:
    channels = {channel.casefold() for channel in collective.channels}
    return (
        collective.always
        or (collective.no_identity and own is None)
        or (order.channel is not None and order.channel.casefold() in channels)
    )
