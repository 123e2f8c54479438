"""Looks at what time brings and no run can see: files that do not come, silences that end, dead letters."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.flows.alerting import End, take_note
from airflow_provider_asperion.flows.arrivals import WINDOW, Watching
from airflow_provider_asperion.flows.intake import place_of
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import FLOWS
from airflow_provider_asperion.ledger import alerts, files, letters, watermarks
from airflow_provider_asperion.notifications.alarms import watched_flow
from airflow_provider_asperion.notifications.sending import send_waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.ledger.alerts import Alert
    from airflow_provider_asperion.notifications.sending import Log
    from airflow_provider_asperion.settings import Integration


def watch(integration: str, run: str, *, log: Log) -> dict[str, int]:
    """Look once; return how many alerts are open, messages were sent, and messages wait.

    :raises ProblemError: the ledger cannot be reached.
    """
    settings = runtime.integration(integration)
    with runtime.open_ledger() as ledger:
        for name, flow in expecting(settings):
            _look(ledger, integration, settings.sap.connection, name, flow, run)
        ledger.run(take_note, watched_flow(integration, "watch"), run, [], _no_failure)
        sent = send_waiting(ledger, integration, settings.notifications, log=log)
        with ledger.transaction(reading=True) as work:
            found = alerts.open_alerts(work, [integration])
            waiting = letters.waiting(work, integration)
    for alert in found:
        log.info("open since %s: %s", f"{alert.opened_at:%Y-%m-%d %H:%M} UTC", alert.group.problem)
    return {"open": len(found), "sent": sent, "waiting": len(waiting)}


def expecting(settings: Integration) -> Iterator[tuple[str, Any]]:
    """Yield the flows that say when files should come, with their settings."""
    for flow in FLOWS:
        chosen = getattr(settings.flows, flow.name)
        if chosen is not None and chosen.enabled and getattr(chosen, "expect", None) is not None:
            yield flow.name, chosen


def _look(ledger: Ledger, integration: str, connection: str, name: str, flow: Any, run: str) -> None:
    place = place_of(connection, flow.folder.inbox)
    # A moment from before anybody watched is no reason for an alarm.
    mark = f"watch/{name}"
    with ledger.transaction() as work:
        watermarks.move(work, integration, mark, dt.datetime.fromtimestamp(0, dt.UTC), run)
        since = watermarks.get(work, integration, mark)
        now = work.now
        arrived = files.arrivals(work, place, now - WINDOW)
    began = since.updated_at if since is not None else now
    watching = Watching(flow.expect, flow.timezone, began, flow.folder.inbox)
    seen, ended = watching.look(arrived, now)
    ledger.run(take_note, watched_flow(integration, name), run, seen, ended)


def _no_failure(alert: Alert) -> End | None:
    return "over" if alert.kind == "failure" else None
