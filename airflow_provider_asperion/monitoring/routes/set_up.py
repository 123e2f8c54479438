"""Set-up: connections, the login at Asperion, flows on and off, settings, and a mapping tried on a sample."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from airflow.configuration import conf
from cryptography.fernet import InvalidToken
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from airflow_provider_asperion.asperion.auth import (
    AuthorizationRequest,
    authorization_request,
    code_of_callback,
)
from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.asperion import AsperionHook
from airflow_provider_asperion.hooks.consent import keep_login
from airflow_provider_asperion.hooks.flows import BY_NAME, FLOWS
from airflow_provider_asperion.hooks.pausing import pause, paused
from airflow_provider_asperion.monitoring.checking import checked
from airflow_provider_asperion.monitoring.choosing import as_yaml, chosen, stated
from airflow_provider_asperion.monitoring.data import ledger
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import address, page
from airflow_provider_asperion.monitoring.place import PREFIX
from airflow_provider_asperion.monitoring.rights import (
    RightsDep,
    forbidden,
)
from airflow_provider_asperion.monitoring.trying import MOST_BYTES, MOST_DOCUMENTS, try_sample
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_asperion.monitoring.checking import Checked
    from airflow_provider_asperion.monitoring.rights import Rights
    from airflow_provider_asperion.settings import Settings

router = APIRouter()
COOKIE = "asperion_login"
COOKIE_SECONDS = 900
TRIED = ("orders_to_asperion", "customers_to_asperion", "products_to_asperion")


@router.get("/setup", name="set_up")
async def set_up(
    request: Request,
    rights: RightsDep,
    check: Annotated[str, Query(max_length=60)] = "",
    connected: Annotated[str, Query(max_length=250)] = "",
) -> HTMLResponse:
    """Show connections, flows and settings; with ``check`` try the connections of an integration now."""
    settings = runtime.settings()
    views = []
    names = rights.readable()
    states = await run_in_threadpool(_states, names)
    for name in names:
        found = await checked(name) if name == check and _may_check(rights, name) else None
        views.append(_view(rights, name, settings.integrations[name], found, states))
    return page(
        request,
        rights,
        "setup.html",
        title="Set-up",
        integrations=views,
        connected=connected,
        settings_file=runtime.settings_path(),
        there=runtime.settings_path().exists(),
        ledger=settings.ledger.connection or "SQLite, in the state folder",
        redirect_uri=_redirect_uri(request),
        tried=TRIED,
        titles={flow.name: flow.title for flow in FLOWS},
    )


@router.get("/setup/settings.yaml", name="settings_file")
async def settings_file(rights: RightsDep) -> Response:
    """Return the settings as they count now, for those who may trigger all flows."""
    _need_all(rights)
    return _as_file(runtime.settings())


@router.post("/setup/choose", name="choose")
async def choose(request: Request, rights: RightsDep) -> Response:
    """Return the settings as they count now, with the values that were picked for one integration."""
    form = await check_form(request, rights.user)
    integration = str(form.get("integration", ""))
    if integration not in rights.readable():
        raise HTTPException(404, "there is no such integration")
    _need_all(rights)
    return _as_file(chosen(runtime.settings(), integration, form))


@router.post("/setup/switch", name="switch")
async def switch(request: Request, rights: RightsDep) -> Response:
    """Pause the DAG of a flow, or let it run again."""
    form = await check_form(request, rights.user)
    integration, name = str(form.get("integration", "")), str(form.get("flow", ""))
    if integration not in rights.readable() or name not in BY_NAME:
        raise HTTPException(404, "there is no such flow")
    flow = BY_NAME[name]
    rights.need("edit", flow, integration)
    user = str(rights.user.get_name())
    value = form.get("paused") == "yes"
    if not await run_in_threadpool(pause, flow.dag_id(integration), value=value, user=user):
        raise HTTPException(404, f"Airflow does not know the DAG {flow.dag_id(integration)} (yet)")
    return RedirectResponse(address(request, "/setup"), 303)


@router.post("/setup/connect", name="connect")
async def connect(request: Request, rights: RightsDep) -> Response:
    """Send the person to Asperion's consent page."""
    form = await check_form(request, rights.user)
    integration = str(form.get("integration", ""))
    connection = _connection(rights, integration)
    settings = await AsperionHook(connection).oauth_settings()
    asked = authorization_request(settings, _redirect_uri(request))
    kept = {
        "state": asked.state,
        "verifier": asked.verifier,
        "integration": integration,
        "user": str(rights.user.get_id()),
        "at": time.time(),
    }
    answer = RedirectResponse(asked.url, 303)
    answer.set_cookie(
        COOKIE,
        runtime.cipher().encrypt(json.dumps(kept).encode()).decode(),
        max_age=COOKIE_SECONDS,
        path=address(request, "") or "/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return answer


@router.get("/setup/connected", name="connected")
async def connected(request: Request, rights: RightsDep) -> Response:
    """Take the person back from the consent page, and keep the login."""
    kept = _kept(request, rights)
    integration = kept["integration"]
    connection = _connection(rights, integration)
    hook = AsperionHook(connection)
    asked = AuthorizationRequest("", kept["state"], kept["verifier"])
    try:
        code = code_of_callback(str(request.url), asked)
        vault = await run_in_threadpool(lambda: runtime.vault(ledger()))
        await keep_login(hook, vault, asked, code=code, redirect_uri=_redirect_uri(request))
    except AsperionError as error:
        raise ProblemError(to_problem(error)) from None
    asked_for = urlencode({"check": integration, "connected": connection})
    answer = RedirectResponse(address(request, f"/setup?{asked_for}"), 303)
    answer.delete_cookie(COOKIE, path=address(request, "") or "/")
    return answer


@router.post("/setup/try", name="try_mapping", response_class=HTMLResponse)
async def try_mapping(request: Request, rights: RightsDep) -> HTMLResponse:
    """Map an uploaded sample; nothing is written."""
    form = await check_form(request, rights.user)
    integration, name = str(form.get("integration", "")), str(form.get("flow", ""))
    sample = form.get("sample")
    if integration not in rights.readable() or name not in TRIED:
        raise HTTPException(404, "there is no such flow")
    rights.need("trigger", BY_NAME[name], integration)
    if not isinstance(sample, UploadFile) or not sample.size:
        raise HTTPException(422, "choose a file with a sample")
    if sample.size > MOST_BYTES:
        raise HTTPException(413, f"a sample has at most {MOST_BYTES // 1024 // 1024} MB")
    flow = runtime.flow(integration, name)
    found = await run_in_threadpool(try_sample, flow, sample.file, sample.filename or "sample")
    return page(
        request,
        rights,
        "tried.html",
        title="Sample",
        found=found,
        file=sample.filename,
        flow=BY_NAME[name],
        most=MOST_DOCUMENTS,
    )


def _view(
    rights: Rights, name: str, chosen: Any, found: Checked | None, states: Mapping[str, bool]
) -> dict[str, Any]:
    flows = []
    for flow in FLOWS:
        settings = getattr(chosen.flows, flow.name)
        flows.append(
            {
                "flow": flow,
                "enabled": settings is not None and settings.enabled,
                "schedule": settings.schedule if settings is not None else None,
                "paused": states.get(flow.dag_id(name)),
                "may_switch": rights.may("edit", flow, name),
                "settings": list(stated(settings)) if settings is not None else [],
            }
        )
    return {
        "name": name,
        "asperion": chosen.asperion.connection,
        "sap": chosen.sap.connection,
        "may_connect": rights.may_connect(chosen.asperion.connection),
        "may_check": _may_check(rights, name),
        "flows": flows,
        "checked": found,
    }


def _states(names: Iterable[str]) -> dict[str, bool]:
    """Return which DAGs are paused; nothing of them where Airflow's database does not say."""
    try:
        return paused(flow.dag_id(name) for name in names for flow in FLOWS)
    except ProblemError:
        return {}


def _need_all(rights: Rights) -> None:
    """Turn away who may not trigger the flows of all integrations: the file is about all of them.

    :raises HTTPException: 403.
    """
    for name in runtime.settings().integrations:
        if not _may_check(rights, name):
            raise forbidden("this needs the right to trigger all flows")


def _as_file(settings: Settings) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="asperion.yaml"'}
    return Response(as_yaml(settings), media_type="application/yaml", headers=headers)


def _may_check(rights: Rights, integration: str) -> bool:
    return all(rights.may("trigger", flow, integration) for flow in FLOWS)


def _connection(rights: Rights, integration: str) -> str:
    """Return the connection of an integration, for a user who may edit it.

    :raises HTTPException: 404, 403.
    """
    if integration not in rights.readable():
        raise HTTPException(404, "there is no such integration")
    connection = str(runtime.integration(integration).asperion.connection)
    if not rights.may_connect(connection):
        raise forbidden(f"this needs the right to edit the connection {connection}")
    return connection


def _redirect_uri(request: Request) -> str:
    """Return the address to which Asperion sends the person back; it is registered there."""
    stated = conf.get("api", "base_url", fallback="")
    if stated:
        return f"{stated.rstrip('/')}{PREFIX}/setup/connected"
    return f"{request.url.scheme}://{request.url.netloc}{address(request, '/setup/connected')}"


def _kept(request: Request, rights: Rights) -> dict[str, Any]:
    """Return what was kept in the person's browser when the login began.

    :raises HTTPException: 403, nothing was, or it was another user.
    """
    try:
        text = runtime.cipher().decrypt(request.cookies.get(COOKIE, "").encode())
    except InvalidToken:
        raise forbidden("no login was begun in this browser; begin it on the set-up page") from None
    kept: dict[str, Any] = json.loads(text)
    if time.time() - kept["at"] > COOKIE_SECONDS:
        raise forbidden("the login was begun too long ago; begin it again on the set-up page")
    if kept["user"] != str(rights.user.get_id()):
        raise forbidden("the login was begun by another user")
    return kept
