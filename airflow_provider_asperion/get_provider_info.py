"""What Airflow learns of this provider: hooks, connection forms, operators, configuration, commands."""

from __future__ import annotations

from typing import Any

from airflow_provider_asperion.hooks import asperion_form, sap_sftp_form
from airflow_provider_asperion.hooks.sap_uri import SCHEME

_PACKAGE = "airflow_provider_asperion"
_SAP = "SAP files over SFTP"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, as Airflow's ``provider_info.schema.json`` asks for it.

    Airflow calls this at every start of every process: nothing heavy is imported here.
    """
    return {
        "package-name": "airflow-provider-asperion",
        "name": "Asperion",
        "description": "Orders, invoices, products, stock and customers between Asperion and SAP.",
        "integrations": [
            {
                "integration-name": "Asperion",
                "external-doc-url": "https://help.asperion.nl/api.aspx",
                "tags": ["service"],
            },
            {
                "integration-name": _SAP,
                "external-doc-url": "https://help.sap.com/",
                "tags": ["protocol"],
            },
        ],
        "hooks": [
            {"integration-name": "Asperion", "python-modules": [f"{_PACKAGE}.hooks.asperion"]},
            {"integration-name": _SAP, "python-modules": [f"{_PACKAGE}.hooks.sap_sftp"]},
        ],
        "operators": [
            {
                "integration-name": "Asperion",
                "python-modules": [f"{_PACKAGE}.operators.{module}" for module in _OPERATORS],
            },
        ],
        "sensors": [{"integration-name": _SAP, "python-modules": [f"{_PACKAGE}.sensors.sap_files"]}],
        "triggers": [{"integration-name": _SAP, "python-modules": [f"{_PACKAGE}.triggers.sap_files"]}],
        "asset-uris": [{"schemes": [SCHEME], "handler": f"{_PACKAGE}.hooks.sap_uri.sanitize_uri"}],
        "notifications": [f"{_PACKAGE}.notifications.notifier.AsperionNotifier"],
        "extra-links": [
            f"{_PACKAGE}.links.records.{link}"
            for link in ("RecordsLink", "ReconciliationLink", "ContractLink")
        ],
        "connection-types": [asperion_form.connection_form(), sap_sftp_form.connection_form()],
        "config": {"asperion": _CONFIG},
        "cli": [f"{_PACKAGE}.cli.definition.get_commands"],
    }


_LINKS = ("RecordsLink", "ReconciliationLink", "ContractLink")
_OPERATORS = (
    "orders",
    "orders_to_sap",
    "products",
    "stock",
    "customers",
    "outgoing",
    "answers",
    "incoming",
    "master_data",
    "reconcile",
    "housekeeping",
    "contract",
    "watch",
)

_CONFIG = {
    "description": "Asperion and SAP: where the settings of the flows are, and where their state is kept.",
    "options": {
        "settings": {
            "description": (
                "The settings file (YAML). `asperion init` writes a commented one. "
                "Relative paths are below AIRFLOW_HOME."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "/opt/airflow/config/asperion.yaml",
            "default": "asperion.yaml",
        },
        "state_folder": {
            "description": (
                "Folder of the ledger (SQLite) and of staged batches where the settings file names no "
                "database and no object store. Relative paths are below AIRFLOW_HOME. Every worker must see "
                "the same folder."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "/var/lib/asperion",
            "default": "asperion",
        },
    },
}
