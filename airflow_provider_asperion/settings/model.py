"""The settings file as a whole: integrations, ledger, staging. Secrets live in connections, never here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from airflow_provider_asperion.asperion.names import Names
from airflow_provider_asperion.records import Record
from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.settings.answers import AnswersFromSap
from airflow_provider_asperion.settings.contract import ContractCheck
from airflow_provider_asperion.settings.master_data import CustomersToAsperion, ProductsToAsperion
from airflow_provider_asperion.settings.notifications import Notifications
from airflow_provider_asperion.settings.orders import OrdersToAsperion
from airflow_provider_asperion.settings.reconcile import Reconcile
from airflow_provider_asperion.settings.retention import Retention
from airflow_provider_asperion.settings.to_sap import CustomersToSap, OrdersToSap, ProductsToSap, StockToSap

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
DEFAULT_INTEGRATION = "default"


class AsperionSide(Record):
    """The administration in Asperion that an integration writes to."""

    connection: str = Field("asperion_default", description="Airflow connection of type asperion.")
    administration: int | None = Field(
        None, description="Id of the administration; null: the one named in the connection."
    )
    names: Names = Field(Names(), description="Wire names of the API, where the live one differs.")


class SapSide(Record):
    """The SFTP server at which SAP drops and fetches files."""

    connection: str = Field("sap_sftp_default", description="Airflow connection of type sap_sftp.")


class Flows(Record):
    """The flows of an integration; one that is null or not enabled has no DAG."""

    orders_to_asperion: OrdersToAsperion | None = Field(
        default_factory=lambda: OrdersToAsperion(folder=DropFolder(inbox="orders"))
    )
    products_to_sap: ProductsToSap | None = Field(default_factory=ProductsToSap)
    stock_to_sap: StockToSap | None = Field(default_factory=StockToSap)
    customers_to_sap: CustomersToSap | None = Field(default_factory=CustomersToSap)
    orders_to_sap: OrdersToSap | None = Field(default_factory=OrdersToSap)
    answers_from_sap: AnswersFromSap | None = Field(default_factory=AnswersFromSap)
    customers_to_asperion: CustomersToAsperion | None = Field(default_factory=CustomersToAsperion)
    products_to_asperion: ProductsToAsperion | None = Field(default_factory=ProductsToAsperion)
    reconcile: Reconcile | None = Field(default_factory=Reconcile)
    contract: ContractCheck | None = Field(default_factory=ContractCheck)


class Integration(Record):
    """One administration and one SAP system, and what flows between them."""

    asperion: AsperionSide = AsperionSide()
    sap: SapSide = SapSide()
    flows: Flows = Field(default_factory=Flows)
    notifications: Notifications = Notifications()


class LedgerSettings(Record):
    """Where the ledger lives. Without a connection: a SQLite file below AIRFLOW_HOME."""

    connection: str | None = Field(None, description="Airflow connection of type postgres.")
    lease_seconds: float = Field(120, ge=15, description="How long a silent worker keeps what it holds.")
    patch_hours: float = Field(
        72, gt=0, le=24 * 30, description="How long a corrected value of a refused record is kept, encrypted."
    )


class StagingSettings(Record):
    """Where batches wait between two tasks, encrypted. Without a path: a folder below AIRFLOW_HOME."""

    path: str | None = Field(None, description="Folder or object store URL, e.g. s3://aws_default@bucket/x.")


class Settings(Record):
    """All that a user configures, in one file."""

    version: Literal[1] = 1
    integrations: dict[Name, Integration] = Field(
        default_factory=lambda: {DEFAULT_INTEGRATION: Integration()}, min_length=1
    )
    ledger: LedgerSettings = LedgerSettings()
    staging: StagingSettings = StagingSettings()
    retention: Retention = Retention()
