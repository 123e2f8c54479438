"""Checks the settings file and the mappings that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.reading import mapping_of

if TYPE_CHECKING:
    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.settings import MasterData, OrdersToAsperion, Settings


def find_settings(report: Report, *, named: bool) -> Settings | None:
    """Load the settings; None when they are wrong.

    :param named: the command names the file, so that it must be there.
    """
    path = runtime.settings_path()
    with report.trying("settings"):
        if not path.exists():
            if named:
                report.fail("settings", f"there is no file {path}", "correct --settings")
                return None
            remedy = f"`asperion init {path.parent}` writes a commented one"
            report.warn("settings", f"there is no file {path}, the defaults count", remedy)
            return runtime.settings()
        settings = runtime.settings()
        report.ok("settings", f"{path} is valid; integrations: {', '.join(settings.integrations)}")
        return settings
    return None


def check_mappings(report: Report, flow: OrdersToAsperion | MasterData) -> None:
    """Compile each mapping and run the examples of its rows."""
    for name in flow.mappings:
        subject = f"mapping {name}"
        with report.trying(subject):
            mapping = mapping_of(flow, name)
            found = mapping.check()
            for problem in found:
                report.problem(subject, problem)
            if not found:
                report.ok(subject, f"{len(mapping.describe())} rows; their examples give what they say")
