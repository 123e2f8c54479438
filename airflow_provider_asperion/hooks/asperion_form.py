"""The form of an Asperion connection in Airflow's UI. Imports nothing: Airflow reads it at every start."""

from __future__ import annotations

from typing import Any


def _field(label: str, description: str, **schema: object) -> dict[str, Any]:
    """Describe one field; its schema allows null, because an empty field is sent as one."""
    kind = schema.pop("type", "string")
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **schema}}


def connection_form() -> dict[str, Any]:
    """Return the entry of ``connection-types`` in the provider info."""
    return {
        "connection-type": "asperion",
        "hook-name": "Asperion",
        "hook-class-name": "airflow_provider_asperion.hooks.asperion.AsperionHook",
        "ui-field-behaviour": {
            "hidden-fields": [],
            "relabeling": {"host": "API address", "login": "Client id", "password": "Client secret"},
            "placeholders": {
                "host": "api.asperion.nl",
                "schema": "https",
                "login": "given out by Asperion's API support",
            },
        },
        "conn-fields": {
            "administration": _field(
                "Administration",
                "Id of the administration (a number). Test lists the ids that the user may reach.",
                type="integer",
                minimum=1,
            ),
            "refresh_token": _field(
                "Refresh token",
                "The first one; later ones are kept by the ledger. Empty after 'asperion authorize'.",
                format="password",
            ),
            "access_token": _field(
                "Access token", "A fixed token instead of a login, for tests.", format="password"
            ),
            "authorize_url": _field(
                "Authorize address", "Empty: https://identity.asperion.nl/connect/authorize", format="url"
            ),
            "token_url": _field(
                "Token address", "Empty: https://identity.asperion.nl/connect/token", format="url"
            ),
            "scope": _field("Scope", "Asked for when a person consents. Usually empty, or offline_access."),
            "auth_style": _field(
                "Client secret is sent",
                "In the body (default), or as HTTP basic.",
                enum=["body", "basic", None],
            ),
            "tenant_header": _field(
                "Tenant header", "Empty: X-Tenant-Id. Asperion's help also spells it X-TenantId."
            ),
            "tls_minimum": _field(
                "Lowest TLS version",
                "Empty: 1.2; 1.3 is used where both sides can.",
                enum=["1.2", "1.3", None],
            ),
            "proxy": _field("Proxy", "Address of an HTTP proxy on the way to Asperion.", format="url"),
            "timeout": _field(
                "Time-out", "Seconds for one request with its answer. Empty: 60.", type="number"
            ),
        },
    }
