"""The account of a run in the ledger: its beginning, its end, its sums, as the pages show them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.interval import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow.sdk import Context

    from airflow_provider_asperion.ledger.runs import RunState


@dataclass(slots=True)
class Account:
    """What a run comes to. ``files`` are those that it read or wrote."""

    files: int = 0
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


def idle(context: Context, integration: str, flow: str) -> None:
    """Put down that a run has looked and found nothing to do."""
    begin(context, integration, flow)
    _end(context, "idle", Account())


@contextmanager
def ending(context: Context) -> Iterator[Account]:
    """Put down how the run ends: well, or with the exception that leaves the block."""
    account = Account()
    try:
        yield account
    except BaseException:
        _end(context, "failed", account)
        raise
    _end(context, "done", account)


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
