"""Circuit breakers: a flow of which too many records are refused stops, until somebody closes it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select, update

from airflow_provider_asperion.ledger.tables import circuits as table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.work import Work

# A probe that has said nothing for so long is dead.
PROBE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Circuit:
    """The circuit breaker of a flow.

    :param state: ``closed``: the flow runs; ``open``: it is stopped.
    :param seen: records of the run that were counted; ``refused``: those of them that were refused.
    :param run_id: the run that they are of.
    :param opened_at: when it stopped.
    :param probe: who tries one batch now.
    """

    integration: str
    flow: str
    state: Literal["closed", "open"]
    run_id: str
    seen: int
    refused: int
    opened_at: dt.datetime | None
    probe: str | None


def circuits(work: Work, integrations: Sequence[str] | None = None) -> list[Circuit]:
    """Return the circuit breakers that are open, of some integrations or all."""
    statement = select(table).where(table.c.state == "open")
    if integrations is not None:
        statement = statement.where(table.c.integration.in_(integrations))
    rows = work.connection.execute(statement.order_by(table.c.integration, table.c.flow))
    return [_circuit(row) for row in rows]


def get(work: Work, integration: str, flow: str) -> Circuit | None:
    """Return the circuit breaker of a flow, None where nothing was counted yet."""
    row = work.connection.execute(select(table).where(_of(integration, flow))).first()
    return None if row is None else _circuit(row)


def admit(work: Work, integration: str, flow: str, who: str, cool_down: dt.timedelta) -> bool:
    """Ask whether a batch may begin.

    While the circuit is open the first one that asks after the cool-down may: it is the probe, alone until it
    has said what came of it, or is dead.

    :param who: names the batch: the same for each try of it.
    """
    row = work.connection.execute(select(table).where(_of(integration, flow)).with_for_update()).first()
    if row is None or row.state == "closed":
        return True
    if row.probe is not None and row.probe != who and row.probe_until > work.now:
        return False
    if row.probe != who and work.now < row.opened_at + cool_down:
        return False
    until = work.now + dt.timedelta(seconds=PROBE_SECONDS)
    _change(work, integration, flow, probe=who, probe_until=until)
    return True


def count(
    work: Work,
    integration: str,
    flow: str,
    *,
    run_id: str,
    who: str,
    seen: int,
    refused: int,
    minimum: int,
    share: float,
) -> Literal["opened", "closed"] | None:
    """Count what came of a batch; return what it did to the circuit.

    The batches of a run are added up. A probe is judged by itself.
    """
    begin: dict[str, Any] = {"integration": integration, "flow": flow, "state": "closed", "run_id": run_id}
    begin |= {"seen": 0, "refused": 0, "updated_at": work.now}
    work.connection.execute(work.insert_missing(table).values(begin))
    row = work.connection.execute(select(table).where(_of(integration, flow)).with_for_update()).one()
    values: dict[str, Any] = {"run_id": run_id, "seen": seen, "refused": refused}
    if row.state == "open":
        if row.probe != who:
            return None
        if not seen:  # nothing of it came to an end: the next batch is the probe
            _change(work, integration, flow, probe=None, probe_until=None)
            return None
        bad = refused > 0 and refused >= seen * share
        values |= {"state": "open", "opened_at": work.now} if bad else {"state": "closed", "opened_at": None}
        _change(work, integration, flow, probe=None, probe_until=None, **values)
        return None if bad else "closed"
    if row.run_id == run_id:
        seen, refused = seen + row.seen, refused + row.refused
        values |= {"seen": seen, "refused": refused}
    opens = seen >= minimum and refused > 0 and refused >= seen * share
    if opens:
        values |= {"state": "open", "opened_at": work.now}
    _change(work, integration, flow, **values)
    return "opened" if opens else None


def reset(work: Work, integration: str, flow: str) -> bool:
    """Close a circuit by hand; False when it was not open."""
    statement = update(table).where(_of(integration, flow), table.c.state == "open")
    values: dict[str, Any] = {"state": "closed", "seen": 0, "refused": 0, "opened_at": None}
    values |= {"probe": None, "probe_until": None, "updated_at": work.now}
    return work.connection.execute(statement.values(values)).rowcount > 0


def _of(integration: str, flow: str) -> Any:
    return (table.c.integration == integration) & (table.c.flow == flow)


def _change(work: Work, integration: str, flow: str, **values: Any) -> None:
    statement = update(table).where(_of(integration, flow))
    work.connection.execute(statement.values(**values, updated_at=work.now))


def _circuit(row: Row[Any]) -> Circuit:
    return Circuit(
        integration=row.integration,
        flow=row.flow,
        state=row.state,
        run_id=row.run_id,
        seen=row.seen,
        refused=row.refused,
        opened_at=row.opened_at,
        probe=row.probe,
    )
