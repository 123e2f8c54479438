"""What a debtor should look like by an order, or by SAP's master data, and what that changes (O5, O6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.models import DebtorDraft
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Debtor
    from airflow_provider_asperion.flows.orders_to_asperion.live import LiveValues
    from airflow_provider_asperion.records import CustomerMaster, Order
    from airflow_provider_asperion.settings import CustomerRules, DebtorRules
    from airflow_provider_asperion.settings.orders import IdentityField

DEBTOR = "debtor"
# An order says nothing reliable about these once a debtor exists: they are set at its creation only.
CREATE_ONLY = frozenset({"kind", "customer_number"})
# Fields whose values are ids of the administration, and the list that each is in.
_IDS = {"kind": "debtor_kind", "payment_condition": "payment_condition", "payment_method": "payment_method"}


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


def draft_of_master(customer: CustomerMaster, rules: DebtorRules) -> DebtorDraft:
    """Return the debtor that SAP's master data describes; what the data leaves open stays open."""
    kind = rules.company_kind if customer.company else rules.person_kind
    # Asperion holds street and number in one field: a number alone would wipe the street out.
    street = [part for part in (customer.street, customer.house_number) if part] if customer.street else []
    return DebtorDraft(
        customer_number=customer.number if rules.numbering == "source" else None,
        name=customer.company or customer.person,
        attention_to=customer.person if customer.company else None,
        address=" ".join(street) or None,
        postcode=customer.postcode,
        city=customer.city,
        country=customer.country,
        email=customer.email,
        phone=customer.phone,
        mobile=customer.mobile,
        vat_number=customer.vat_number,
        coc_number=customer.coc_number,
        kind=customer.debtor_kind or (kind if customer.company or customer.person else None),
        payment_condition=customer.payment_condition,
        payment_method=customer.payment_method,
        comments=customer.comments,
    )


def with_ids(draft: DebtorDraft, live: LiveValues) -> DebtorDraft:
    """Return a draft with the ids of the administration in the type they have on the wire.

    :raises ProblemError: the administration does not have one of them.
    """
    ids = {name: getattr(draft, name) for name in _IDS}
    return draft.model_copy(
        update={
            name: live.id_of(_IDS[name], None if value is None else str(value)) for name, value in ids.items()
        }
    )


async def find_debtor(
    asperion: Asperion, field: IdentityField, value: str, rules: DebtorRules
) -> Debtor | None:
    """Return the debtor with a value, None when there is none; of several the oldest, where that is set.

    :raises ProblemError: several match and the settings say to refuse that.
    """
    found = await asperion.find_debtors(field, value)
    if len(found) > 1 and rules.several == "refuse":
        raise ProblemError(_several(field, found))
    # The oldest has the lowest key: keys are given out in order.
    return min(found, key=lambda debtor: (len(str(debtor.id)), str(debtor.id)), default=None)


def debtor_name(field: str, value: str, predecessor: str = "") -> str:
    """Return what the ledger knows a debtor by, before it is hashed: the same whichever flow creates it."""
    return "|".join((field, value, predecessor))


def differences(debtor: Debtor, draft: DebtorDraft, rules: DebtorRules) -> dict[str, tuple[str, str]]:
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


def _several(field: IdentityField, found: list[Debtor]) -> Problem:
    numbers = ", ".join(str(debtor.customer_number or debtor.id) for debtor in found[:5])
    return Problem(
        rule="customer.several",
        message=f"{len(found)} debtors have the same {field}: {numbers}",
        remedy="merge them in Asperion, or set customer.several: oldest",
        field=f"customer.{field}",
    )
