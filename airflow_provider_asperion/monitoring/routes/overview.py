"""The overview: each flow's last run, what it moved, what waits, and what needs a person now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import BY_NAME, FLOWS, Flow
from airflow_provider_asperion.ledger import alerts, causes, circuits, letters, runs
from airflow_provider_asperion.monitoring.data import Place, ask, ledger, places
from airflow_provider_asperion.monitoring.forms import check_form
from airflow_provider_asperion.monitoring.pages import address, page, tone
from airflow_provider_asperion.monitoring.rights import RightsDep  # noqa: TC001 - FastAPI reads it

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_asperion.ledger.alerts import Alert
    from airflow_provider_asperion.ledger.causes import Cause
    from airflow_provider_asperion.ledger.circuits import Circuit
    from airflow_provider_asperion.ledger.letters import Waiting
    from airflow_provider_asperion.ledger.runs import Run
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.monitoring.rights import Rights

router = APIRouter()
SHOWN_RUNS = 24
SHOWN_CAUSES = 3
# Refused records are shown as causes, stopped flows by their circuits.
SHOWN_ALERTS = ("incident", "failure", "late", "gap")
DAY = dt.timedelta(days=1)
# One a minute.
MOST_RUNS_OF_A_DAY = 1_440


@dataclass(frozen=True, slots=True)
class FlowView:
    """A flow as the overview shows it.

    :param enabled: it has a DAG.
    :param came: records of the runs of the last day; ``went``: those of them that ended well.
    :param waiting: documents without an end; ``refused``: those that wait for a person.
    :param unposted: records that SAP was sent and refused to post.
    """

    flow: Flow
    integration: str
    enabled: bool
    schedule: str | None
    last: Run | None
    recent: Sequence[Run]
    came: int
    went: int
    waiting: int
    refused: int
    unposted: int


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """An integration as the overview shows it.

    :param causes: why records are refused, the most frequent ones; ``more_causes`` are not shown.
    :param stopped: flows whose circuit breaker is open, and whether the user may let them run again.
    :param alerts: what else is wrong now: failed runs, late files, gaps.
    :param dead: messages that their channel did not take.
    """

    place: Place
    flows: tuple[FlowView, ...]
    causes: tuple[Cause, ...]
    more_causes: int
    stopped: tuple[tuple[Circuit, Flow, bool], ...]
    alerts: tuple[Alert, ...]
    dead: tuple[Waiting, ...]

    @property
    def quiet(self) -> bool:
        """True where nothing waits for a person."""
        return not (self.place.problem or self.causes or self.stopped or self.alerts or self.dead)


@router.get("/", name="overview", response_class=HTMLResponse)
async def overview(request: Request, rights: RightsDep) -> HTMLResponse:
    """Show all flows of the integrations that the user may read."""
    found = await places(rights.readable())
    views = await run_in_threadpool(_integrations, found, rights)
    return page(request, rights, "overview.html", integrations=views, title="Overview")


@router.get("/flow/{integration}/{name}", name="flow", response_class=HTMLResponse)
async def flow(request: Request, rights: RightsDep, integration: str, name: str) -> HTMLResponse:
    """Show the runs of one flow, as a list and as pictures."""
    if name not in BY_NAME or integration not in rights.readable():
        raise HTTPException(404, "there is no such flow")
    found = await run_in_threadpool(ask, runs.of_flow, integration, name, limit=100)
    return page(
        request, rights, "flow.html", flow=BY_NAME[name], integration=integration, runs=found, title="Runs"
    )


@router.post("/circuit", name="circuit")
async def close_circuit(request: Request, rights: RightsDep) -> RedirectResponse:
    """Let a flow run again that stopped because too many of its records were refused."""
    form = await check_form(request, rights.user)
    integration, name = str(form.get("integration", "")), str(form.get("flow", ""))
    if name not in BY_NAME or integration not in rights.readable():
        raise HTTPException(404, "there is no such flow")
    rights.need("trigger", BY_NAME[name], integration)
    await run_in_threadpool(ledger().run, circuits.reset, integration, name)
    return RedirectResponse(address(request, "/"), 303)


def _integrations(found: Iterable[Place], rights: Rights) -> list[IntegrationView]:
    return [ask(_integration, place, rights) for place in found]


def _integration(work: Work, place: Place, rights: Rights) -> IntegrationView:
    flows = runtime.settings().integrations[place.integration].flows
    newest = runs.newest(work, place.integration, BY_NAME)
    waiting = causes.waiting(work)
    unposted = causes.unposted(work)
    views = []
    for one in FLOWS:
        chosen: Any = getattr(flows, one.name)
        enabled = chosen is not None and chosen.enabled
        last = newest.get(one.name)
        if not enabled and last is None:
            continue
        since = work.now - DAY
        today = runs.of_flow(work, place.integration, one.name, since=since, limit=MOST_RUNS_OF_A_DAY)
        views.append(
            FlowView(
                flow=one,
                integration=place.integration,
                enabled=enabled,
                schedule=chosen.schedule if chosen is not None else None,
                last=last,
                recent=_recent(work, place.integration, one),
                came=sum(run.records for run in today),
                went=sum(
                    count for run in today for name, count in run.counts.items() if tone(name) == "good"
                ),
                waiting=_counted(waiting, place, one, ("open", "intended")),
                refused=_counted(waiting, place, one, causes.STATES),
                unposted=sum(
                    count
                    for (administration, kind), count in unposted.items()
                    if administration == place.administration and kind.partition("/")[0] in one.kinds
                ),
            )
        )
    found = causes.causes(work, administration=place.administration) if place.administration else []
    name = place.integration
    return IntegrationView(
        place=place,
        flows=tuple(views),
        causes=tuple(found[:SHOWN_CAUSES]),
        more_causes=max(0, len(found) - SHOWN_CAUSES),
        stopped=tuple(
            (one, BY_NAME[one.flow], rights.may("trigger", BY_NAME[one.flow], name))
            for one in circuits.circuits(work, [name])
            if one.flow in BY_NAME
        ),
        alerts=tuple(one for one in alerts.open_alerts(work, [name]) if one.kind in SHOWN_ALERTS),
        dead=tuple(letters.dead_letters(work, name)),
    )


def _recent(work: Work, integration: str, one: Flow) -> list[Run]:
    """Return the newest runs that had something to do, oldest first."""
    since = work.now - dt.timedelta(days=31)
    found = runs.of_flow(work, integration, one.name, since=since, limit=SHOWN_RUNS)
    return [run for run in reversed(found) if run.state != "idle"]


def _counted(waiting: dict[tuple[str, str, str], int], place: Place, one: Flow, states: Iterable[str]) -> int:
    return sum(
        count
        for (administration, kind, state), count in waiting.items()
        if administration == place.administration and kind.partition("/")[0] in one.kinds and state in states
    )
