"""One expression by itself, over numbers: a calculation that a setting holds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.mapping.expressions import ExpressionError, Names, compile_program, parse
from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.sandbox import Sandbox
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

RESULT = "result"


class Formula:
    """A calculation over named numbers, in the language of the mapper.

    :param text: the expression, such as ``available - reserved * 2``.
    :param variables: names that it may use.
    :param setting: where it stands in the settings, for problems.
    :raises ProblemError: it is no such expression.
    """

    def __init__(self, text: str, variables: Collection[str], *, setting: str) -> None:
        self.text = text
        self._setting = setting
        sandbox = Sandbox({})
        names = Names(frozenset(), frozenset(variables), lambda _: False)
        try:
            self._program = compile_program(sandbox, {RESULT: parse(sandbox, text, names)})
        except ExpressionError as error:
            raise ProblemError(self._problem(error.message, error.remedy)) from None

    def __call__(self, values: Mapping[str, Decimal | None]) -> Decimal | None:
        """Return the result; None where a number that it needs is absent.

        :raises ProblemError: it cannot be calculated, or gives no number.
        """
        try:
            found = self._program(dict(values))[RESULT]
        except BadValueError as error:
            raise ProblemError(
                self._problem(error.reason, error.remedy or "correct the expression")
            ) from None
        if not found and not isinstance(found, Decimal | int):
            return None
        if isinstance(found, bool) or not isinstance(found, Decimal | int):
            raise ProblemError(
                self._problem(f"it gives a {type(found).__name__}, not a number", "correct the expression")
            )
        return Decimal(found)

    def _problem(self, message: str, remedy: str) -> Problem:
        return Problem(
            rule="settings.formula",
            message=f"the calculation {self.text!r}: {message}",
            remedy=remedy,
            field=self._setting,
        )
