"""What a debtor should look like by an order, and what that changes in the debtor there is (O5, O6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.models import DebtorDraft

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion.models import Debtor
    from airflow_provider_asperion.records import Order
    from airflow_provider_asperion.settings import CustomerRules

# An order says nothing reliable about these once a debtor exists: they are set at its creation only.
CREATE_ONLY = frozenset({"kind", "customer_number"})


def draft_of(order: Order, rules: CustomerRules) -> DebtorDraft:
    """Return the debtor that an order describes.

    A company name makes a company debtor with the person as its contact, else the person is the debtor (O6).
    """
    customer, billing = order.customer, order.customer.billing
    kind = rules.company_kind if customer.company else rules.person_kind
    street = " ".join(part for part in (billing.street, billing.house_number) if part)
    return DebtorDraft(
        customer_number=customer.number if rules.numbering == "source" else None,
        name=customer.name,
        attention_to=customer.person if customer.company else None,
        address=street or None,
        postcode=billing.postcode,
        city=billing.city,
        country=billing.country,
        email=customer.email,
        phone=customer.phone,
        vat_number=customer.vat_number,
        coc_number=customer.coc_number,
        kind=order.debtor_kind or kind,
        payment_condition=order.payment_condition,
        payment_method=order.payment_method,
    )


def differences(debtor: Debtor, draft: DebtorDraft, rules: CustomerRules) -> dict[str, tuple[str, str]]:
    """Return what an order would change in a debtor: field name to (value now, value then).

    A field that the order leaves open changes nothing, and neither does a difference of blanks.
    """
    changes = {}
    for field in type(draft).model_fields:
        wanted = getattr(draft, field)
        if wanted is None or field in CREATE_ONLY or field in rules.keep:
            continue
        now = getattr(debtor, field)
        if _plain(now, field) != _plain(wanted, field):
            changes[field] = ("" if now is None else str(now), str(wanted))
    return changes


def _plain(value: object, field: str) -> str:
    text = " ".join(str(value).split()) if value is not None else ""
    return text.casefold() if field == "email" else text
