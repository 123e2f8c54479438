"""`asperion plan`: what would happen to orders, of local files or of the drop folder. Writes nothing.

Plans of master data are in plan_master_data.py, those of flows to SAP in plan_to_sap.py.
"""

from __future__ import annotations

import asyncio
import io
import sys
from typing import TYPE_CHECKING, NoReturn

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.definition import TO_SAP
from airflow_provider_asperion.cli.files import documents_of
from airflow_provider_asperion.cli.output import remark, show
from airflow_provider_asperion.cli.plan_table import as_json, as_table
from airflow_provider_asperion.cli.profiles import ORDERS, flow_of
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of, tell
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.delivering import plan_orders
from airflow_provider_asperion.operators.order_plans import OrdersToPlan
from airflow_provider_asperion.operators.reading import preparer_of
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK

if TYPE_CHECKING:
    import argparse

    from airflow_provider_asperion.sap.transfer import RemoteStream
    from airflow_provider_asperion.settings import OrdersToAsperion


def plan(arguments: argparse.Namespace) -> int:
    """Print what would happen; return 1 when the files or keys that were named hold no order."""
    _refuse_misuse(arguments)
    if arguments.flow in TO_SAP:
        from airflow_provider_asperion.cli.plan_to_sap import plan_to_sap

        return plan_to_sap(arguments)
    if arguments.flow != ORDERS:
        from airflow_provider_asperion.cli.plan_master_data import plan_master_data

        return plan_master_data(arguments)
    reach_connections()
    flow = flow_of(arguments, ORDERS)
    integration = integration_of(settings_of(arguments), arguments.integration)
    orders = OrdersToPlan(preparer_of(flow), arguments.keys, on_remark=remark)
    with missing_connections_told():
        if arguments.files:
            orders.add(documents_of(arguments.files, flow.reading))
        else:
            asyncio.run(_add_drop_folder(orders, integration, flow))
        planned = asyncio.run(plan_orders(orders.staged, integration, flow)) if orders.staged else []
    entries = sorted([*planned, *orders.refused], key=lambda entry: (entry.file, entry.position))
    shown = as_json if arguments.json else as_table
    for line in shown(entries, masked=arguments.masked):
        show(line)
    missing = [key for key in arguments.keys if key not in orders.met]
    for key in missing:
        remark(f"{key}: no file has an order of this number")
    return 1 if missing or (arguments.files and not planned) else 0


def _refuse_misuse(arguments: argparse.Namespace) -> None:
    """End with a usage error where arguments do not fit the flow or each other."""
    if arguments.flow in TO_SAP:
        if arguments.files:
            usage_error(f"{arguments.flow} reads Asperion: leave the files out")
        if arguments.changed_to and not arguments.changed_from:
            usage_error("--to needs --from")
        if arguments.changed_from and arguments.changed_to and arguments.changed_to < arguments.changed_from:
            usage_error("--to lies before --from")
        if arguments.limit is not None and arguments.limit < 0:
            usage_error("--limit is a number of records")
        return
    to_sap_only = {
        "--full": arguments.full,
        "--from": arguments.changed_from,
        "--to": arguments.changed_to,
        "--limit": arguments.limit is not None,
    }
    if wrong := [name for name, given in to_sap_only.items() if given]:
        usage_error(f"{', '.join(wrong)}: for flows to SAP; name one with --flow {'|'.join(TO_SAP)}")


def usage_error(text: str) -> NoReturn:
    """End the process as argparse does with a mistyped command."""
    print(f"asperion plan: error: {text}", file=sys.stderr)
    raise SystemExit(2)


async def _add_drop_folder(orders: OrdersToPlan, integration: str, flow: OrdersToAsperion) -> None:
    """Read the files that the next run would read, where they lie."""
    async with runtime.intake(integration, flow.folder, run="plan") as (intake, dropbox, _):
        files, problems = await intake.new_files()
        tell(problems)
        for file in files:
            async with dropbox.open(file.remote) as stream:
                await asyncio.to_thread(_add_stream, orders, stream, file.name, flow)


def _add_stream(orders: OrdersToPlan, stream: RemoteStream, name: str, flow: OrdersToAsperion) -> None:
    with io.BufferedReader(stream, BLOCK) as buffered:
        orders.add(read_documents(buffered, file=name, profile=flow.reading))
