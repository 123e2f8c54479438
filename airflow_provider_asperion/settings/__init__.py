"""What a user configures: models, the YAML file, and its JSON schema for editors."""

from airflow_provider_asperion.settings.loading import load_settings, parse_settings
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
from airflow_provider_asperion.settings.orders import (
    ArticleRules,
    CollectiveDebtor,
    CustomerRules,
    DeliveryRules,
    MappingChoice,
    OrderFilter,
    OrdersToAsperion,
    TotalRules,
)

__all__ = [
    "DEFAULT_INTEGRATION",
    "ArticleRules",
    "AsperionSide",
    "CollectiveDebtor",
    "CustomerRules",
    "DeliveryRules",
    "Flows",
    "Integration",
    "LedgerSettings",
    "MappingChoice",
    "OrderFilter",
    "OrdersToAsperion",
    "SapSide",
    "Settings",
    "StagingSettings",
    "TotalRules",
    "load_settings",
    "parse_settings",
]
