"""The Asperion side: an async client of its API, typed calls over it, and login. No Airflow in here."""

from airflow_provider_asperion.asperion.auth import OAuth, OAuthSettings, StaticToken
from airflow_provider_asperion.asperion.client import AsperionClient, ClientOptions, Stats
from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.asperion.limiter import AdaptiveLimiter
from airflow_provider_asperion.asperion.names import DocumentKind, Names
from airflow_provider_asperion.asperion.resources import Asperion
from airflow_provider_asperion.asperion.retry import Retrier, RetryPolicy
from airflow_provider_asperion.asperion.tokens import MemoryTokenStore, Tokens, TokenStore, VaultTokenStore

__all__ = [
    "AdaptiveLimiter",
    "Asperion",
    "AsperionClient",
    "AsperionError",
    "ClientOptions",
    "DocumentKind",
    "MemoryTokenStore",
    "Names",
    "OAuth",
    "OAuthSettings",
    "Retrier",
    "RetryPolicy",
    "StaticToken",
    "Stats",
    "TokenStore",
    "Tokens",
    "VaultTokenStore",
    "to_problem",
]
