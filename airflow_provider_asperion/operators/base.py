"""What the operators share: problems become failures that Airflow understands."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_asperion.records import Problem


class Logger(Protocol):
    """What Airflow's task logger and the standard one have in common."""

    def info(self, event: Any, *args: Any) -> Any:
        """Tell how the work goes."""

    def warning(self, event: Any, *args: Any) -> Any:
        """Tell what a person may want to look at."""

    def error(self, event: Any, *args: Any) -> Any:
        """Tell what went wrong."""


@contextmanager
def told_to_airflow(log: Logger) -> Iterator[None]:
    """Turn what went wrong into a failure: tried again when that can help, else at once for good.

    The text has keys and forms of values, never a value; the cause is cut off, because a library's own text
    may hold values.
    """
    from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
    from airflow_provider_asperion.records import ProblemError

    try:
        yield
    except ProblemError as error:
        problems = error.problems
    except AsperionError as error:
        problems = (to_problem(error),)
    else:
        return
    for problem in problems[1:]:
        log.error("%s", problem)
    raise failure_of(problems, str(problems[0])) from None


def failure_of(problems: Sequence[Problem], text: str, *, final: bool | None = None) -> AirflowException:
    """Return the failure of a task because of problems, which its alert tells.

    :param final: whether trying again cannot help; by default unless all problems are transient.
    """
    if final is None:
        final = not all(problem.transient for problem in problems)
    failure = AirflowFailException(text) if final else AirflowException(text)
    failure.problems = tuple(problems)  # type: ignore[attr-defined]
    return failure
