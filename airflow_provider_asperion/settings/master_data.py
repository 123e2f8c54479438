"""Settings of the flows that bring customers and products from SAP's files to Asperion. Off by default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from airflow_provider_asperion.mapping import LookUp
from airflow_provider_asperion.records import Record
from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
from airflow_provider_asperion.settings.orders import DebtorRules, IdentityField, MappingChoice
from airflow_provider_asperion.settings.tasks import PostRules, Waking
from airflow_provider_asperion.settings.watching import CircuitRules, Expectation


class MasterPostRules(PostRules):
    """How master data is written to Asperion."""

    batch_size: int = Field(
        500, ge=1, le=50_000, description="Documents taken together; records of one key become one change."
    )
    in_flight: int = Field(16, ge=1, le=256, description="Records in work at once.")


class MasterData(Waking):
    """What the flows from SAP's master data have in common.

    A field that a file does not name stays as it is in Asperion; so does one that holds SAP's sign for no
    data (``/``). Nothing is ever emptied.
    """

    enabled: bool = Field(False, description="true: SAP leads this data, and a DAG brings it to Asperion.")
    reading: ReadProfile
    mappings: dict[str, MappingChoice] = Field(
        description="Mappings in use, by name or path, with the user's own rows (W2)."
    )
    look_ups: dict[str, LookUp] = Field(default_factory=dict, description="Look-up tables (O11).")
    defaults: dict[str, str] = Field(
        default_factory=dict,
        description="Value per field for when a new record has none (O3); an update never writes it.",
    )
    forced: dict[str, str] = Field(
        default_factory=dict, description="Value per field that replaces the source's (O11)."
    )
    delivery: MasterPostRules = MasterPostRules()
    expect: Expectation | None = None
    circuit: CircuitRules = CircuitRules()


class MasterDebtorRules(DebtorRules):
    """How a customer of SAP's becomes a debtor."""

    match: tuple[IdentityField, ...] = Field(
        ("customer_number",),
        min_length=1,
        description="Fields by which a debtor is found; the first one that the record has is used.",
    )
    numbering: Literal["asperion", "source"] = Field(
        "source", description="Who numbers a new debtor: Asperion, or SAP's customer number is sent."
    )
    deleted: Literal["report", "block", "ignore"] = Field(
        "report", description="A customer that SAP flags as deleted: report it, block the debtor, or nothing."
    )


class CustomersToAsperion(MasterData):
    """SAP's customers (DEBMAS, ADRMAS, CSV) become debtors in Asperion."""

    folder: DropFolder = DropFolder(inbox="from_sap/customers")
    reading: ReadProfile = ReadProfile(
        message_types=("DEBMAS", "ADRMAS"), csv=CsvProfile(name="debtors_csv", group_by="CUSTOMER_NO")
    )
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {name: MappingChoice() for name in ("debmas07", "adrmas02", "debtors_csv")},
        description="Mappings in use, by name or path, with the user's own rows (W2).",
    )
    customer: MasterDebtorRules = MasterDebtorRules()


class ArticleMasterRules(Record):
    """How a material of SAP's becomes an article."""

    create: bool = Field(True, description="Create an article that does not exist; else refuse the record.")
    update: bool = Field(True, description="Update an article that differs from the file.")
    keep: tuple[str, ...] = Field(
        (),
        description="Article fields that Asperion owns: set when the article is created, never updated, e.g. "
        "long_description, characteristic_1, or a custom field by its name.",
    )
    deleted: Literal["report", "deactivate", "ignore"] = Field(
        "report",
        description="A material that SAP flags as deleted: report it, make the article inactive, or nothing.",
    )
    wrong_ean: Literal["refuse", "drop"] = Field(
        "refuse", description="An EAN whose check digit is wrong: refuse the record, or leave the EAN out."
    )


class ProductsToAsperion(MasterData):
    """SAP's materials (MATMAS, CSV) become articles in Asperion."""

    folder: DropFolder = DropFolder(inbox="from_sap/products")
    reading: ReadProfile = ReadProfile(
        message_types=("MATMAS",), csv=CsvProfile(name="articles_csv", group_by="SKU")
    )
    mappings: dict[str, MappingChoice] = Field(
        default_factory=lambda: {name: MappingChoice() for name in ("matmas05", "articles_csv")},
        description="Mappings in use, by name or path, with the user's own rows (W2).",
    )
    article: ArticleMasterRules = ArticleMasterRules()
