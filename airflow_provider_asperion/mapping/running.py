"""Runs a compiled mapping over one document; when something fails, finds all rows at fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.mapping.expressions import SKIPPED
from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.functions import LOOK_UP, look_up_in
from airflow_provider_asperion.mapping.loading import NAMES
from airflow_provider_asperion.mapping.navigation import Scope
from airflow_provider_asperion.mapping.targets import LINES
from airflow_provider_asperion.mapping.values import text_of
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_asperion.mapping.expressions import Program
    from airflow_provider_asperion.mapping.loading import Compiled, CompiledRow
    from airflow_provider_asperion.mapping.look_ups import LookUp

SHOWN_EXPRESSION = 120
_SKIP = object()
_CORRECT = "correct the row, or the value in the source"


@dataclass(frozen=True, slots=True)
class Mapped:
    """What became of a document.

    :param values: nested values for the record's ``model_validate``; fields without a value are left out.
    :param defaults_applied: targets whose row had nothing and used its default.
    :param looked_up: names of the look-up tables that were used.
    """

    values: dict[str, Any] = field(repr=False)
    defaults_applied: tuple[str, ...] = ()
    looked_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runner:
    """What all runs of a mapping share.

    :param is_text: tells of a target whether it holds text; a number that a row gives for one becomes text.
    """

    compiled: Compiled
    functions: Mapping[str, Callable[..., Any]]
    look_ups: Mapping[str, LookUp]
    is_text: Callable[[str], bool] = lambda target: False


class Run:
    """The mapping of one document, and what it gathers on the way.

    :param data: content of the document (``SourceDocument.data``).
    """

    def __init__(self, runner: Runner, data: dict[str, Any]) -> None:
        self._compiled = runner.compiled
        self._is_text = runner.is_text
        self._look_ups = runner.look_ups
        self._data = data
        self._defaults: dict[str, None] = {}
        self._looked_up: list[str] = []
        self._problems: list[Problem] = []
        self._variables: dict[str, Any] = {
            **data,
            **runner.functions,
            **Scope(data).functions(),
            SKIPPED: _SKIP,
            LOOK_UP: look_up_in(runner.look_ups, self._looked_up),
        }

    def mapped(self) -> Mapped:
        """Map the document.

        :raises ProblemError: with one problem per row that could not be evaluated.
        """
        header, lines = self.fields()
        values: dict[str, Any] = {}
        for target, value in header.items():
            _put(values, target, value)
        if self._compiled.items is not None:
            values[LINES] = lines
        return Mapped(values, *self.trail())

    def fields(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the values by target, and those of each line by target below ``lines``.

        :raises ProblemError: with one problem per row that could not be evaluated.
        """
        self._name()
        compiled = self._compiled
        rows = (*compiled.header_rows, compiled.items) if compiled.items else compiled.header_rows
        found = self._evaluate(compiled.header_program, rows, self._variables)
        header: dict[str, Any] = {}
        for row in compiled.header_rows:
            value = self._finished(row, found.get(row.target, _SKIP))
            if value is not None:
                header[row.target] = value
        lines = [self._line(line, index) for index, line in enumerate(self._items(found.get(LINES)), start=1)]
        self._stop_on_problems()
        return header, lines

    def trail(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the targets that used their default, and the look-up tables that were used."""
        return tuple(self._defaults), tuple(dict.fromkeys(self._looked_up))

    def example(self, row: CompiledRow, line: dict[str, Any] | None) -> Any:
        """Return what one row gives, its default included, its look-up table not.

        :raises ProblemError: when it cannot be evaluated.
        """
        self._name()
        variables = self._variables if line is None else self._variables_of(line, 1)
        found = self._one_by_one([row], variables, None)
        value = self._checked(row, found.get(row.target, _SKIP), None)
        self._stop_on_problems()
        if value is _SKIP:
            return None
        return row.row.default if value is None and row.row else value

    def _stop_on_problems(self) -> None:
        if self._problems:
            raise ProblemError(*self._problems)

    def _name(self) -> None:
        """Evaluate the mapping's own names, for the rows to use."""
        names = self._compiled.names
        if not names:
            return
        try:
            self._variables |= self._compiled.names_program(self._variables)
        except Exception:  # whatever an expression raises is the fault of its row
            for row in names:
                found = self._one_by_one([row], self._variables, None)
                self._variables |= {key.removeprefix(NAMES): value for key, value in found.items()}
            # Every row that uses the name would fail for the same cause: the name is what to report.
            self._stop_on_problems()

    def _items(self, found: Any) -> Sequence[dict[str, Any]]:
        if isinstance(found, dict):
            return [found]
        if found is None or isinstance(found, str):
            return []
        return [item for item in found if isinstance(item, dict)]

    def _variables_of(self, line: dict[str, Any], index: int) -> dict[str, Any]:
        return {**self._variables, **Scope(self._data, line).functions(), "line": line, "index": str(index)}

    def _line(self, line: dict[str, Any], index: int) -> dict[str, Any]:
        variables = self._variables_of(line, index)
        rows = self._compiled.line_rows
        found = self._evaluate(self._compiled.line_program, rows, variables, index)
        values: dict[str, Any] = {}
        for row in rows:
            value = self._finished(row, found.get(row.target, _SKIP), index)
            if value is not None:
                values[row.target.removeprefix(f"{LINES}.")] = value
        return values

    def _evaluate(
        self,
        program: Program,
        rows: Sequence[CompiledRow],
        variables: dict[str, Any],
        index: int | None = None,
    ) -> dict[str, Any]:
        try:
            return program(variables)
        except Exception:  # whatever an expression raises is the fault of its row
            return self._one_by_one(rows, variables, index)

    def _one_by_one(
        self, rows: Sequence[CompiledRow], variables: dict[str, Any], index: int | None
    ) -> dict[str, Any]:
        """Evaluate each row by itself, so that every faulty one is named."""
        found: dict[str, Any] = {}
        for row in rows:
            try:
                found |= row.alone(variables)
            except Exception as error:  # as above
                self._problems += _problems(row, error, index)
        return found

    def _finished(self, row: CompiledRow, found: Any, index: int | None = None) -> Any:
        """Return the value of a row after its look-up table and its default; None where it has none."""
        value = self._checked(row, found, index)
        if value is _SKIP or row.row is None:
            return None
        if row.row.look_up is not None:
            value = self._from_table(row, row.row.look_up, value, index)
        if value is None and row.row.default is not None:
            self._defaults[row.target] = None
            return row.row.default
        if value is None and row.row.required:
            self._problems.append(_missing(row, index))
        return value

    def _from_table(self, row: CompiledRow, table: str, value: Any, index: int | None) -> str | None:
        try:
            found = self._look_ups[table].find(None if value is None else str(value), name=table)
        except ProblemError as error:
            self._problems += _problems(row, error, index)
            return None
        if value is not None or found is not None:
            self._looked_up.append(table)
        return found

    def _checked(self, row: CompiledRow, found: Any, index: int | None) -> Any:
        """Return a result as a plain value; texts trimmed, empty ones as None, floats exact."""
        if found is _SKIP:
            return found
        if isinstance(found, float):
            found = Decimal(str(found))
        try:
            text = f"{found:f}" if isinstance(found, Decimal) else text_of(found)
        except BadValueError as error:
            self._problems += _problems(row, error, index)
            return _SKIP
        return text if isinstance(found, str) or text is None or self._is_text(row.target) else found


def _put(values: dict[str, Any], target: str, value: Any) -> None:
    """Set the value at a dotted path; a group is made only when one of its fields has a value."""
    *groups, name = target.split(".")
    for group in groups:
        values = values.setdefault(group, {})
    values[name] = value


def _problems(row: CompiledRow, error: Exception, index: int | None) -> tuple[Problem, ...]:
    """Return what to tell of a failed row: never the value, for that may be personal."""
    target, where = _place(row, index)
    if isinstance(error, ProblemError):
        return tuple(problem.at(field=target) for problem in error.problems)
    if isinstance(error, BadValueError):
        reason, remedy, shape = error.reason, error.remedy or _CORRECT, error.shape
    else:
        reason, remedy, shape = f"the expression fails ({type(error).__name__})", _CORRECT, None
    message = f"{reason}; {where}"
    return (Problem(rule="mapping.row", message=message, remedy=remedy, field=target, shape=shape),)


def _missing(row: CompiledRow, index: int | None) -> Problem:
    target, where = _place(row, index)
    return Problem(
        rule="mapping.required",
        message=f"the source has no value for a field that must have one; {where}",
        remedy="have the sender fill it in, or give the row a default",
        field=target,
    )


def _place(row: CompiledRow, index: int | None) -> tuple[str, str]:
    """Return the target (of which line), and the row with its file and the fields that it reads."""
    target = row.target if index is None else row.target.replace(".", f".{index}.", 1)
    text = " ".join(row.source.text.split())
    shown = text if len(text) <= SHOWN_EXPRESSION else f"{text[:SHOWN_EXPRESSION]}..."
    place = row.source.file + (f" line {row.source.line}" if row.source.line else "")
    reads = f", which reads {', '.join(row.sources)}" if row.sources else ""
    return target, f"row `{row.target}: {shown}` of {place}{reads}"
