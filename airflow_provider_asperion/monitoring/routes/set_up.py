"""Set-up: the state of connections and flows, the login at Asperion, and trying a mapping on a sample."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import yaml
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
from airflow_provider_asperion.flows.orders_to_asperion.live import load_live_values
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.asperion import AsperionHook
from airflow_provider_asperion.hooks.consent import keep_login
from airflow_provider_asperion.hooks.flows import BY_NAME, FLOWS
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.monitoring.data import ledger
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import address, page
from airflow_provider_asperion.monitoring.plugin import PREFIX
from airflow_provider_asperion.monitoring.rights import (
    RightsDep,
    forbidden,
)
from airflow_provider_asperion.monitoring.trying import MOST_BYTES, MOST_DOCUMENTS, try_sample
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from airflow_provider_asperion.monitoring.rights import Rights

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
    for name in rights.readable():
        checked = await _checked(name) if name == check and _may_check(rights, name) else None
        views.append(_view(rights, name, settings.integrations[name], checked))
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
    for name in runtime.settings().integrations:
        if not _may_check(rights, name):
            raise forbidden("this needs the right to trigger all flows")
    content = runtime.settings().model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump({"version": 1} | content, sort_keys=False, allow_unicode=True)
    headers = {"Content-Disposition": 'attachment; filename="asperion.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


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


def _view(rights: Rights, name: str, chosen: Any, checked: dict[str, Any] | None) -> dict[str, Any]:
    flows = []
    for flow in FLOWS:
        settings = getattr(chosen.flows, flow.name)
        stated = settings.model_dump(mode="json", exclude_defaults=True) if settings is not None else {}
        flows.append(
            {
                "flow": flow,
                "enabled": settings is not None and settings.enabled,
                "schedule": settings.schedule if settings is not None else None,
                "stated": yaml.safe_dump(stated, sort_keys=False, allow_unicode=True) if stated else "",
            }
        )
    return {
        "name": name,
        "asperion": chosen.asperion.connection,
        "sap": chosen.sap.connection,
        "may_connect": rights.may_connect(chosen.asperion.connection),
        "may_check": _may_check(rights, name),
        "flows": flows,
        "checked": checked,
    }


async def _checked(name: str) -> dict[str, Any]:
    """Try both connections of an integration, and read the lists of the administration."""
    chosen = runtime.integration(name)
    lists: dict[str, list[str]] = {}
    vault = await run_in_threadpool(lambda: runtime.vault(ledger()))
    try:
        async with runtime.asperion(name, vault, in_flight=4) as asperion:
            await asperion.client.verify_administration()
            live = await load_live_values(asperion)
            lists = {kind.replace("_", " "): sorted(ids) for kind, ids in sorted(live.ids.items())}
            told = (True, f"Connected to administration {asperion.client.administration}.")
    except ProblemError as error:
        told = (False, _sentence(error.problem))
    except AsperionError as error:
        told = (False, _sentence(to_problem(error)))
    except Exception as error:
        told = (False, f"The connection cannot be used ({type(error).__name__}): see that it is there.")
    try:
        sap = await SapSftpHook(chosen.sap.connection).check()
    except Exception as error:
        sap = (False, f"The connection cannot be used ({type(error).__name__}): see that it is there.")
    return {"asperion": told, "sap": sap, "lists": lists}


def _sentence(problem: Problem) -> str:
    return f"{problem.message[:1].upper()}{problem.message[1:]}: {problem.remedy}."


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
