"""Contract: what of the API's description differs from what the flows use; compared anew, or with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from starlette.datastructures import UploadFile

from airflow_provider_asperion.asperion.contract import MOST_BYTES, Comparison
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.contract import compare_content, compare_live
from airflow_provider_asperion.hooks.flows import BY_NAME
from airflow_provider_asperion.ledger import contracts
from airflow_provider_asperion.monitoring.data import ask, ledger
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import page
from airflow_provider_asperion.monitoring.rights import RightsDep  # noqa: TC001 - FastAPI reads it

if TYPE_CHECKING:
    from airflow_provider_asperion.monitoring.rights import Rights

router = APIRouter()
FLOW = BY_NAME["contract"]
BY_HAND = ""


@router.get("/contract", name="contract", response_class=HTMLResponse)
async def contract(request: Request, rights: RightsDep) -> HTMLResponse:
    """Show the last comparison of each integration."""
    return await _shown(request, rights)


@router.post("/contract", name="compare_now", response_class=HTMLResponse)
async def compare_now(request: Request, rights: RightsDep) -> HTMLResponse:
    """Compare the live description, and keep the outcome; or a file that is sent along, and only show it."""
    form = await check_form(request, rights.user)
    integration, file = str(form.get("integration", "")), form.get("file")
    if integration not in rights.readable():
        raise HTTPException(404, "there is no such integration")
    rights.need("trigger", FLOW, integration)
    if form.get("what") == "file":
        if not isinstance(file, UploadFile) or not file.size:
            raise HTTPException(422, "choose a file with a description")
        if file.size > MOST_BYTES:
            raise HTTPException(413, f"a description has at most {MOST_BYTES >> 20} MB")
        found = await compare_content(integration, await file.read(), file.filename or "file")
        return await _shown(request, rights, tried=(integration, found))
    found = await compare_live(integration)
    body = found.model_dump(mode="json")
    await run_in_threadpool(lambda: ledger().run(contracts.keep, integration, BY_HAND, body))
    return await _shown(request, rights)


async def _shown(
    request: Request, rights: Rights, *, tried: tuple[str, Comparison] | None = None
) -> HTMLResponse:
    integrations = rights.readable()
    kept = await run_in_threadpool(ask, contracts.last, integrations)
    return page(
        request,
        rights,
        "contract.html",
        title="Contract",
        integrations=[
            {
                "name": name,
                "kept": kept.get(name),
                "found": Comparison.model_validate(kept[name].body) if name in kept else None,
                "may": rights.may("trigger", FLOW, name),
                "address": _address(name),
            }
            for name in integrations
        ],
        tried=tried,
    )


def _address(integration: str) -> str | None:
    """Return where the settings say the live description is; None: the check is taken out of them."""
    chosen = runtime.integration(integration).flows.contract
    return None if chosen is None else chosen.address
