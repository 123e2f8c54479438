"""`asperion explain`: the trail of a record, as its page in Airflow shows it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.output import printable, show
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of
from airflow_provider_asperion.flows import story
from airflow_provider_asperion.hooks import evidence, runtime
from airflow_provider_asperion.hooks.flows import flow_of
from airflow_provider_asperion.ledger import DocumentKey, search
from airflow_provider_asperion.ledger.record import record, traced

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.ledger.record import RecordView
    from airflow_provider_asperion.ledger.trail import Event

MOST = 20


def explain(arguments: argparse.Namespace) -> int:
    """Tell what happened to the records that are called so; return 1 when there is none."""
    reach_connections()
    integration = integration_of(settings_of(arguments), arguments.integration)
    with missing_connections_told():
        administration = asyncio.run(runtime.administration_of(integration))
    text = arguments.key.strip()
    with runtime.open_ledger() as ledger:
        views = _views(ledger, text, administration)
        left_out = [] if views else ledger.run(traced, _orders(administration, text))
    for view in views:
        _show(view, as_json=arguments.json)
        if arguments.values:
            _show_values(asyncio.run(evidence.evidence(view, integration)))
    for key, events in left_out:
        show(printable(f"{key.kind.replace('_', ' ')} {key.key}: arrived, and was left out"))
        _show_events(events)
    if not views and not left_out:
        show(f"nothing is known of {printable(text)}")
        return 1
    return 0


def _views(ledger: Ledger, text: str, administration: str) -> list[RecordView]:
    hashed = runtime.vault(ledger).identity_hasher(keep=False)
    hashes = tuple(hashed(field, normal_form(field, text)) for field in ("email", "customer_number"))
    query = search.Query(text=text, hashes=hashes, administrations=(administration,))
    hits = ledger.run(search.search, query, limit=MOST).hits
    return [view for hit in hits if (view := ledger.run(record, hit.id)) is not None]


def _orders(administration: str, text: str) -> list[DocumentKey]:
    return [DocumentKey(administration, kind, text) for kind in ("sales_order", "sales_invoice")]


def _show(view: RecordView, *, as_json: bool) -> None:
    if as_json:
        show(json.dumps(_told(view), default=str))
        return
    hit, flow = view.hit, flow_of(view.hit.kind)
    known = f", {hit.asperion_id} in {'SAP' if hit.to_sap else 'Asperion'}" if hit.asperion_id else ""
    title = flow.title if flow is not None else hit.kind
    show(printable(f"{hit.key}: {hit.state}{known} ({title})"))
    for seen in view.sightings:
        show(printable(f"  in {seen.file.seen.name}, document {seen.position}; {seen.file.path}"))
    if view.purged_at is not None:
        show(f"  {view.purged_at:%Y-%m-%d %H:%M:%S}  What happened before was purged")
    _show_events(view.events)


def _show_events(events: Sequence[Event]) -> None:
    for event in events:
        show(printable(f"  {event.at:%Y-%m-%d %H:%M:%S}  {story.sentence(event)}"))
        for problem in event.problems:
            show(printable(f"                       {problem}"))
    show("")


def _told(view: RecordView) -> dict[str, Any]:
    events = [
        {
            "at": event.at,
            "event": event.name,
            "told": story.sentence(event),
            "run": event.run_id,
            "detail": dict(event.detail),
            "problems": [problem.model_dump(exclude_none=True) for problem in event.problems],
        }
        for event in view.events
    ]
    hit = asdict(view.hit)
    hit["problems"] = [problem.model_dump(exclude_none=True) for problem in view.hit.problems]
    places = [{"file": seen.file.seen.name, "position": seen.position} for seen in view.sightings]
    return hit | {"files": places, "events": events, "purged_at": view.purged_at}


def _show_values(found: evidence.Evidence) -> None:
    kept = [("then", side) for side in found.kept]
    for name, side in (("SAP", found.sap), ("Asperion", found.asperion), *kept):
        show(printable(f"  {name}: {side.source}{': ' + side.problem if side.problem else ''}"))
        for field, value in side.values:
            show(printable(f"    {field} = {value}"))
    show("")
