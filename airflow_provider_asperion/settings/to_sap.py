"""Settings of the flows that bring products, stock, customers and orders from Asperion to SAP's files."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_validator

from airflow_provider_asperion.mapping import LookUp
from airflow_provider_asperion.records import OrderKind, Record
from airflow_provider_asperion.records.money import HalfCents
from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.sap.file_names import NameTemplate
from airflow_provider_asperion.sap.write_profile import WriteProfile
from airflow_provider_asperion.settings.orders import IdentityField, MappingChoice, OrderFilter
from airflow_provider_asperion.settings.watching import CircuitRules

StockCalculation = Literal[
    "physical",
    "available",
    "available_minus_reserved",
    "available_minus_reserved_plus_purchases",
    "expression",
]


class OutFolder(Record):
    """The folder from which SAP fetches files; a file appears in it whole, under its name, at once."""

    folder: str = Field(min_length=1, description="Folder from which SAP fetches files.")
    file_name: NameTemplate = Field(
        "{kind}_{administration}_{run}_{batch:04}-{part:02}{suffix}",
        description="Names of files; the same batch always gets the same name.",
    )
    done_file: str | None = Field(
        None, description="Name of a marker that is written last, e.g. {name}.done; null: none."
    )
    check_written: Literal["content", "size"] = Field(
        "content", description="Before a file appears: read it back whole, or look at its size."
    )
    stall_seconds: float = Field(60, gt=0, description="A server silent for this long is given up.")

    @property
    def drop_folder(self) -> DropFolder:
        """The same folder as the SFTP side knows it."""
        return DropFolder(
            inbox=self.folder,
            done_file=self.done_file,
            check_written=self.check_written,
            stall_seconds=self.stall_seconds,
        )


class PublishRules(Record):
    """How records are handed to SAP."""

    batch_size: int = Field(2_000, ge=1, le=100_000, description="Records per batch: a task, and a file.")
    maximum_batches: int = Field(
        400, ge=1, le=1000, description="Batches per run; beyond it batches grow, nothing is dropped."
    )
    pool: str = Field("default_pool", description="Airflow pool of the publishing tasks.")
    in_flight: int = Field(8, ge=1, le=256, description="Requests to Asperion at once.")
    retries: int = Field(3, ge=0, description="How often Airflow tries a task again.")
    retry_delay_seconds: int = Field(30, ge=0, description="Seconds before Airflow tries a task again.")
    busy_wait_seconds: float = Field(
        60.0, ge=0, description="How long to wait for a record that another run is publishing."
    )


class ChangeRules(Record):
    """How changes are found."""

    by: Literal["content", "date"] = Field(
        "content",
        description="content: list everything and compare with what SAP got last; date: ask only for what "
        "changed since the last run, where the API can filter on that.",
    )
    overlap_minutes: int = Field(
        60, ge=0, description="With date: how far before the end of the last run to begin."
    )


class ToSap(Record):
    """What all flows from Asperion to SAP have in common."""

    enabled: bool = Field(True, description="false: the flow has no DAG.")
    schedule: str | None = Field("*/15 * * * *", description="Cron expression; null: by hand only.")
    timezone: str = Field("UTC", description="Time zone of the schedule and of 'today'.")
    folder: OutFolder
    writing: WriteProfile = WriteProfile()
    mappings: dict[str, MappingChoice] = Field(
        description="Mapping in use, by name or path, with the user's own rows (W2)."
    )
    look_ups: dict[str, LookUp] = Field(default_factory=dict, description="Look-up tables (O11).")
    changes: ChangeRules = ChangeRules()
    delivery: PublishRules = PublishRules()
    circuit: CircuitRules = CircuitRules()


class PriceRules(Record):
    """How prices leave (P5)."""

    decimals: int = Field(2, ge=0, le=6, description="Digits behind the point.")
    half: HalfCents = Field("up", description="Half of the last digit goes up, or to the even one.")
    currency: str = Field(
        "EUR", pattern=r"^[A-Z]{3}$", description="Currency of prices, ISO 4217; Asperion's API names none."
    )
    vat_codes: dict[str, str] = Field(
        default_factory=dict, description="Sales type: VAT code, where Asperion does not tell it."
    )
    without_vat: Literal["refuse", "drop"] = Field(
        "refuse",
        description="An article without a VAT code in force, where its price with VAT travels: refuse it, or "
        "send it without that price.",
    )


class ProductsToSap(ToSap):
    """Articles become product files for SAP (P1 to P5)."""

    folder: OutFolder = OutFolder(folder="to_sap/products")
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {"products_matmas05": MappingChoice()},
        description="Mapping in use, by name or path, with the user's own rows (W2).",
    )
    prices: PriceRules = PriceRules()
    inactive: Literal["flag", "report", "skip"] = Field(
        "flag",
        description="An article that turned inactive: send it with the deletion flag, report it where SAP "
        "has it and all articles are compared, or leave it as it was.",
    )
    gone: Literal["report", "flag"] = Field(
        "report",
        description="A SKU that is no longer in Asperion: report it, or send it with the deletion flag.",
    )
    wrong_ean: Literal["refuse", "drop"] = Field(
        "refuse", description="An EAN whose check digit is wrong: refuse the article, or send it without."
    )


class StockRules(Record):
    """What is sent as the stock of an article (S3, S4)."""

    calculation: StockCalculation = Field(
        "available_minus_reserved", description="What is sent; expression: see below."
    )
    expression: str | None = Field(
        None,
        description="Calculation of your own over physical, available, reserved and purchases, e.g. "
        "'available - reserved * 2'.",
    )
    safety: Decimal = Field(Decimal(0), description="Pieces that are kept back.")
    floor: Decimal | None = Field(Decimal(0), description="Never less than this; null: no floor.")
    decimals: int = Field(0, ge=0, le=6, description="Digits behind the point.")
    rounding: Literal["down", "nearest"] = Field(
        "down", description="down: never promise what is not whole; nearest: half goes up."
    )
    reservations: Literal["orders", "api"] = Field(
        "orders",
        description="orders: sum the lines of open sales orders; api: a field of the article.",
    )
    manage_stock: bool | None = Field(
        True, description="Whether SAP shall manage stock for the item; null: say nothing (S4)."
    )
    unmanaged: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Articles for which SAP shall not: field and its values, e.g. unit: [uur].",
    )

    @model_validator(mode="after")
    def _expression_is_given(self) -> StockRules:
        if (self.calculation == "expression") != (self.expression is not None):
            raise ValueError("calculation: expression and the expression belong together")
        return self


class StockToSap(ToSap):
    """Stock levels become stock files for SAP (S1 to S4)."""

    folder: OutFolder = OutFolder(folder="to_sap/stock")
    writing: WriteProfile = WriteProfile(format="csv")
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {"stock_csv": MappingChoice()},
        description="Mapping in use, by name or path, with the user's own rows (W2).",
    )
    stock: StockRules = StockRules()
    per_warehouse: bool = Field(
        False,
        description="Whether each warehouse of an article is a level of its own (S1); an article of which "
        "Asperion tells no warehouse stays one.",
    )
    inactive: Literal["send", "skip"] = Field("skip", description="Stock of inactive articles.")
    gone: Literal["report", "zero"] = Field(
        "report",
        description="A level of an article that Asperion tells no more, as of a warehouse: report it, or "
        "send that nothing is there.",
    )


class CustomersToSap(ToSap):
    """Debtors become customer files for SAP (C1 to C4)."""

    folder: OutFolder = OutFolder(folder="to_sap/customers")
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {
            "customers_debmas07": MappingChoice(),
            "customers_adrmas02": MappingChoice(),
        },
        description="Mappings in use, by name or path, with the user's own rows (W2).",
    )
    identity: IdentityField = Field(
        "email", description="What makes two debtors the same customer for SAP (C2)."
    )
    company_kind: str | None = Field(
        None, description="Debtor kind of companies; null: by VAT or CoC number."
    )
    blocked: Literal["send", "skip"] = Field("send", description="Debtors that are blocked in Asperion.")


class OrdersToSap(ToSap):
    """Sales orders and invoices of Asperion become order files for SAP (O1, O2, O9)."""

    folder: OutFolder = OutFolder(folder="to_sap/orders")
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {"orders_orders05": MappingChoice()},
        description="Mapping in use, by name or path, with the user's own rows (W2); of invoices "
        "invoices_invoic02 unless set otherwise.",
    )
    kind: OrderKind = Field("sales_order", description="Which documents travel (O9).")
    filter: OrderFilter = Field(
        OrderFilter(), description="Which statuses travel (O2); of an invoice 7 is paid."
    )
    currency: str = Field(
        "EUR", pattern=r"^[A-Z]{3}$", description="Currency of documents of which Asperion names none."
    )
    company_kind: str | None = Field(
        None, description="Debtor kind of companies; null: by VAT or CoC number."
    )
    check_totals: bool = Field(
        True,
        description="Refuse a document whose lines do not add up to its net amount in Asperion: its control "
        "totals would not tie.",
    )
    from_sap: Literal["skip", "send"] = Field(
        "skip",
        description="Orders that SAP sent itself, as the ledger knows: they do not go back, or they do.",
    )

    @model_validator(mode="before")
    @classmethod
    def _mapping_of_invoices(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("kind") == "sales_invoice":
            return {"mappings": {"invoices_invoic02": {}}, **values}
        return values
