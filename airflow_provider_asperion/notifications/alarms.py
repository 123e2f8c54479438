"""From a run that ended, or a task that failed, to alerts in the ledger and messages to people.

Whatever goes wrong in here is logged and no more: an alert that cannot be told never fails a flow.
"""

from __future__ import annotations

import asyncio
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.flows.alerting import End, Seen, Watched, take_note
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import BY_NAME, FLOWS
from airflow_provider_asperion.ledger import alerts, causes, circuits
from airflow_provider_asperion.ledger.refusals import NAMELESS
from airflow_provider_asperion.notifications.sending import send_waiting
from airflow_provider_asperion.records import Problem, ProblemGroup
from airflow_provider_asperion.records.groups import MOST_KEYS, Grouping
from airflow_provider_asperion.settings import DEFAULT_INTEGRATION

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.ledger.alerts import Alert, AlertKind
    from airflow_provider_asperion.ledger.causes import Cause
    from airflow_provider_asperion.ledger.circuits import Circuit
    from airflow_provider_asperion.ledger.search import Hit
    from airflow_provider_asperion.notifications.sending import Log

# The flow whose refused records the ledger keeps until they are done: of it is known what is over.
KEEPS_REFUSED = "orders_to_asperion"
# They say that a task before has failed, which is told already.
FOLLOWS = frozenset({"run.pending", "run.unpublished", "run.unread"})
CIRCUIT = "circuit.open"  # told when it opened
PACKAGE = Path(__file__).parents[1]


def run_ended(context: Context, *, integration: str, flow: str, well: bool, whole: bool, log: Log) -> None:
    """Tell what a run has come to; raises nothing.

    :param well: it ended well: what made earlier runs fail is over.
    :param whole: it looked at every record that there is.
    """
    if context["params"].get("dry_run"):
        return
    try:
        watched = watched_flow(integration, flow)
        run, administration = runtime.run_of(context), _administration(integration)
        with runtime.open_ledger() as ledger:
            seen = _seen(ledger, flow, run, administration, whole=whole)
            circuit = ledger.run(circuits.get, integration, flow)
            ended = _Endings(
                run=run,
                well=well,
                whole=whole,
                refused_known=flow == KEEPS_REFUSED and administration is not None,
                stopped=circuit is not None and circuit.state == "open",
            )
            ledger.run(take_note, watched, run, seen, ended)
            send_waiting(ledger, integration, watched.rules, log=log)
    except Exception as error:
        log.warning("[notification.untold] nobody was told how the run ended: %s", type(error).__name__)


def note_failure(context: Context, log: Log, *, integration: str | None = None) -> None:
    """Tell that a task has failed for good.

    A DAG that is none of a flow goes by its own name: whether it runs again is not seen here.

    :param integration: whose channels are used; None: that of the task.
    :raises Exception: whatever goes wrong.
    """
    if context["params"].get("dry_run"):
        return
    task, run = context["task"], runtime.run_of(context)
    found, flow = _flow_of(task, context["ti"].dag_id)
    integration = integration or found
    watched = watched_flow(integration, flow)
    problems = getattr(context.get("exception"), "problems", None)
    if not problems:
        problems = [_unexpected(task.task_id, context.get("exception"))]
    administration = _administration(integration)
    with runtime.open_ledger() as ledger:
        grouping = Grouping()
        for problem in problems:
            if problem.rule == CIRCUIT or (problem.rule in FOLLOWS and _told_of(ledger, watched, run)):
                continue
            grouping.add(problem.at(administration=administration))
        kind: AlertKind = "failure" if flow in BY_NAME or flow == "watch" else "incident"
        seen = [Seen(kind, group, adds=True) for group in grouping.groups()]
        ledger.run(take_note, watched, run, seen)
        send_waiting(ledger, integration, watched.rules, log=log)


def circuit_changed(ledger: Ledger, circuit: Circuit, problem: Problem, *, run: str, log: Log) -> None:
    """Tell that a flow was stopped by its circuit breaker, or goes on; raises nothing."""
    try:
        watched = watched_flow(circuit.integration, circuit.flow)
        problem = problem.at(administration=_administration(circuit.integration))
        seen = [Seen("circuit", ProblemGroup.of(problem))] if circuit.state == "open" else []
        ledger.run(take_note, watched, run, seen, _circuit_closed)
        send_waiting(ledger, circuit.integration, watched.rules, log=log)
    except Exception as error:
        log.warning("[notification.untold] nobody was told of the circuit: %s", type(error).__name__)


def watched_flow(integration: str, flow: str) -> Watched:
    """Return a flow with the rules of its integration."""
    return Watched(integration, flow, runtime.integration(integration).notifications)


def _seen(ledger: Ledger, flow: str, run: str, administration: str | None, *, whole: bool) -> list[Seen]:
    """Return what is wrong with a flow: refused records as they stand, and what the run has met."""
    found = []
    if flow == KEEPS_REFUSED and administration is not None:
        with ledger.transaction(reading=True) as work:
            kinds = BY_NAME[flow].kinds
            now = causes.causes(work, administration=administration, kinds=kinds, sample=MOST_KEYS)
        found = [Seen("state", _group(cause, administration)) for cause in now]
    known = {one.group.digest for one in found}
    with ledger.transaction(reading=True) as work:
        met = alerts.findings_of(work, run)
    for digest, group in met.items():
        if digest in known or group.problem.transient:
            continue
        group = group.model_copy(update={"problem": group.problem.at(administration=administration)})
        found.append(Seen("state", group) if whole else Seen("incident", group, adds=True))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endings:
    """Tells of an open alert that a run did not meet whether it is over.

    :param refused_known: which records are refused now was asked of the ledger.
    :param stopped: the flow stands still.
    """

    run: str
    well: bool
    whole: bool
    refused_known: bool
    stopped: bool

    def __call__(self, alert: Alert) -> End | None:
        over = {
            "failure": self.well and alert.run_id != self.run,
            "circuit": not self.stopped,  # also closed on a page, which tells nobody
            "state": self.whole or self.refused_known,
            "incident": self.whole,
        }
        return "over" if over.get(alert.kind, False) else None


def _group(cause: Cause, administration: str) -> ProblemGroup:
    problem = Problem(
        rule=cause.rule,
        field=cause.field,
        message=cause.message,
        remedy=cause.remedy,
        file=cause.sample[0].file,
        administration=administration,
    )
    return ProblemGroup(problem=problem, count=cause.count, records=tuple(map(_shown, cause.sample)))


def _shown(hit: Hit) -> str:
    """Return how people find a record; one that has no key by its place in its file."""
    if hit.kind != NAMELESS:
        return hit.key
    return f"{hit.file}, document {hit.key.rpartition('#')[2]}"


def _circuit_closed(alert: Alert) -> End | None:
    return "over" if alert.kind == "circuit" else None


def _told_of(ledger: Ledger, watched: Watched, run: str) -> bool:
    """Return whether an alert is open that says why a run cannot end well."""
    with ledger.transaction(reading=True) as work:
        found = alerts.open_alerts(work, [watched.integration])
    return any(
        one.kind == "circuit" or (one.kind == "failure" and one.run_id == run)
        for one in found
        if one.flow == watched.flow and one.group.problem.rule not in FOLLOWS
    )


def _unexpected(task: str, error: BaseException | str | None) -> Problem:
    """Say of an exception its type and where it was raised; its text may hold a value."""
    if not isinstance(error, BaseException):
        what, where = "the task was ended from outside", ""
    else:
        what, where = type(error).__name__, _where(error)
    return Problem(
        rule="run.failed",
        message=f"task {task} failed: {what}{where}",
        remedy="see the task's log in Airflow; clear the task to go on, or let the next run do it",
        field=f"{task}.{what.replace(' ', '_')}",
    )


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    for frame in reversed(ours or frames):
        path = Path(frame.filename)
        name = path.relative_to(PACKAGE.parent) if path.is_relative_to(PACKAGE) else path.name
        return f" at {name}, line {frame.lineno}, in {frame.name}"
    return ""


def _flow_of(task: Any, dag: str) -> tuple[str, str]:
    flow = getattr(task, "flow_name", None)
    if flow is not None and hasattr(task, "integration"):
        return task.integration, flow
    for one in FLOWS:
        name, _, integration = dag.partition("__")
        if name == one.dag:
            return integration or DEFAULT_INTEGRATION, one.name
    return DEFAULT_INTEGRATION, dag


def _administration(integration: str) -> str | None:
    with suppress(Exception):
        return asyncio.run(runtime.administration_of(integration))
    return None
