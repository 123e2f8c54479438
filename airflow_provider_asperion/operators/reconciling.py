"""The work of reconciling: opens the sides, lets the flow compare them, keeps the statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.intake import place_of
from airflow_provider_asperion.flows.reconcile.orders import Reconciling, reconcile_orders
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import statements as kept
from airflow_provider_asperion.operators.reading import preparer_of
from airflow_provider_asperion.settings import Reconcile

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from airflow_provider_asperion.flows.reconcile.statement import Statement


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
    on_progress(f"{statement.flow}: {statement.records} records, {statement.found} differences")
    return statement
