"""What Airflow learns of this provider: hooks, connection forms, operators, configuration, commands."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, as Airflow's ``provider_info.schema.json`` asks for it."""
    return {
        "package-name": "airflow-provider-asperion",
        "name": "Asperion",
        "description": "Orders, invoices, products, stock and customers between Asperion and SAP.",
    }
