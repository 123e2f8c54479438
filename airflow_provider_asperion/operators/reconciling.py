"""The work of reconciling: opens the sides, lets the flow compare them, keeps the statements."""

from __future__ import annotations

import datetime as dt
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.intake import place_of
from airflow_provider_asperion.flows.reconcile.orders import Reconciling, reconcile_orders
from airflow_provider_asperion.flows.reconcile.sent import ReconcilingSent, reconcile_sent
from airflow_provider_asperion.flows.to_sap.prepare import ledger_flow
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.ledger import statements as kept
from airflow_provider_asperion.operators.publishing import sap_mappings_of
from airflow_provider_asperion.operators.reading import preparer_of
from airflow_provider_asperion.sap.dropbox import Dropbox
from airflow_provider_asperion.settings import Reconcile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_asperion.flows.reconcile.statement import Statement

TO_SAP = ("products_to_sap", "stock_to_sap", "customers_to_sap", "orders_to_sap")


async def reconcile(
    integration: str,
    start: dt.datetime,
    end: dt.datetime,
    *,
    on_progress: Callable[[str], None] = lambda text: None,
) -> list[Statement]:
    """Reconcile all flows of an integration that are switched on, over an interval.

    :raises ProblemError, AsperionError: a side cannot be read.
    """
    flows = runtime.integration(integration).flows
    administration = await runtime.administration_of(integration)
    statements = []
    if flows.orders_to_asperion is not None and flows.orders_to_asperion.enabled:
        statements.append(await _orders(integration, administration, start, end, on_progress))
    statements += await _sent(integration, administration, start, end, on_progress)
    return statements


def keep(statements: Sequence[Statement], *, run: str) -> None:
    """Keep statements in the ledger, for the page."""
    with runtime.open_ledger() as ledger:
        for one in statements:
            ledger.run(
                kept.keep,
                integration=one.integration,
                administration=one.administration,
                flow=one.flow,
                start=one.start,
                end=one.end,
                run_id=run,
                differences=one.found,
                body=one.shortened().model_dump(mode="json"),
            )


async def _orders(
    integration: str,
    administration: str,
    start: dt.datetime,
    end: dt.datetime,
    on_progress: Callable[[str], None],
) -> Statement:
    flow = runtime.flow(integration, "orders_to_asperion")
    in_flight = (runtime.integration(integration).flows.reconcile or Reconcile()).in_flight
    connection = runtime.integration(integration).sap.connection
    async with (
        runtime.intake(integration, flow.folder, run="reconcile") as (_, dropbox, ledger),
        runtime.asperion(integration, runtime.vault(ledger), in_flight=in_flight) as asperion,
    ):
        await asperion.client.verify_administration()
        parts = Reconciling(
            integration=integration,
            administration=administration,
            place=place_of(connection, flow.folder.inbox),
            flow=flow,
            preparer=preparer_of(flow),
            dropbox=dropbox,
            ledger=ledger,
            asperion=asperion,
            in_flight=in_flight,
            on_progress=on_progress,
        )
        statement = await reconcile_orders(parts, start, end)
    on_progress(_in_words(statement))
    return statement


async def _sent(
    integration: str,
    administration: str,
    start: dt.datetime,
    end: dt.datetime,
    on_progress: Callable[[str], None],
) -> list[Statement]:
    """Reconcile the flows to SAP, each of their mappings by itself."""
    settings = runtime.integration(integration)
    flows = {name: getattr(settings.flows, name) for name in TO_SAP}
    flows = {name: flow for name, flow in flows.items() if flow is not None and flow.enabled}
    if not flows:
        return []
    rules, answers = settings.flows.reconcile or Reconcile(), settings.flows.answers_from_sap
    statements = []
    async with AsyncExitStack() as stack:
        ledger = stack.enter_context(runtime.open_ledger())
        client = await stack.enter_async_context(SapSftpHook(settings.sap.connection).client())
        asperion = None
        if "orders_to_sap" in flows and rules.amounts_to_sap:
            opened = runtime.asperion(integration, runtime.vault(ledger), in_flight=rules.in_flight)
            asperion = await stack.enter_async_context(opened)
        for name, flow in flows.items():
            answered = answers is not None and answers.enabled and flow.writing.format != "csv"
            for mapping in sap_mappings_of(flow):
                parts = ReconcilingSent(
                    integration=integration,
                    administration=administration,
                    ledger_flow=ledger_flow(name, mapping.name, integration),
                    flow=flow,
                    dropbox=Dropbox(client, flow.folder.drop_folder),
                    ledger=ledger,
                    asperion=asperion if name == "orders_to_sap" else None,
                    expects_answers=answered,
                    answer_within=dt.timedelta(hours=rules.answer_hours),
                )
                statements.append(await reconcile_sent(parts, start, end))
                on_progress(_in_words(statements[-1]))
    return statements


def _in_words(statement: Statement) -> str:
    return f"{statement.flow}: {statement.records} records, {statement.found} differences"
