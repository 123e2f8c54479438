"""Runs the examples that stand in the rows of a mapping."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.mapping.running import Run, Runner
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.mapping.files import Example
    from airflow_provider_asperion.mapping.loading import CompiledRow

# In a document these are single; every segment is a list.
_SINGLE = frozenset({"EDI_DC40", "header", "line"})


def complaints_of_examples(runner: Runner, row: CompiledRow) -> Iterator[Problem]:
    """Yield a problem for each example of a row that gives something else than it says."""
    for number, example in enumerate(row.row.examples if row.row else (), start=1):
        try:
            found = _run(runner, row, example)
        except ProblemError as error:
            reason = error.problem.message.partition(";")[0]
            yield _complaint(row, example, number, f"cannot be evaluated: {reason}")
            continue
        if not _same(found, example.gives):
            yield _complaint(row, example, number, f"gives {found!s}, not {example.gives!s}")


def _run(runner: Runner, row: CompiledRow, example: Example) -> Any:
    given = {str(name): _document(name, value) for name, value in example.given.items()}
    line = given.pop("line", None)
    if line is None and row.target.startswith("lines."):
        line = {}
    return Run(runner, given).example(row, line)


def _document(name: str, value: Any) -> Any:
    """Return a part of an example as it stands in a document: each segment in a list, values as text."""
    if isinstance(value, dict):
        fields = {str(key): _document(key, one) for key, one in value.items() if one is not None}
        return fields if name in _SINGLE else [fields]
    if isinstance(value, list):
        return [
            part for one in value for part in (_document("", one) if isinstance(one, dict) else [str(one)])
        ]
    return str(value)


def _same(found: Any, expected: str | None) -> bool:
    if found is None or expected is None:
        return found is expected
    if isinstance(found, bool):
        return str(found).lower() == expected.lower()
    if isinstance(found, (Decimal, int)):
        try:
            return Decimal(expected) == found
        except InvalidOperation:
            return False
    return (found.isoformat() if isinstance(found, dt.date) else str(found)) == expected


def _complaint(row: CompiledRow, example: Example, number: int, what: str) -> Problem:
    # An example is written by the author of the mapping: its values are not a customer's.
    return Problem(
        rule="mapping.example",
        message=f"example {number} of row {row.target!r} {what}",
        remedy="correct the row or its example",
        file=row.source.file,
        line=example.line or row.source.line,
        field=row.target,
    )
