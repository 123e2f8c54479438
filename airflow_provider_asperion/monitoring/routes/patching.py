"""Changing a value of one refused record for its next try: encrypted, for some hours, the file untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.patching import PATCHED, Patchable, patch
from airflow_provider_asperion.ledger.patches import PatchBook
from airflow_provider_asperion.monitoring.data import ledger, unreachable
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import address
from airflow_provider_asperion.monitoring.rights import RightsDep  # noqa: TC001 - FastAPI reads it
from airflow_provider_asperion.monitoring.routes.activity import view_of
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.record import RecordView
    from airflow_provider_asperion.monitoring.rights import Rights
    from airflow_provider_asperion.monitoring.routes.activity import Told

router = APIRouter()
LONGEST_PATH = 300


@router.post("/record/{record_id}/patch", name="patch")
async def put(request: Request, rights: RightsDep, record_id: str) -> Response:
    """Keep a value for a field of a refused record."""
    form, record, integration, field = await _asked(request, rights, record_id)
    by = str(rights.user.get_name())
    try:
        await patch(ledger(), integration, record, field, str(form.get("value", "")), by=by)
    except OSError as error:
        raise ProblemError(unreachable(error)) from None
    return _back(request, record_id, "changed")


@router.post("/record/{record_id}/unpatch", name="unpatch")
async def take_back(request: Request, rights: RightsDep, record_id: str) -> Response:
    """Forget the value of a field."""
    _, record, _, field = await _asked(request, rights, record_id)
    book = PatchBook(ledger(), runtime.cipher())
    gone = await run_in_threadpool(book.take_back, record.place, field, by=str(rights.user.get_name()))
    return _back(request, record_id, "taken_back" if gone else "nothing")


async def _asked(
    request: Request, rights: Rights, record_id: str
) -> tuple[dict[str, Any], Patchable, str, str]:
    """Return form, record, integration and field, for one who may change it.

    :raises HTTPException: 403, 404, 409, 422.
    """
    form = await check_form(request, rights.user)
    view, integration = await view_of(rights, record_id)
    rights.need("trigger", PATCHED, integration)
    field = str(form.get("field", "")).strip()
    if not field or len(field) > LONGEST_PATH:
        raise HTTPException(422, "say which field to change")
    return form, _patchable(view), integration, field


def _patchable(view: RecordView) -> Patchable:
    if view.hit.state != "refused" or view.hit.kind not in PATCHED.kinds or not view.sightings:
        raise HTTPException(409, "only a refused record that stood in a file can be changed")
    seen = view.sightings[0]
    return Patchable(view.hit.id, seen.file, seen.position)


def _back(request: Request, record_id: str, told: Told) -> Response:
    path = f"/record/{record_id}?{urlencode({'told': told})}"
    return RedirectResponse(address(request, path), 303)
