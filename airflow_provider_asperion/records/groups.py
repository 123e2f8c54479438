"""Problems of one cause, counted: 4,000 like ones are one group with the keys of the first few records."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pydantic import Field

from airflow_provider_asperion.records.base import Record
from airflow_provider_asperion.records.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

# So many keys of records are kept of each group: whoever needs all of them looks at the page.
MOST_KEYS = 20


def field_of_cause(field: str | None) -> str | None:
    """Return a field without the numbers of lines: it is the same row of a mapping that is at fault."""
    return None if field is None else ".".join(part for part in field.split(".") if not part.isdigit())


class ProblemGroup(Record):
    """Problems of the same rule and field.

    :param problem: the first of them; others differ in keys only.
    :param count: how many there are.
    :param records: keys of the first records, at most 20.
    :param apart: tells groups of one rule and field apart that are not one cause, such as missing files.
    """

    problem: Problem
    count: int = Field(1, ge=1)
    records: tuple[str, ...] = ()
    apart: str = ""

    @property
    def digest(self) -> str:
        """Short name of the cause: the same in every run."""
        parts = (self.problem.rule, field_of_cause(self.problem.field) or "", self.apart)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    @classmethod
    def of(cls, problem: Problem, *, apart: str = "") -> ProblemGroup:
        """Return the group of one problem."""
        return cls(problem=problem, records=(problem.record,) if problem.record else (), apart=apart)

    def plus(self, other: ProblemGroup) -> ProblemGroup:
        """Return both groups as one."""
        records = tuple(dict.fromkeys(self.records + other.records))[:MOST_KEYS]
        return self.model_copy(update={"count": self.count + other.count, "records": records})


def added_up(groups: Iterable[ProblemGroup]) -> dict[str, ProblemGroup]:
    """Return groups by digest, those of one cause added up."""
    total: dict[str, ProblemGroup] = {}
    for group in groups:
        known = total.get(group.digest)
        total[group.digest] = group if known is None else known.plus(group)
    return total


class Grouping:
    """Counts problems by cause as they come, in little memory."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None], tuple[Problem, list[str]]] = {}
        self._counts: dict[tuple[str, str | None], int] = {}

    def add(self, problem: Problem) -> None:
        """Count a problem."""
        cause = (problem.rule, field_of_cause(problem.field))
        _, records = self._found.setdefault(cause, (problem, []))
        self._counts[cause] = self._counts.get(cause, 0) + 1
        if problem.record and len(records) < MOST_KEYS and problem.record not in records:
            records.append(problem.record)

    def groups(self) -> list[ProblemGroup]:
        """Return what was counted."""
        return [
            ProblemGroup(problem=problem, count=self._counts[cause], records=tuple(records))
            for cause, (problem, records) in self._found.items()
        ]
