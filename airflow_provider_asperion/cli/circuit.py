"""`asperion circuit`: which flows stand still because too much was refused; and letting one go on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.output import printable, remark, show
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import circuits
from airflow_provider_asperion.notifications.alarms import circuit_changed
from airflow_provider_asperion.operators.breaking import open_problem

if TYPE_CHECKING:
    import argparse

log = logging.getLogger(__name__)


def circuit(arguments: argparse.Namespace) -> int:
    """Show the circuits that are open, or close one; return 1 when there is none to close."""
    reach_connections()
    integration = integration_of(settings_of(arguments), arguments.integration)
    with runtime.open_ledger() as ledger:
        with ledger.transaction(reading=True) as work:
            found = circuits.circuits(work, [integration])
        if arguments.action == "show":
            for one in found:
                problem = open_problem(one)
                show(printable(f"{one.flow}  since {one.opened_at:%Y-%m-%d %H:%M} UTC  {problem.message}"))
            if not found:
                show("every flow runs")
            return 0
        chosen = [one for one in found if one.flow == arguments.flow]
        if not chosen:
            remark(f"the circuit of {arguments.flow or 'no flow'} is not open; see `asperion circuit show`")
            return 1
        ledger.run(circuits.reset, integration, chosen[0].flow)
        closed = ledger.run(circuits.get, integration, chosen[0].flow)
        if closed is not None:
            circuit_changed(ledger, closed, open_problem(chosen[0]), run="", log=log)
    show(f"{chosen[0].flow} goes on with its next run")
    return 0
