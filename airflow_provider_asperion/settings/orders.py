"""Settings of the flow that brings SAP order files to Asperion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from airflow_provider_asperion.asperion.models import DebtorDraft
from airflow_provider_asperion.mapping import LookUp
from airflow_provider_asperion.records import OrderKind, Record
from airflow_provider_asperion.records.money import HalfCents, Rounding
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.settings.tasks import PostRules, Waking
from airflow_provider_asperion.settings.watching import CircuitRules, Expectation

IdentityField = Literal["email", "customer_number", "vat_number", "coc_number"]
SHIPPED_MAPPINGS = ("orders05", "invoic02", "orders_csv")


class OrderFilter(Record):
    """Which orders travel (O2). An empty list lets everything pass; values are compared without case."""

    status: tuple[str, ...] = Field((), description="Only orders with one of these statuses, e.g. paid.")
    not_status: tuple[str, ...] = Field((), description="No order with one of these statuses.")
    channel: tuple[str, ...] = Field((), description="Only orders of these sales channels.")

    def refuses(self, status: str | None, channel: str | None) -> str | None:
        """Return why an order does not travel, or None when it does."""
        if self.status and not _among(status, self.status):
            return f"status {status or '(none)'} is not among {', '.join(self.status)}"
        if _among(status, self.not_status):
            return f"status {status} is excluded"
        if self.channel and not _among(channel, self.channel):
            return f"sales channel {channel or '(none)'} is not among {', '.join(self.channel)}"
        return None


def _among(value: str | None, allowed: tuple[str, ...]) -> bool:
    return value is not None and value.casefold() in {one.casefold() for one in allowed}


class CollectiveDebtor(Record):
    """One debtor for all orders, or for those that match a rule (O12). It must exist in Asperion."""

    customer_number: str = Field(description="Customer number of the collective debtor in Asperion.")
    always: bool = Field(False, description="Book every order on it.")
    no_identity: bool = Field(True, description="Book orders on it that have none of the matching fields.")
    channels: tuple[str, ...] = Field((), description="Book the orders of these sales channels on it.")


class DebtorRules(Record):
    """How a debtor is found, created and kept up to date (O5, O6)."""

    match: tuple[IdentityField, ...] = Field(
        ("email",),
        min_length=1,
        description="Fields by which a debtor is found; the first one that the record has is used.",
    )
    create: bool = Field(True, description="Create a debtor that does not exist; else refuse the record.")
    update: bool = Field(True, description="Update a debtor that differs from the record.")
    keep: tuple[str, ...] = Field(
        (),
        description="Debtor fields that Asperion owns: set when the debtor is created, never updated, e.g. "
        "phone, payment_condition.",
    )
    numbering: Literal["asperion", "source"] = Field(
        "asperion", description="Who numbers a new debtor: Asperion, or SAP's customer number is sent."
    )
    several: Literal["refuse", "oldest"] = Field(
        "refuse", description="What to do when several debtors match: refuse the record, or take the oldest."
    )
    company_kind: str | None = Field(None, description="Debtor kind of companies (O6, O10).")
    person_kind: str | None = Field(None, description="Debtor kind of persons (O6, O10).")

    @field_validator("keep")
    @classmethod
    def _fields_of_a_debtor(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(keep) - DebtorDraft.model_fields.keys())
        if unknown:
            known = ", ".join(DebtorDraft.model_fields)
            raise ValueError(f"a debtor has no field {', '.join(unknown)}; it has {known}")
        return keep


class CustomerRules(DebtorRules):
    """How the customer of an order becomes a debtor (O5, O6, O12)."""

    collective: CollectiveDebtor | None = None


class ArticleRules(Record):
    """What happens to a line whose article does not exist in Asperion (O7)."""

    missing: Literal["reject", "fallback", "text"] = Field(
        "reject", description="Reject the order, use the fallback article, or write a free-text line."
    )
    fallback: str | None = Field(None, description="Code of the fallback article.")
    inactive: Literal["reject", "accept"] = Field(
        "reject", description="Treat an inactive article as missing, or order it all the same."
    )

    @model_validator(mode="after")
    def _fallback_is_named(self) -> ArticleRules:
        if self.missing == "fallback" and not self.fallback:
            raise ValueError("missing: fallback needs the code of the fallback article in `fallback`")
        return self


class TotalRules(Record):
    """How amounts are added up and compared, before sending and after reading back."""

    rounding: Rounding = Field("rate", description="Round VAT per line, per VAT rate, or per document.")
    half: HalfCents = Field("up", description="Half a cent goes up, or to the even cent.")
    tolerance: Decimal = Field(Decimal(0), ge=0, description="Difference that is accepted, in currency.")
    price_tolerance: Decimal = Field(
        Decimal("0.01"),
        ge=0,
        description="Difference accepted between a line's stated amount and quantity x price, per line.",
    )


class DeliveryRules(PostRules):
    """How orders are handed to Asperion."""

    batch_size: int = Field(500, ge=1, le=50_000, description="Orders per batch, i.e. per mapped task.")
    maximum_batches: int = Field(
        400, ge=1, le=1000, description="Batches per run; beyond it batches grow, nothing is dropped."
    )
    in_flight: int = Field(32, ge=1, le=256, description="Orders in work at once in one task.")
    changed_order: Literal["refuse", "skip"] = Field(
        "refuse",
        description="An order number comes again with other content: refuse it with a reason, or skip it.",
    )
    validate_first: bool = Field(False, description="Send each order with validateOnly before the real post.")


class MappingChoice(Record):
    """Changes to one mapping: single rows or names replaced, added, or removed with null."""

    rows: dict[str, Any] = Field(default_factory=dict, description="Target field to expression or block.")
    names: dict[str, Any] = Field(default_factory=dict, description="Names that rows refer to, e.g. buyer.")


class OrdersToAsperion(Waking):
    """SAP order files become orders or invoices in Asperion."""

    reading: ReadProfile = ReadProfile()
    kind: OrderKind | None = Field(
        None, description="Force sales_order or sales_invoice; null: what the mapping says (O9)."
    )
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {name: MappingChoice() for name in SHIPPED_MAPPINGS},
        description="Mappings in use, by name or path, with the user's own rows (W2).",
    )
    look_ups: dict[str, LookUp] = Field(default_factory=dict, description="Look-up tables (O11).")
    defaults: dict[str, str] = Field(
        default_factory=dict,
        description="Value per order field for when the source has none (O3), e.g. customer.billing.country.",
    )
    forced: dict[str, str] = Field(
        default_factory=dict, description="Value per order field that replaces the source's (O11)."
    )
    filter: OrderFilter = OrderFilter()
    customer: CustomerRules = CustomerRules()
    articles: ArticleRules = ArticleRules()
    totals: TotalRules = TotalRules()
    delivery: DeliveryRules = DeliveryRules()
    expect: Expectation | None = None
    circuit: CircuitRules = CircuitRules()
