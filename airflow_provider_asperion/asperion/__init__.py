"""The Asperion side: an async client of its API, typed calls over it, and login. No Airflow in here.

Its parts are loaded when they are asked for: the settings need the names of the wire only, and whoever parses
DAG files shall not load an HTTP client for that.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion.auth import OAuth, OAuthSettings, StaticToken
    from airflow_provider_asperion.asperion.client import AsperionClient, ClientOptions, Stats
    from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
    from airflow_provider_asperion.asperion.limiter import AdaptiveLimiter
    from airflow_provider_asperion.asperion.listing import Listing, OpenOrderLines
    from airflow_provider_asperion.asperion.moments import Interval, Moment, read_moment
    from airflow_provider_asperion.asperion.names import DocumentKind, Names
    from airflow_provider_asperion.asperion.resources import Asperion
    from airflow_provider_asperion.asperion.retry import Retrier, RetryPolicy
    from airflow_provider_asperion.asperion.tokens import (
        MemoryTokenStore,
        Tokens,
        TokenStore,
        VaultTokenStore,
    )
    from airflow_provider_asperion.asperion.vat import in_force, vat_in_force

__all__ = [
    "AdaptiveLimiter",
    "Asperion",
    "AsperionClient",
    "AsperionError",
    "ClientOptions",
    "DocumentKind",
    "Interval",
    "Listing",
    "MemoryTokenStore",
    "Moment",
    "Names",
    "OAuth",
    "OAuthSettings",
    "OpenOrderLines",
    "Retrier",
    "RetryPolicy",
    "StaticToken",
    "Stats",
    "TokenStore",
    "Tokens",
    "VaultTokenStore",
    "in_force",
    "read_moment",
    "to_problem",
    "vat_in_force",
]

_PART_OF = {
    "OAuth": "auth",
    "OAuthSettings": "auth",
    "StaticToken": "auth",
    "AsperionClient": "client",
    "ClientOptions": "client",
    "Stats": "client",
    "AsperionError": "errors",
    "to_problem": "errors",
    "AdaptiveLimiter": "limiter",
    "Listing": "listing",
    "OpenOrderLines": "listing",
    "Interval": "moments",
    "Moment": "moments",
    "read_moment": "moments",
    "DocumentKind": "names",
    "Names": "names",
    "Asperion": "resources",
    "Retrier": "retry",
    "RetryPolicy": "retry",
    "MemoryTokenStore": "tokens",
    "Tokens": "tokens",
    "TokenStore": "tokens",
    "VaultTokenStore": "tokens",
    "in_force": "vat",
    "vat_in_force": "vat",
}


def __getattr__(name: str) -> Any:
    """Load the part that has a name."""
    if name not in _PART_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PART_OF[name]}"), name)
