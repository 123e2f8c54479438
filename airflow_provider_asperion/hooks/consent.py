"""The end of a login at Asperion: the code that a person came back with becomes tokens, kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion import VaultTokenStore
from airflow_provider_asperion.asperion.auth import exchange_code

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion.auth import AuthorizationRequest
    from airflow_provider_asperion.asperion.tokens import Tokens
    from airflow_provider_asperion.hooks.asperion import AsperionHook
    from airflow_provider_asperion.ledger import TokenVault


async def keep_login(
    hook: AsperionHook, vault: TokenVault, request: AuthorizationRequest, *, code: str, redirect_uri: str
) -> tuple[VaultTokenStore, Tokens]:
    """Exchange a code, and keep the login, encrypted.

    :raises AsperionError: Asperion does not accept the code.
    """
    settings = await hook.oauth_settings()
    async with hook.http_session() as session:
        tokens = await exchange_code(session, settings, request, code=code, redirect_uri=redirect_uri)
    store = VaultTokenStore(vault)
    async with store.exclusive(hook.asperion_conn_id):
        await store.save(hook.asperion_conn_id, tokens)
    return store, tokens
