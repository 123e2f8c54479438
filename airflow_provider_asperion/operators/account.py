"""The account of a run in the ledger: its beginning, its end, its sums, as the pages show them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.interval import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.sdk import Context

    from airflow_provider_asperion.ledger.runs import RunState


class OfAFlow(Protocol):
    """What the operators of all flows have."""

    integration: str
    flow_name: ClassVar[str]

    @property
    def log(self) -> Any:
        """Its logger."""


@dataclass(slots=True)
class Account:
    """What a run comes to.

    :param files: those that it read or wrote.
    :param whole: it looked at every record that there is: a cause that it did not meet is gone.
    """

    files: int = 0
    whole: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)

    def take(self, summary: Mapping[str, Any]) -> None:
        """Take the sums from what a task returns."""
        self.files = summary.get("files", 0)
        self.counts = dict(summary.get("counts") or {})
        self.problems = dict(summary.get("problems") or {})


def begin(context: Context, integration: str, flow: str) -> None:
    """Put down that a run has something to do; a dry run leaves no trace."""
    from airflow_provider_asperion.ledger import runs

    if not parameters(context).dry_run:
        with runtime.open_ledger() as ledger:
            ledger.run(runs.begin, runtime.run_of(context), integration, flow)


def idle(context: Context, operator: OfAFlow, *, well: bool = True) -> None:
    """Put down that a run has looked and found nothing to do.

    :param well: False: the flow stands still.
    """
    begin(context, operator.integration, operator.flow_name)
    _end(context, "idle", Account())
    _tell(context, operator, well=well, whole=False)


@contextmanager
def ending(context: Context, operator: OfAFlow) -> Iterator[Account]:
    """Put down how the run ends, well or with the exception that leaves the block; and tell people."""
    account = Account()
    try:
        yield account
    except BaseException:
        _end(context, "failed", account)
        _tell(context, operator, well=False, whole=False)
        raise
    _end(context, "done", account)
    _tell(context, operator, well=True, whole=account.whole)


def _tell(context: Context, operator: OfAFlow, *, well: bool, whole: bool) -> None:
    from airflow_provider_asperion.notifications.alarms import run_ended

    run_ended(
        context,
        integration=operator.integration,
        flow=operator.flow_name,
        well=well,
        whole=whole,
        log=operator.log,
    )


def _end(context: Context, state: RunState, account: Account) -> None:
    from airflow_provider_asperion.ledger import runs

    if parameters(context).dry_run:
        return
    with runtime.open_ledger() as ledger:
        ledger.run(
            runs.end,
            runtime.run_of(context),
            state,
            files=account.files,
            counts=account.counts,
            problems=account.problems,
        )
