"""`asperion retry`: refused orders are tried again, by a run of the DAG that reads them from the archive."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.output import printable, remark, show
from airflow_provider_asperion.cli.plan_table import counted, listed
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of
from airflow_provider_asperion.flows.intake import place_of
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import BY_NAME
from airflow_provider_asperion.hooks.patching import Patchable, patch
from airflow_provider_asperion.hooks.triggering import trigger
from airflow_provider_asperion.ledger import refusals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger.refusals import Refusal

FLOW = "orders_to_asperion"
SHOWN = 50


def retry(arguments: argparse.Namespace) -> int:
    """Trigger a run for refused orders; return 1 when there is none of those that were named."""
    reach_connections()
    wanted = [refusals.EVERYTHING] if arguments.all else arguments.wanted
    if not wanted:
        remark("name orders, files or rules, or say --all")
        return 2
    if any("=" not in one for one in arguments.set):
        remark("--set takes FIELD=VALUE")
        return 2
    integration = integration_of(settings_of(arguments), arguments.integration)
    with missing_connections_told():
        found = _found(integration, wanted)
    for line in _lines(found):
        show(line)
    if not found:
        return 1
    if arguments.set:
        if len(found) != 1:
            remark("--set changes one record: name just one")
            return 2
        _change(integration, found[0], arguments.set)
    if not arguments.list:
        # What was named, and not what it is today: a run that waits takes what has come meanwhile.
        run = trigger(
            BY_NAME[FLOW].dag_id(integration), {"retry": list(wanted), "dry_run": arguments.dry_run}, by="cli"
        )
        show(f"\nRun {run} was triggered.")
    return 0


def _found(integration: str, wanted: Sequence[str]) -> list[Refusal]:
    flow = runtime.flow(integration, FLOW)
    place = place_of(runtime.integration(integration).sap.connection, flow.folder.inbox)
    administration = asyncio.run(runtime.administration_of(integration))
    with runtime.open_ledger() as ledger:
        return ledger.run(refusals.refused, place, wanted, administration=administration)


def _change(integration: str, refusal: Refusal, changes: Sequence[str]) -> None:
    """Keep new values for fields of a record, for its next tries."""
    record = Patchable(refusal.key.id, refusal.file, refusal.position)
    with runtime.open_ledger() as ledger:
        for change in changes:
            field, _, value = change.partition("=")
            if value == "-":
                value = sys.stdin.readline().rstrip("\r\n")
            asyncio.run(patch(ledger, integration, record, field, value, by=getpass.getuser()))
            show(printable(f"{field}: changed for the next tries"))


def _lines(found: Sequence[Refusal]) -> list[str]:
    if not found:
        return ["there is no such refused record"]
    lines = [
        printable(f"{one.file.seen.name}  {_name(one)}  {', '.join(one.rules) or 'no end state'}")
        for one in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        lines.append(f"... and {len(found) - SHOWN:,} more")
    causes = Counter(rule for one in found for rule in set(one.rules))
    return [*lines, "", f"{counted(len(found), 'record')}: {listed(causes)}"]


def _name(refusal: Refusal) -> str:
    nameless = refusal.key.kind == refusals.NAMELESS
    return f"document {refusal.position}" if nameless else refusal.key.key
