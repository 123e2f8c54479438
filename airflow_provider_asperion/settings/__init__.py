"""What a user configures: models, the YAML file, and its JSON schema for editors."""

from airflow_provider_asperion.settings.answers import AnswersFromSap
from airflow_provider_asperion.settings.contract import ContractCheck
from airflow_provider_asperion.settings.loading import load_settings, parse_settings
from airflow_provider_asperion.settings.master_data import (
    CustomersToAsperion,
    MasterData,
    ProductsToAsperion,
)
from airflow_provider_asperion.settings.model import (
    DEFAULT_INTEGRATION,
    AsperionSide,
    Flows,
    Integration,
    LedgerSettings,
    SapSide,
    Settings,
    StagingSettings,
)
from airflow_provider_asperion.settings.notifications import Channel, Notifications, Silence
from airflow_provider_asperion.settings.orders import (
    ArticleRules,
    CollectiveDebtor,
    CustomerRules,
    DebtorRules,
    DeliveryRules,
    MappingChoice,
    OrderFilter,
    OrdersToAsperion,
    TotalRules,
)
from airflow_provider_asperion.settings.reconcile import Reconcile
from airflow_provider_asperion.settings.retention import Retention
from airflow_provider_asperion.settings.tasks import Waking
from airflow_provider_asperion.settings.to_sap import (
    CustomersToSap,
    OrdersToSap,
    OutFolder,
    PriceRules,
    ProductsToSap,
    PublishRules,
    StockRules,
    StockToSap,
    ToSap,
)

__all__ = [
    "DEFAULT_INTEGRATION",
    "AnswersFromSap",
    "ArticleRules",
    "AsperionSide",
    "Channel",
    "CollectiveDebtor",
    "ContractCheck",
    "CustomerRules",
    "CustomersToAsperion",
    "CustomersToSap",
    "DebtorRules",
    "DeliveryRules",
    "Flows",
    "Integration",
    "LedgerSettings",
    "MappingChoice",
    "MasterData",
    "Notifications",
    "OrderFilter",
    "OrdersToAsperion",
    "OrdersToSap",
    "OutFolder",
    "PriceRules",
    "ProductsToAsperion",
    "ProductsToSap",
    "PublishRules",
    "Reconcile",
    "Retention",
    "SapSide",
    "Settings",
    "Silence",
    "StagingSettings",
    "StockRules",
    "StockToSap",
    "ToSap",
    "TotalRules",
    "Waking",
    "load_settings",
    "parse_settings",
]
