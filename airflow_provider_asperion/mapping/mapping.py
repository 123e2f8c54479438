"""A mapping at work: a source document goes in, the values of an order, customer or article come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.mapping.checks import complaints_of_examples
from airflow_provider_asperion.mapping.files import Definition, changed, read_definition
from airflow_provider_asperion.mapping.functions import LOOK_UP, functions_of, look_up_filter
from airflow_provider_asperion.mapping.loading import Loader
from airflow_provider_asperion.mapping.running import Mapped, Run, Runner
from airflow_provider_asperion.mapping.sandbox import Sandbox
from airflow_provider_asperion.mapping.targets import RECORDS, complaint_about, holds_text
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Dict
    from pathlib import Path

    from airflow_provider_asperion.mapping.look_ups import LookUp
    from airflow_provider_asperion.records import Record, SourceDocument

ORDER = "order"


@dataclass(frozen=True, slots=True)
class RowDescription:
    """One row for the manual and the command line."""

    target: str
    value: str
    sources: tuple[str, ...]
    default: str | None
    when: str | None
    look_up: str | None
    required: bool
    file: str
    line: int | None


class Mapping:
    """A compiled mapping. It holds nothing of the documents that it maps, and may be shared by threads.

    :ivar name: its name, such as ``orders05``.
    """

    def __init__(
        self,
        definition: Definition,
        *,
        look_ups: Dict[str, LookUp] | None = None,
        functions: Dict[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.name = definition.name
        self._definition = definition
        tables = {**definition.look_ups, **(look_ups or {})}
        chosen = functions_of(functions or {}, tables)
        sandbox = Sandbox({**chosen, LOOK_UP: look_up_filter})
        record = _record_of(definition)
        loader = Loader(
            definition,
            sandbox,
            chosen,
            tables,
            complaint_about=lambda target: complaint_about(target, record),
        )
        self._compiled = loader.compile()
        self._runner = Runner(
            self._compiled, chosen, tables, is_text=lambda target: holds_text(target, record)
        )

    @classmethod
    def load(
        cls,
        name: str,
        overrides: Dict[str, Any] | None = None,
        *,
        names: Dict[str, Any] | None = None,
        look_ups: Dict[str, LookUp] | None = None,
        functions: Dict[str, Callable[..., Any]] | None = None,
        folder: Path | None = None,
    ) -> Mapping:
        """Read and compile a mapping.

        :param name: a shipped mapping (``orders05``, ``invoic02``, ``orders_csv``), or the path of a file.
        :param overrides: rows that replace or add to those of the file; None removes a row.
        :param names: likewise for the mapping's own names.
        :param look_ups: tables; one of the same name as a table of the file replaces it.
        :param functions: functions that replace or add to the built-in ones, such as the ``decimal`` and
            ``date`` of a CSV dialect.
        :param folder: where relative paths begin; the working directory when not given.
        :raises ProblemError: with one problem per fault, naming file, line and row.
        """
        definition = read_definition(str(name), folder=folder)
        if overrides or names:
            definition = changed(definition, overrides or {}, names or {})
        return cls(definition, look_ups=look_ups, functions=functions)

    @property
    def record(self) -> str:
        """What comes out: ``order``, ``customer`` or ``product``."""
        return self._definition.record or ORDER

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of files that the mapping is for; empty: all."""
        return tuple(self._definition.formats)

    def applies_to(self, document: SourceDocument) -> bool:
        """Tell whether the mapping is for such a document; what its ``for`` does not name may be anything."""
        types, formats = self._definition.message_types, self._definition.formats
        return (not types or document.message_type in types) and (not formats or document.format in formats)

    def map(self, document: SourceDocument) -> Mapped:
        """Map one document.

        :raises ProblemError: with one problem per row that could not be evaluated.
        """
        mapped = Run(self._runner, document.data).mapped()
        if self.record != ORDER:
            return mapped
        # A group that every order has: where all of it is absent, defaults may still fill it.
        return replace(mapped, values={"customer": {}, **mapped.values})

    def describe(self) -> tuple[RowDescription, ...]:
        """Return all rows, for people."""
        return tuple(
            RowDescription(
                target=row.target,
                value=row.value.text,
                sources=compiled.sources,
                default=row.default,
                when=row.when.text if row.when else None,
                look_up=row.look_up,
                required=row.required,
                file=row.value.file,
                line=row.value.line,
            )
            for compiled in (*self._compiled.header_rows, *self._compiled.line_rows)
            if (row := compiled.row) is not None
        )

    def check(self) -> list[Problem]:
        """Run the examples of the mapping's own rows; return a problem for each that gives something else.

        Those of a file that it extends are a matter of that file. An example shows what its row gives
        before its look-up table, for tables are a matter of settings.
        """
        rows = (*self._compiled.header_rows, *self._compiled.line_rows)
        own = [row for row in rows if row.source.file in self._definition.examples_of]
        return [problem for row in own for problem in complaints_of_examples(self._runner, row)]


def _record_of(definition: Definition) -> type[Record]:
    found = RECORDS.get(definition.record or ORDER)
    if found is not None and not definition.basic_type:
        return found
    raise ProblemError(
        Problem(
            rule="mapping.file",
            message=f"{definition.name} is no mapping of SAP's documents",
            remedy=f"write `for: {{record: {'|'.join(RECORDS)}}}`, or use it in a flow to SAP",
            file=definition.file,
        )
    )
