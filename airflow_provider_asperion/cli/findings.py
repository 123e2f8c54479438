"""What a check finds: one line each, with OK, WARN or FAIL, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.cli.output import printable, show
from airflow_provider_asperion.records import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_asperion.records import Problem

Level = Literal["OK", "WARN", "FAIL"]
SUBJECT_WIDTH = 24


class Report:
    """Tells findings as they come, and remembers whether something failed.

    :param write: takes one line.
    """

    def __init__(self, write: Callable[[str], object] = show) -> None:
        self._write = write
        self.counts: dict[Level, int] = {"OK": 0, "WARN": 0, "FAIL": 0}

    def ok(self, subject: str, text: str) -> None:
        """Tell what is as it should be."""
        self._tell("OK", subject, text)

    def warn(self, subject: str, text: str, remedy: str) -> None:
        """Tell what works and could be better."""
        self._tell("WARN", subject, f"{text} -> {remedy}")

    def fail(self, subject: str, text: str, remedy: str) -> None:
        """Tell what keeps the flows from working."""
        self._tell("FAIL", subject, f"{text} -> {remedy}")

    def problem(self, subject: str, problem: Problem) -> None:
        """Tell a problem as a failure."""
        self._tell("FAIL", subject, str(problem))

    def trying(self, subject: str) -> _Trying:
        """Tell what goes wrong in a ``with`` block as failures of a subject, and go on after it."""
        return _Trying(self, subject)

    def _tell(self, level: Level, subject: str, text: str) -> None:
        self.counts[level] += 1
        self._write(f"{level:<4}  {subject:<{SUBJECT_WIDTH}}  {printable(' '.join(text.split()))}")


class _Trying:
    """A context manager whose type says that it may swallow what is raised in it."""

    def __init__(self, report: Report, subject: str) -> None:
        self._report = report
        self._subject = subject

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, ProblemError):
            for problem in error.problems:
                self._report.problem(self._subject, problem)
        elif isinstance(error, AsperionError):
            self._report.problem(self._subject, to_problem(error))
        elif isinstance(error, OSError):
            # Its text names a path of this machine or of the server, and nothing of an order.
            text = f"{error.strerror or type(error).__name__}: {error.filename or ''}"
            self._report.fail(self._subject, text, "see the path")
        else:
            return False
        return True
