"""The circuit breaker at work: asks before a batch, counts after it, tells people when it opens or closes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.ledger import circuits
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.ledger.circuits import Circuit
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.settings.watching import CircuitRules


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit breaker of a flow in the hands of a task; without a share in the settings it does nothing.

    :param who: names the batch of the task: the same for each try.
    """

    ledger: Ledger
    integration: str
    flow: str
    rules: CircuitRules
    run: str
    who: str
    log: Logger

    def admit(self) -> None:
        """Ask whether a batch may begin.

        :raises ProblemError: the circuit is open; transient while another batch is being tried.
        """
        cool_down = dt.timedelta(minutes=self.rules.cool_down_minutes)
        if self.rules.share is None:
            return
        if self.ledger.run(circuits.admit, self.integration, self.flow, self.who, cool_down):
            return
        found = self.ledger.run(circuits.get, self.integration, self.flow)
        if found is not None and found.state == "open":
            raise ProblemError(open_problem(found, trying=found.probe is not None))

    def count(self, counts: Mapping[str, int], *, refused: int | None = None) -> bool:
        """Count what came of a batch; return False when the circuit is open now.

        :param counts: records by outcome; those that are pending count for nothing.
        :param refused: how many were refused, where ``counts`` does not say.
        """
        if self.rules.share is None:
            return True
        bad = counts.get("refused", 0) if refused is None else refused
        seen = sum(counts.values()) - counts.get("pending", 0)
        change = self.ledger.run(
            circuits.count,
            self.integration,
            self.flow,
            run_id=self.run,
            who=self.who,
            seen=seen,
            refused=bad,
            minimum=self.rules.minimum,
            share=self.rules.share,
        )
        found = self.ledger.run(circuits.get, self.integration, self.flow)
        if change is not None and found is not None:
            self._tell(found)
        return found is None or found.state == "closed"

    def stopped(self) -> Problem:
        """Return why the flow stands still."""
        found = self.ledger.run(circuits.get, self.integration, self.flow)
        if found is None:
            raise AssertionError("a circuit that is open was counted")
        return open_problem(found)

    def _tell(self, found: Circuit) -> None:
        from airflow_provider_asperion.notifications.alarms import circuit_changed

        if found.state == "open":
            self.log.error("%s", open_problem(found))
        else:
            self.log.info("the circuit of %s is closed: the flow goes on", self.flow)
        circuit_changed(self.ledger, found, open_problem(found), run=self.run, log=self.log)


def stops(ledger: Ledger, integration: str, flow: str, rules: CircuitRules) -> Problem | None:
    """Return why a run of a flow need not begin: its circuit is open, and no batch may be tried yet."""
    if rules.share is None:
        return None
    with ledger.transaction(reading=True) as work:
        found, now = circuits.get(work, integration, flow), work.now
    if found is None or found.state != "open" or found.opened_at is None:
        return None
    if now >= found.opened_at + dt.timedelta(minutes=rules.cool_down_minutes):
        return None
    return open_problem(found)


def open_problem(found: Circuit, *, trying: bool = False) -> Problem:
    """Say that a circuit is open.

    :param trying: a batch is being tried; when that is good the others may go on.
    """
    details: dict[str, Any] = {"flow": found.flow, "transient": trying}
    return Problem(
        rule="circuit.open",
        message=f"the flow stands still: {found.refused:,} of {found.seen:,} records were refused"
        + ("; one batch is being tried now" if trying else ""),
        remedy="remove the cause that the page Refused tells, then `asperion circuit reset --flow "
        f"{found.flow}`; or wait: after the cool-down one batch is tried. Nothing is lost",
        **details,
    )
