"""What the readers of IDocs hand over: a document before it was judged, and how faults are worded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from airflow_provider_asperion.records import FileFormat

CONTROL = "EDI_DC40"


@dataclass(slots=True)
class Draft:
    """An IDoc as it was decoded.

    :param data: tree of segments, see :class:`SourceDocument`; the control record stands in it.
    :param root: root element of an XML or JSON file, empty for flat files.
    :param fault: why the document is refused, None while nothing was found.
    """

    position: int
    line: int | None
    format: FileFormat
    data: dict[str, Any] = field(default_factory=dict)
    root: str = ""
    skipped: dict[str, int] = field(default_factory=dict)
    fault: Problem | None = None

    def refuse(self, problem: Problem) -> None:
        """Note why the document is refused; the first reason stands."""
        self.fault = self.fault or problem


class BrokenFileError(Exception):
    """Nothing more can be read of a file. Carries the problem, without its file."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def broken(rule: str, message: str, remedy: str, *, line: int | None = None) -> BrokenFileError:
    """Return the fault of a file of which nothing more can be read."""
    return BrokenFileError(Problem(rule=rule, message=message, remedy=remedy, line=line))
