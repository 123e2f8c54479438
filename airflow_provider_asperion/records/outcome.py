"""Outcomes: the end state of one record in one run, and the sums by which a run is closed."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from airflow_provider_asperion.records.base import Record
from airflow_provider_asperion.records.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["created", "adopted", "updated", "skipped", "filtered", "refused", "pending"]
END_STATES: frozenset[State] = frozenset({"created", "adopted", "updated", "skipped", "filtered", "refused"})


class Outcome(Record):
    """What became of one record.

    ``created``: placed by this run. ``adopted``: it was in Asperion already, and the ledger now knows it.
    ``updated``: master data that differed. ``skipped``: nothing was to be done. ``filtered``: the settings
    say it does not travel. ``refused``: it breaks a rule, see ``problems``. ``pending``: no answer yet; the
    next run goes on with it.
    """

    record: str
    state: State
    file: str
    position: int
    amount: Decimal = Decimal(0)
    asperion_id: str | None = None
    problems: tuple[Problem, ...] = ()
    note: str | None = None


class Tally(Record):
    """Counts and amounts by state, and how many problems there were by rule and field."""

    counts: dict[str, int] = Field(default_factory=dict)
    amounts: dict[str, Decimal] = Field(default_factory=dict)
    problems: dict[str, int] = Field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Tally:
        """Add outcomes up."""
        counts: Counter[str] = Counter()
        amounts: dict[str, Decimal] = {}
        problems: Counter[str] = Counter()
        for outcome in outcomes:
            counts[outcome.state] += 1
            amounts[outcome.state] = amounts.get(outcome.state, Decimal(0)) + outcome.amount
            problems.update(
                f"{problem.rule} {problem.field}" if problem.field else problem.rule
                for problem in outcome.problems
            )
        return cls(counts=dict(counts), amounts=amounts, problems=dict(problems))

    def plus(self, other: Tally) -> Tally:
        """Return the sum of two tallies."""
        amounts = dict(self.amounts)
        for state, amount in other.amounts.items():
            amounts[state] = amounts.get(state, Decimal(0)) + amount
        return Tally(
            counts=dict(Counter(self.counts) + Counter(other.counts)),
            amounts=amounts,
            problems=dict(Counter(self.problems) + Counter(other.problems)),
        )
