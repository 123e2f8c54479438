"""Checks the flows from SAP's master data: mappings, folders, values, and that one side leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.check_asperion import VALUES, check_values
from airflow_provider_asperion.cli.check_deployment import check_pool
from airflow_provider_asperion.cli.check_settings import check_mappings
from airflow_provider_asperion.cli.check_sftp import check_drop_folder
from airflow_provider_asperion.hooks import runtime

if TYPE_CHECKING:
    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import Integration, MasterData

# What SAP may lead: the flow, the flow the other way, and the setting that says which fields Asperion owns.
BOTH_WAYS = (
    ("customers_to_asperion", "customers_to_sap", "customer.keep"),
    ("products_to_asperion", "products_to_sap", "article.keep"),
)


async def check_master_data(
    report: Report, name: str, integration: Integration, *, ledger_works: bool
) -> None:
    """Check those flows that are switched on."""
    for here, there, keep in BOTH_WAYS:
        flow = getattr(integration.flows, here)
        if flow is None or not flow.enabled:
            continue
        check_mappings(report, flow)
        check_pool(report, flow.delivery.pool)
        await check_drop_folder(report, integration.sap.connection, flow.folder)
        if ledger_works:
            await _check_values(report, name, flow)
        back = getattr(integration.flows, there)
        if back is not None and back.enabled:
            text = f"{here} and {there} are both on: a field that both write goes back and forth"
            remedy = f"name in {keep} what Asperion leads, and give what SAP leads `send: create` in {there}"
            report.warn("who leads", text, remedy)


async def _check_values(report: Report, integration: str, flow: MasterData) -> None:
    with report.trying(VALUES), runtime.open_ledger() as ledger:
        async with runtime.asperion(integration, runtime.vault(ledger), in_flight=4) as asperion:
            await check_values(report, asperion, flow)
