"""Which values of the settings are ids of the administration, and where a setting for one belongs (O10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.settings.master_data import MasterData
    from airflow_provider_asperion.settings.orders import OrdersToAsperion

# Order fields whose values are ids of the administration.
KINDS = (
    "debtor_kind",
    "payment_condition",
    "payment_method",
    "sales_type",
    "journal",
    "vat_code",
    "ledger_account",
)
# Settings of the orders flow that one value of a list answers: place, kind of value.
CHOICES = (
    ("customer.company_kind", "debtor_kind"),
    ("customer.person_kind", "debtor_kind"),
    ("defaults.payment_condition", "payment_condition"),
    ("defaults.payment_method", "payment_method"),
    ("defaults.journal", "journal"),
    ("defaults.sales_type", "sales_type"),
    ("defaults.lines.vat_code", "vat_code"),
    ("defaults.lines.ledger_account", "ledger_account"),
)


def used_values(flow: OrdersToAsperion | MasterData) -> Iterator[tuple[str, str, str]]:
    """Yield where a value stands in the settings, of which kind it is, and the value."""
    rules = getattr(flow, "customer", None)
    for name in ("company_kind", "person_kind"):
        value = getattr(rules, name, None)
        if value is not None:
            yield f"customer.{name}", "debtor_kind", value
    for block in ("defaults", "forced"):
        for target, value in getattr(flow, block).items():
            kind = target.rpartition(".")[2]
            if kind in KINDS:
                yield f"{block}.{target}", kind, value
    for name, table in flow.look_ups.items():
        if name in KINDS:
            for key, value in table.table.items():
                yield f"look_ups.{name}.{key}", name, value
            if table.default is not None:
                yield f"look_ups.{name}.default", name, table.default
