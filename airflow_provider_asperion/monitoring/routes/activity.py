"""Activity: find a record by what people know of it, and read its trail."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.flows import story
from airflow_provider_asperion.hooks import evidence, runtime
from airflow_provider_asperion.hooks.flows import BY_NAME, FLOWS, flow_of
from airflow_provider_asperion.ledger import DocumentKey, patches, search
from airflow_provider_asperion.ledger.record import RecordView, record, traced
from airflow_provider_asperion.monitoring.data import Place, ask, hasher, places
from airflow_provider_asperion.monitoring.pages import address, page
from airflow_provider_asperion.monitoring.rights import RightsDep  # noqa: TC001 - FastAPI reads it

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_asperion.ledger.trail import Event
    from airflow_provider_asperion.monitoring.rights import Rights

router = APIRouter()
STATES = ("refused", "held", "open", "done", "sent", "posted", "failed")
# What was done just now, for the page of the record; no text of an address gets on a page.
Told = Literal["", "changed", "taken_back", "nothing"]
_TOLD = {
    "changed": "The value is changed for the next try. See what would happen, or try again now.",
    "taken_back": "The value is as in the file again.",
    "nothing": "There was no change to take back.",
}
_HOURS = {"1h": 1, "24h": 24, "7d": 24 * 7, "30d": 24 * 30}


@router.get("/activity", name="activity")
async def activity(
    request: Request,
    rights: RightsDep,
    text: Annotated[str, Query(max_length=500)] = "",
    flow: Annotated[str, Query(max_length=60)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    period: Annotated[str, Query(max_length=3)] = "",
    after: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Show the records that fit, the last touched first."""
    known = await places(rights.readable())
    text = "".join(sign for sign in text if sign.isprintable()).strip()
    query = search.Query(
        text=text,
        hashes=await run_in_threadpool(_hashes, text) if text else (),
        kinds=BY_NAME[flow].kinds if flow in BY_NAME else (),
        states=(state,) if state in STATES else (),
        administrations=tuple(place.administration for place in known if place.administration),
        since=dt.datetime.now(dt.UTC) - dt.timedelta(hours=_HOURS[period]) if period in _HOURS else None,
    )
    found = await run_in_threadpool(ask, search.search, query, after=after or None)
    if len(found.hits) == 1 and text and not after and found.hits[0].key == text:
        return RedirectResponse(address(request, f"/record/{found.hits[0].id}"), 303)
    left_out = []
    if text and not found.hits and not after:
        left_out = await run_in_threadpool(ask, traced, _candidates(text, known))
    asked = {"text": text, "flow": flow, "state": state, "period": period}
    return page(
        request,
        rights,
        "activity.html",
        title="Activity",
        found=found,
        asked=asked,
        left_out=[(key, [_told(event, {}) for event in events]) for key, events in left_out],
        all_flows=FLOWS,
        states=STATES,
        periods=_HOURS,
    )


@router.get("/record/{record_id}", name="record", response_class=HTMLResponse)
async def show(
    request: Request,
    rights: RightsDep,
    record_id: str,
    told: Told = "",
) -> HTMLResponse:
    """Show all that is known of a record, but for its values."""
    view, integration = await view_of(rights, record_id)
    return await _page(request, rights, view, integration, None, told=told)


@router.get("/record/{record_id}/values", name="values", response_class=HTMLResponse)
async def values(request: Request, rights: RightsDep, record_id: str) -> HTMLResponse:
    """Show the values of both sides too, read again now, to those who may trigger the flow's DAG."""
    view, integration = await view_of(rights, record_id)
    rights.need("trigger", flow_of(view.hit.kind) or FLOWS[0], integration)
    return await _page(request, rights, view, integration, await evidence.evidence(view, integration))


async def _page(
    request: Request,
    rights: Rights,
    view: RecordView,
    integration: str,
    found: evidence.Evidence | None,
    *,
    told: Told = "",
) -> HTMLResponse:
    flow = flow_of(view.hit.kind)
    changed = await run_in_threadpool(ask, patches.of_document, view.hit.id)
    return page(
        request,
        rights,
        "record.html",
        title=view.hit.key,
        view=view,
        flow=flow,
        integration=integration,
        events=[_told(event, view.tasks) for event in view.events],
        evidence=found,
        patches=changed,
        patch_hours=runtime.settings().ledger.patch_hours,
        told=_TOLD.get(told),
        may_see=flow is not None and rights.may("trigger", flow, integration),
    )


async def view_of(rights: Rights, record_id: str) -> tuple[RecordView, str]:
    """Return a record and its integration.

    :raises HTTPException: 404, it is not there or not for this user.
    """
    view = await run_in_threadpool(ask, record, record_id)
    known = await places(rights.readable())
    integration = next(
        (place.integration for place in known if view and place.administration == view.hit.administration),
        None,
    )
    if view is None or integration is None:
        raise HTTPException(404, "there is no such record, or it is not yours to see")
    return view, integration


def _told(event: Event, tasks: Mapping[str, str]) -> dict[str, Any]:
    """Return an event as the pages show it: a sentence, facts, problems, and where it happened."""
    return {
        "at": event.at,
        "sentence": story.sentence(event),
        "facts": story.facts(event),
        "problems": event.problems,
        "name": event.name,
        "run_id": event.run_id,
        "log": _log(event.run_id, tasks.get(event.session_id, "")),
    }


def _log(run_id: str, owner: str) -> str | None:
    """Return the address, below that of Airflow, of the log of a task: ``dag/run/task/map index/try``."""
    dag, _, run = run_id.partition("/")
    parts = owner.removeprefix(f"{run_id}/").split("/")
    if not owner.startswith(f"{run_id}/") or len(parts) != 3:
        return None
    task, index, attempt = parts
    mapped = f"/mapped/{index}" if index.isdecimal() else ""
    return f"/dags/{quote(dag)}/runs/{quote(run)}/tasks/{quote(task)}{mapped}?try_number={quote(attempt)}"


def _hashes(text: str) -> tuple[str, ...]:
    """Return under which keys the ledger may know a person or customer who is called so."""
    hashed = hasher()
    return tuple(hashed(field, normal_form(field, text)) for field in ("email", "customer_number"))


def _candidates(text: str, known: Sequence[Place]) -> list[DocumentKey]:
    kinds = ("sales_order", "sales_invoice")
    return [
        DocumentKey(place.administration, kind, text)
        for place in known
        if place.administration
        for kind in kinds
    ]
