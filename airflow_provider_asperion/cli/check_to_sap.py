"""Checks the flows from Asperion to SAP: mappings, folders, and whether the stock calculation can be had."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.check_sftp import removed, written
from airflow_provider_asperion.flows.to_sap.stock import StockCalculator, stock_of
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.operators.publishing import sap_mapping_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import Flows, Integration, StockToSap, ToSap

TO_SAP = ("products_to_sap", "stock_to_sap", "customers_to_sap", "orders_to_sap")


def enabled(flows: Flows) -> Iterator[tuple[str, ToSap]]:
    """Yield name and settings of the flows to SAP that are switched on."""
    for name in TO_SAP:
        flow = getattr(flows, name)
        if flow is not None and flow.enabled:
            yield name, flow


def check_mappings_to_sap(report: Report, flow: ToSap) -> None:
    """Compile each mapping and run the examples of its rows."""
    for name in flow.mappings:
        subject = f"mapping {name}"
        with report.trying(subject):
            mapping = sap_mapping_of(flow, name)
            found = mapping.check()
            for problem in found:
                report.problem(subject, problem)
            if not found:
                report.ok(subject, f"{len(mapping.send)} rows; their examples give what they say")


async def check_folders(report: Report, integration: Integration) -> None:
    """Try to write into each folder from which SAP fetches; leaves nothing behind but the folders."""
    folders = {flow.folder.folder for _, flow in enabled(integration.flows)}
    with report.trying("sftp out"):
        async with SapSftpHook(integration.sap.connection).get_managed_conn() as client:
            for folder in sorted(folders):
                with report.trying("sftp out"):
                    await removed(client, await written(client, folder))
                    report.ok("sftp out", f"files can be written, renamed and deleted in {folder}")


async def check_stock(report: Report, integration: str, flow: StockToSap) -> None:
    """Calculate the stock of one article: what Asperion does not tell cannot be calculated with."""
    with report.trying("stock calculation"), runtime.open_ledger() as ledger:
        calculate = StockCalculator(flow.stock)
        async with runtime.asperion(integration, runtime.vault(ledger), in_flight=4) as asperion:
            async for article in asperion.articles():
                stock_of(
                    article, calculate, flow.stock, reserved=Decimal(0), observed_at=dt.datetime.now(dt.UTC)
                )
                text = f"{flow.stock.expression or flow.stock.calculation} can be had for {article.code}"
                report.ok("stock calculation", text)
                return
        report.warn("stock calculation", "Asperion has no article to try it on", "make one, or check later")
