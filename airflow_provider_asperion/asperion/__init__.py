"""The Asperion side: an async client of its API, typed calls over it, and login. No Airflow in here."""

from airflow_provider_asperion.asperion.auth import OAuth, OAuthSettings, StaticToken
from airflow_provider_asperion.asperion.client import AsperionClient, ClientOptions, Stats
from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.asperion.limiter import AdaptiveLimiter
from airflow_provider_asperion.asperion.listing import Listing, OpenOrderLines
from airflow_provider_asperion.asperion.moments import Interval, Moment, read_moment
from airflow_provider_asperion.asperion.names import DocumentKind, Names
from airflow_provider_asperion.asperion.resources import Asperion
from airflow_provider_asperion.asperion.retry import Retrier, RetryPolicy
from airflow_provider_asperion.asperion.tokens import MemoryTokenStore, Tokens, TokenStore, VaultTokenStore
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
