"""Refused: each cause once, with its remedy; and trying again, one record, a cause or all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from airflow_provider_asperion.hooks.flows import BY_NAME, flow_of
from airflow_provider_asperion.hooks.triggering import trigger
from airflow_provider_asperion.ledger import causes
from airflow_provider_asperion.ledger.refusals import EVERYTHING
from airflow_provider_asperion.monitoring.data import Place, ask, places
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import page
from airflow_provider_asperion.monitoring.rights import RightsDep  # noqa: TC001 - FastAPI reads it

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.ledger.causes import Cause

router = APIRouter()
# Its runs read refused records again from the archive; of the other flows the next run does that.
RETRIED = BY_NAME["orders_to_asperion"]


@router.get("/refused", name="refused", response_class=HTMLResponse)
async def refused(request: Request, rights: RightsDep) -> HTMLResponse:
    """Show why records are refused, each cause once."""
    found = await places(rights.readable())
    groups = await run_in_threadpool(_groups, found)
    may_retry = {place.integration: rights.may("trigger", RETRIED, place.integration) for place in found}
    return page(
        request, rights, "refused.html", title="Refused", groups=groups, may_retry=may_retry, retried=RETRIED
    )


@router.post("/retry", name="retry", response_class=HTMLResponse)
async def retry(request: Request, rights: RightsDep) -> HTMLResponse:
    """Trigger a run that tries refused orders again, with today's mapping and settings."""
    form = await check_form(request, rights.user)
    integration, wanted = str(form.get("integration", "")), str(form.get("wanted", "")).strip()
    dry_run = form.get("dry_run") == "yes"
    if integration not in rights.readable():
        raise HTTPException(404, "there is no such integration")
    rights.need("trigger", RETRIED, integration)
    if not wanted:
        raise HTTPException(422, "say what to try again: an order number, a file, a cause, or * for all")
    run = await run_in_threadpool(
        trigger,
        RETRIED.dag_id(integration),
        {"retry": [wanted], "dry_run": dry_run},
        by="ui",
        user=str(rights.user.get_name()),
    )
    return page(
        request,
        rights,
        "retried.html",
        title="Trying again",
        wanted="all refused records" if wanted == EVERYTHING else wanted,
        dag=RETRIED.dag_id(integration),
        run=run,
        dry_run=dry_run,
    )


def _groups(found: Iterable[Place]) -> list[tuple[Place, list[dict[str, Any]]]]:
    return [(place, _told(place)) for place in found]


def _told(place: Place) -> list[dict[str, Any]]:
    if place.administration is None:
        return []
    return [
        {"cause": cause, "retried": _is_retried(cause)}
        for cause in ask(causes.causes, administration=place.administration)
    ]


def _is_retried(cause: Cause) -> bool:
    return any(flow_of(kind) is RETRIED for kind in cause.kinds)
