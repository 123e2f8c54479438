"""Checks the flows from Asperion to SAP: mappings, folders, and whether the stock calculation can be had."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.check_sftp import removed, written
from airflow_provider_asperion.cli.definition import TO_SAP
from airflow_provider_asperion.flows.to_sap.stock import StockSource
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.operators.publishing import sap_mapping_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Article
    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import Flows, Integration, StockToSap, ToSap

MOST_LOOKED_AT = 2_000  # articles, in search of one with a warehouse; orders, of one that is open


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
    """Calculate the stock of an article: what Asperion does not tell cannot be calculated with.

    Of an article with warehouses, where the settings tell those apart.
    """
    with report.trying("stock calculation"), runtime.open_ledger() as ledger:
        source = StockSource(flow)
        async with runtime.asperion(integration, runtime.vault(ledger), in_flight=4) as asperion:
            source.check_names(asperion.names)
            article = await _article_to_try(asperion, with_warehouses=flow.per_warehouse)
            if source.sums_reservations:
                await _check_open_orders(report, asperion)
        if article is None:
            text = "Asperion has no article to try it on"
            report.warn("stock calculation", text, "make one, or check later")
            return
        levels = source.levels(article, dt.datetime.now(dt.UTC))
        places = ", ".join(level.warehouse for level in levels if level.warehouse)
        text = f"{flow.stock.expression or flow.stock.calculation} can be had for {article.code}"
        report.ok("stock calculation", text + (f" in {places}" if places else ""))
        for field in flow.stock.unmanaged:
            if field not in type(article).model_fields and field not in article.custom:
                text = f"{article.code} has no field {field}, which stock.unmanaged names"
                report.warn("stock calculation", text, "correct it, or name it in names.article.custom")
        if flow.per_warehouse and not places:
            text = f"none of the first {MOST_LOOKED_AT:,} articles tells a warehouse"
            report.warn("stock calculation", text, "see whether names.article.warehouses is right")


async def _check_open_orders(report: Report, asperion: Asperion) -> None:
    """See whether any order has a status that counts as open: else nothing would be reserved, silently."""
    found: Counter[str] = Counter()
    async for order in asperion.recent_documents("sales_order"):
        found[str(order.status)] += 1
        if found.total() == MOST_LOOKED_AT:
            break
    wanted = asperion.names.habits.open_order_statuses
    if found and not found.keys() & set(wanted):
        seen = ", ".join(f"{status} ({count:,})" for status, count in sorted(found.items()))
        report.warn(
            "stock reservations",
            f"no sales order has a status that counts as open ({', '.join(wanted)}); there are {seen}",
            "name those that reserve stock in names.habits.open_order_statuses",
        )


async def _article_to_try(asperion: Asperion, *, with_warehouses: bool) -> Article | None:
    """Return an article: one with warehouses where that is wanted and there is one among the first."""
    first, looked_at = None, 0
    async for article in asperion.articles():
        first, looked_at = first or article, looked_at + 1
        if article.warehouses or not with_warehouses:
            return article
        if looked_at == MOST_LOOKED_AT:
            break
    return first
