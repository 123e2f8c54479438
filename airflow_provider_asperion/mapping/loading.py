"""Compiles a definition: every fault of every row is reported at once, with line, column and caret."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from airflow_provider_asperion.mapping.expressions import (
    ExpressionError,
    Names,
    Program,
    compile_program,
    conditional,
    parse,
    sources,
)
from airflow_provider_asperion.mapping.functions import SCOPED, unknown_table
from airflow_provider_asperion.mapping.targets import LINES
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_asperion.mapping.files import Definition, Row, Source
    from airflow_provider_asperion.mapping.look_ups import LookUp
    from airflow_provider_asperion.mapping.sandbox import Sandbox

NAMES = "names."
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_IDOC_ROOT = re.compile(r"(E1|Z|Y)\w*|EDI_DC40")
_CSV_ROOTS = frozenset({"header", "lines"})
_LINE_NAMES = frozenset({"line", "index"})


@dataclass(frozen=True, slots=True)
class CompiledRow:
    """One expression of a mapping.

    :param target: the field it fills; ``names.x`` for a name, ``lines`` for the expression of the lines.
    :param alone: the expression as a program of its own, to find the row at fault.
    :param sources: the fields that it reads.
    :param row: the row as written; None for names and lines.
    """

    target: str
    source: Source
    tree: nodes.Expr
    alone: Program
    sources: tuple[str, ...]
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """All that a mapping runs: the many expressions, and the three programs they are compiled into."""

    names: tuple[CompiledRow, ...]
    items: CompiledRow | None
    header_rows: tuple[CompiledRow, ...]
    line_rows: tuple[CompiledRow, ...]
    names_program: Program
    header_program: Program
    line_program: Program


class Loader:
    """Checks and compiles one definition, gathering problems.

    :param functions: functions of values, by name.
    :param look_ups: the tables that rows may name.
    :param complaint_about: tells what is wrong with a target, and the remedy; None when it may be filled.
    :param is_root: tells whether a name can stand at the top of what is mapped; by default whether it can be
        in SAP's documents of the formats of the mapping.
    """

    def __init__(
        self,
        definition: Definition,
        sandbox: Sandbox,
        functions: Mapping[str, Callable[..., Any]],
        look_ups: Mapping[str, LookUp],
        *,
        complaint_about: Callable[[str], tuple[str, str] | None],
        is_root: Callable[[str], bool] | None = None,
    ) -> None:
        self._complaint_about = complaint_about
        self._is_root = is_root or self._is_root_of_sap
        self._definition = definition
        self._sandbox = sandbox
        self._functions = frozenset(functions) | SCOPED
        self._look_ups = look_ups
        self._problems: list[Problem] = []

    def compile(self) -> Compiled:
        """Return the compiled definition.

        :raises ProblemError: with all faults of all rows.
        """
        names = self._names()
        known = frozenset(self._definition.names)
        items = self._part(LINES, self._definition.lines, known) if self._definition.lines else None
        rows = [made for row in self._definition.rows.values() if (made := self._row(row, known))]
        if self._problems:
            raise ProblemError(*self._problems)
        header = tuple(row for row in rows if not is_line(row.target))
        lines = tuple(row for row in rows if is_line(row.target))
        return Compiled(
            names=tuple(names),
            items=items,
            header_rows=header,
            line_rows=lines,
            names_program=self._names_program(names),
            header_program=self._program((*header, items) if items else header),
            line_program=self._program(lines),
        )

    def _program(self, rows: Sequence[CompiledRow]) -> Program:
        return compile_program(self._sandbox, {row.target: row.tree for row in rows})

    def _names_program(self, names: Sequence[CompiledRow]) -> Program:
        trees = [(row.target.removeprefix(NAMES), row.tree) for row in names]
        loads: dict[str, nodes.Expr] = {name: nodes.Name(name, "load", lineno=1) for name, _ in trees}
        return compile_program(self._sandbox, loads, trees)

    def _names(self) -> list[CompiledRow]:
        """Compile the mapping's own names; each may use those above it."""
        made: list[CompiledRow] = []
        known: frozenset[str] = frozenset()
        for name, source in self._definition.names.items():
            if not _NAME.fullmatch(name) or name in self._functions | _LINE_NAMES | _CSV_ROOTS:
                message, remedy = f"{name!r} cannot be a name here", "use another one, in lower case"
                self._fault(NAMES + name, source, message, remedy)
            elif part := self._part(NAMES + name, source, known):
                made.append(part)
            known |= {name}
        return made

    def _row(self, row: Row, known: frozenset[str]) -> CompiledRow | None:
        complaint = self._complaint_about(row.target)
        if complaint:
            self._fault(row.target, row.value, *complaint, rule="mapping.target")
        if row.look_up is not None and row.look_up not in self._look_ups:
            fault = unknown_table(row.look_up, self._look_ups)
            self._fault(row.target, row.value, fault.reason, fault.remedy or "")
        if is_line(row.target):
            known = known | _LINE_NAMES
        part = self._part(row.target, row.value, known)
        if part is None or row.when is None:
            return part and replace(part, row=row)
        condition = self._part(row.target, row.when, known)
        if condition is None:
            return None
        tree = conditional(condition.tree, part.tree)
        return replace(
            part,
            row=row,
            tree=tree,
            alone=compile_program(self._sandbox, {row.target: tree}),
            sources=tuple(dict.fromkeys((*part.sources, *condition.sources))),
        )

    def _part(self, target: str, source: Source, known: frozenset[str]) -> CompiledRow | None:
        """Parse an expression and compile it by itself, so that a fault is known to be its own."""
        try:
            tree = parse(self._sandbox, source.text, Names(self._functions, known, self._is_root))
            alone = compile_program(self._sandbox, {target: tree})
        except ExpressionError as error:
            message = error.message + (_caret(source, error.offset) if error.offset is not None else "")
            self._fault(target, source, message, error.remedy, rule="mapping.expression")
            return None
        except (RecursionError, SyntaxError, MemoryError):
            message, remedy = "the expression is nested too deeply", "split it into names"
            self._fault(target, source, message, remedy, rule="mapping.expression")
            return None
        return CompiledRow(target, source, tree, alone, sources(tree))

    def _is_root_of_sap(self, name: str) -> bool:
        """Tell whether a name can stand at the top of the documents that the mapping is for."""
        formats = set(self._definition.formats)
        idoc = bool(formats & {"idoc_xml", "idoc_flat"})
        if not formats or (formats == {"json"}):
            return True
        return bool(idoc and _IDOC_ROOT.fullmatch(name)) or ("csv" in formats and name in _CSV_ROOTS)

    def _fault(
        self, field: str, source: Source, message: str, remedy: str, *, rule: str = "mapping.file"
    ) -> None:
        self._problems.append(
            Problem(
                rule=rule, message=message, remedy=remedy, file=source.file, line=source.line, field=field
            )
        )


def is_line(target: str) -> bool:
    """Tell whether a row is evaluated per line."""
    return target.startswith(f"{LINES}.")


def _caret(source: Source, offset: int) -> str:
    """Return where an offset is: the column in the file, and the expression with a caret below it."""
    before = source.text[:offset]
    shown_line = source.text.splitlines()[before.count("\n")] if source.text else ""
    indent = offset - (before.rfind("\n") + 1)
    column = f" in column {source.column + offset}" if source.column is not None else ""
    return f"{column}\n    {shown_line}\n    {' ' * indent}^"
