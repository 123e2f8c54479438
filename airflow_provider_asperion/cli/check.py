"""`asperion check`: everything that must be right before the flows can run, tried for real."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.check_asperion import check_asperion
from airflow_provider_asperion.cli.check_deployment import (
    check_dags,
    check_pool,
    check_state,
    check_triggerer,
)
from airflow_provider_asperion.cli.check_master_data import check_master_data
from airflow_provider_asperion.cli.check_notifications import (
    check_circuits,
    check_letters,
    check_notifications,
)
from airflow_provider_asperion.cli.check_settings import check_mappings, find_settings
from airflow_provider_asperion.cli.check_sftp import check_drop_folder, check_sftp
from airflow_provider_asperion.cli.check_to_sap import (
    check_folders,
    check_mappings_to_sap,
    check_stock,
    enabled,
)
from airflow_provider_asperion.cli.findings import Report
from airflow_provider_asperion.cli.output import show
from airflow_provider_asperion.cli.plan_table import counted
from airflow_provider_asperion.cli.running import integration_of, reach_connections

if TYPE_CHECKING:
    import argparse

    from airflow_provider_asperion.settings import Integration, Settings


def check(arguments: argparse.Namespace) -> int:
    """Check all integrations, or the one that is named; return 1 when something fails."""
    if arguments.contract is not False:
        from airflow_provider_asperion.cli.check_contract import check_contract

        return check_contract(arguments)
    reach_connections()
    report = Report()
    settings = find_settings(report, named=arguments.settings is not None)
    if settings is not None:
        chosen = [integration_of(settings, arguments.integration)] if arguments.integration else None
        ledger_works = check_state(report, settings)
        for name in chosen or settings.integrations:
            _check_integration(report, settings, name, ledger_works=ledger_works)
        check_dags(report, settings)
        check_triggerer(report, settings)
    counts = report.counts
    show(f"\n{counts['OK']} OK, {counted(counts['WARN'], 'warning')}, {counted(counts['FAIL'], 'failure')}")
    return 1 if counts["FAIL"] else 0


def _check_integration(report: Report, settings: Settings, name: str, *, ledger_works: bool) -> None:
    integration = settings.integrations[name]
    if len(settings.integrations) > 1:
        show(f"\n{name}")
    flow = integration.flows.orders_to_asperion
    if flow is None or not flow.enabled:
        report.warn("flows", "orders_to_asperion is not enabled", "set flows.orders_to_asperion.enabled")
    else:
        check_mappings(report, flow)
        check_pool(report, flow.delivery.pool)
        asyncio.run(check_sftp(report, integration.sap.connection, flow.folder))
        if ledger_works:
            asyncio.run(check_asperion(report, name, integration.asperion, flow))
    _check_to_sap(report, integration, name, ledger_works=ledger_works)
    if not report.counts["FAIL"]:
        asyncio.run(check_master_data(report, name, integration, ledger_works=ledger_works))
    answers = integration.flows.answers_from_sap
    if answers is not None and answers.enabled and not report.counts["FAIL"]:
        asyncio.run(check_drop_folder(report, integration.sap.connection, answers.folder))
    check_notifications(report, name, integration.notifications)
    if ledger_works:
        check_letters(report, name)
        check_circuits(report, name)


def _check_to_sap(report: Report, integration: Integration, name: str, *, ledger_works: bool) -> None:
    flows = dict(enabled(integration.flows))
    if not flows or report.counts["FAIL"]:
        return  # what fails above would fail here once more
    for flow in flows.values():
        check_mappings_to_sap(report, flow)
    asyncio.run(check_folders(report, integration))
    if ledger_works and integration.flows.stock_to_sap is not None and "stock_to_sap" in flows:
        asyncio.run(check_stock(report, name, integration.flows.stock_to_sap))
