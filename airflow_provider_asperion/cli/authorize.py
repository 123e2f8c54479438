"""`asperion authorize`: a person logs in at Asperion once; the login is kept, encrypted, in the ledger."""

from __future__ import annotations

import asyncio
import sys
import webbrowser
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.auth import (
    AuthorizationRequest,
    authorization_request,
    code_of_callback,
)
from airflow_provider_asperion.cli.callback import wait_for_callback
from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.output import remark, show
from airflow_provider_asperion.cli.running import reach_connections
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.asperion import AsperionHook
from airflow_provider_asperion.hooks.consent import keep_login

if TYPE_CHECKING:
    import argparse

    from airflow_provider_asperion.asperion import VaultTokenStore
    from airflow_provider_asperion.asperion.tokens import Tokens


def authorize(arguments: argparse.Namespace) -> int:
    """Log in and keep the login.

    :raises ProblemError: the connection cannot be used, or nobody came back in time.
    :raises AsperionError: Asperion refused the login.
    """
    reach_connections()
    asyncio.run(_authorize(arguments))
    return 0


async def _authorize(arguments: argparse.Namespace) -> None:
    hook = AsperionHook(arguments.connection)
    with missing_connections_told():
        settings = await hook.oauth_settings()
    request = authorization_request(settings, arguments.redirect_uri)
    show(f"Log in at Asperion, as the user whose administration is to be used:\n\n  {request.url}\n")
    code = await _code(request, arguments.redirect_uri, browser=not arguments.no_browser)
    with runtime.open_ledger() as ledger:
        store, tokens = await keep_login(
            hook, runtime.vault(ledger), request, code=code, redirect_uri=arguments.redirect_uri
        )
        await _tell(hook, store, tokens)


async def _code(request: AuthorizationRequest, redirect_uri: str, *, browser: bool) -> str:
    """Return the code with which the person comes back, by way of the browser or pasted."""
    if not browser:
        show("Then paste the address that the browser was sent to, even if it shows no page:")
        address = await asyncio.to_thread(sys.stdin.readline)
        return code_of_callback(address.strip(), request)

    def opened() -> None:
        if not webbrowser.open(request.url):
            show("No browser could be opened here: open the address yourself.")

    return await wait_for_callback(request, redirect_uri, on_ready=opened)


async def _tell(hook: AsperionHook, store: VaultTokenStore, tokens: Tokens) -> None:
    """Say what the new login may reach."""
    extra = await hook.extra()
    show(f"The login is kept for connection {hook.asperion_conn_id}.")
    if tokens.refresh_token is None:
        text = "Asperion gave no refresh token, so it ends with the access token"
        remark(f"WARNING: {text} -> set the field Scope of the connection to offline_access")
    if extra.access_token is not None:
        text = "the connection has a fixed access token, which is used instead of this login"
        remark(f"WARNING: {text} -> empty the field Access token")
    async with hook.client(token_store=store) as asperion:
        for one in sorted(await asperion.administrations(), key=lambda one: one.id):
            chosen = "  <- the connection's" if one.id == extra.administration else ""
            show(f"  administration {one.id}: {one.name}{chosen}")
