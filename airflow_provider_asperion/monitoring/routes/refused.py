"""Refused: each cause once, with its remedy; and trying again, one record, a cause or all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanSummary
from airflow_provider_asperion.hooks.flows import BY_NAME, flow_of
from airflow_provider_asperion.hooks.triggering import trigger
from airflow_provider_asperion.ledger import causes
from airflow_provider_asperion.ledger.refusals import EVERYTHING
from airflow_provider_asperion.monitoring.data import Place, ask, places, unreachable
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import page
from airflow_provider_asperion.monitoring.rights import RightsDep  # noqa: TC001 - FastAPI reads it
from airflow_provider_asperion.operators.order_plans import plan_retry
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.ledger.causes import Cause
    from airflow_provider_asperion.monitoring.rights import Rights

router = APIRouter()
# Its runs read refused records again from the archive; of the other flows the next run does that.
RETRIED = BY_NAME["orders_to_asperion"]
# A page is there to be looked at; a run of the DAG plans any number.
MOST_PLANNED = 100


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
    integration, wanted = await _asked(request, rights)
    run = await run_in_threadpool(
        trigger,
        RETRIED.dag_id(integration),
        {"retry": [wanted], "dry_run": False},
        by="ui",
        user=str(rights.user.get_name()),
    )
    return page(
        request,
        rights,
        "retried.html",
        title="Trying again",
        wanted=_in_words(wanted),
        dag=RETRIED.dag_id(integration),
        run=run,
    )


@router.post("/plan", name="plan", response_class=HTMLResponse)
async def plan(request: Request, rights: RightsDep) -> HTMLResponse:
    """Show what trying refused orders again would do, now; nothing is written."""
    integration, wanted = await _asked(request, rights)
    try:
        found = await plan_retry(integration, [wanted], most=MOST_PLANNED)
    except AsperionError as error:
        raise ProblemError(to_problem(error)) from None
    except OSError as error:
        raise ProblemError(unreachable(error)) from None
    return page(
        request,
        rights,
        "planned.html",
        title="What would happen",
        found=found,
        summary=PlanSummary.of(found.entries),
        integration=integration,
        wanted=wanted,
        in_words=_in_words(wanted),
    )


async def _asked(request: Request, rights: Rights) -> tuple[str, str]:
    """Return the integration and what is to be tried again, for one who may.

    :raises HTTPException: 403, 404, 422.
    """
    form = await check_form(request, rights.user)
    integration, wanted = str(form.get("integration", "")), str(form.get("wanted", "")).strip()
    if integration not in rights.readable():
        raise HTTPException(404, "there is no such integration")
    rights.need("trigger", RETRIED, integration)
    if not wanted:
        raise HTTPException(422, "say what to try again: an order number, a file, a cause, or * for all")
    return integration, wanted


def _in_words(wanted: str) -> str:
    return "all refused records" if wanted == EVERYTHING else wanted


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
