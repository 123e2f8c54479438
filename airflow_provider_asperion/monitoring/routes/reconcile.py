"""Reconcile: statements of files, ledger and the other side, side by side; and asking for a new one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, Response

from airflow_provider_asperion.flows.reconcile.compare import in_words
from airflow_provider_asperion.flows.reconcile.statement import Statement
from airflow_provider_asperion.flows.reconcile.table import as_csv
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import BY_NAME
from airflow_provider_asperion.hooks.triggering import trigger
from airflow_provider_asperion.ledger import DocumentKey, statements
from airflow_provider_asperion.monitoring.data import ask
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import page
from airflow_provider_asperion.monitoring.rights import RightsDep, forbidden

if TYPE_CHECKING:
    from airflow_provider_asperion.flows.reconcile.statement import Difference
    from airflow_provider_asperion.ledger.statements import Kept
    from airflow_provider_asperion.monitoring.rights import Rights

router = APIRouter()
FLOW = BY_NAME["reconcile"]
Id = Annotated[str, Path(pattern="^[0-9a-f]{40}$")]


@router.get("/reconcile", name="reconcile", response_class=HTMLResponse)
async def reconcile(request: Request, rights: RightsDep) -> HTMLResponse:
    """Show the latest statements, and the form for a new one."""
    return await _listed(request, rights)


@router.post("/reconcile", name="reconcile_now", response_class=HTMLResponse)
async def reconcile_now(request: Request, rights: RightsDep) -> HTMLResponse:
    """Trigger a run that reconciles an interval; its statements are on the page when it is done."""
    form = await check_form(request, rights.user)
    integration = str(form.get("integration", ""))
    if integration not in rights.readable():
        raise HTTPException(404, "there is no such integration")
    rights.need("trigger", FLOW, integration)
    start, end = _moment(form.get("start")), _moment(form.get("end"))
    if end <= start:
        raise HTTPException(422, "the end does not lie behind the begin")
    run = await run_in_threadpool(
        trigger,
        FLOW.dag_id(integration),
        {"reconcile_from": start.isoformat(), "reconcile_to": end.isoformat()},
        by="ui",
        user=str(rights.user.get_name()),
    )
    return await _listed(request, rights, started=(FLOW.dag_id(integration), run))


@router.get("/reconcile/{statement_id}", name="statement", response_class=HTMLResponse)
async def statement(request: Request, rights: RightsDep, statement_id: Id) -> HTMLResponse:
    """Show one statement, side by side, with each difference."""
    kept = await _kept(rights, statement_id)
    found = Statement.model_validate(kept.body)
    return page(
        request,
        rights,
        "statement.html",
        title="Reconcile",
        kept=kept,
        statement=found,
        record_id=lambda one: _record_id(found, one),
        in_words=in_words,
    )


@router.get("/reconcile/{statement_id}/statement.csv", name="statement_file")
async def statement_file(rights: RightsDep, statement_id: Id) -> Response:
    """Return a statement as a CSV file."""
    kept = await _kept(rights, statement_id)
    text = "".join(as_csv([Statement.model_validate(kept.body)]))
    name = (
        f"reconcile_{kept.flow.replace('/', '_')}_{kept.starts_at:%Y%m%dT%H%M}_{kept.ends_at:%Y%m%dT%H%M}.csv"
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # The mark lets spreadsheets see that it is UTF-8.
    return Response("\ufeff" + text, media_type="text/csv; charset=utf-8", headers=headers)


async def _listed(
    request: Request, rights: Rights, *, started: tuple[str, str] | None = None
) -> HTMLResponse:
    integrations = _mine(rights)
    found = await run_in_threadpool(ask, statements.newest, integrations)
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return page(
        request,
        rights,
        "reconcile.html",
        title="Reconcile",
        integrations=integrations,
        enabled=[name for name in integrations if _is_enabled(name)],
        found=found,
        started=started,
        start=today - dt.timedelta(days=1),
        end=today,
    )


async def _kept(rights: Rights, statement_id: str) -> Kept:
    kept = await run_in_threadpool(ask, statements.find, statement_id)
    if kept is None or kept.integration not in rights.readable():
        raise HTTPException(404, "there is no such statement")
    rights.need("trigger", FLOW, kept.integration)
    return kept


def _mine(rights: Rights) -> list[str]:
    """Return the integrations whose reconciliation the user may trigger: statements hold amounts.

    :raises HTTPException: 403, there is none.
    """
    found = [name for name in rights.readable() if rights.may("trigger", FLOW, name)]
    if not found:
        raise forbidden(f"this needs the right to trigger the DAG {FLOW.dag}")
    return found


def _is_enabled(integration: str) -> bool:
    chosen = runtime.settings().integrations[integration].flows.reconcile
    return chosen is not None and chosen.enabled


def _record_id(found: Statement, one: Difference) -> str:
    kind = one.kind or found.flow
    return DocumentKey(found.administration, kind, one.key).id


def _moment(text: object) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(str(text or ""))
    except ValueError:
        raise HTTPException(422, "this is no moment: write it as 2026-11-23T00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
