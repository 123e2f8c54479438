"""The mapper in the other direction: a record goes in, fields of an IDoc or a delimited file come out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

from airflow_provider_asperion.mapping.checks import complaints_of_examples
from airflow_provider_asperion.mapping.files import SETTINGS, changed, read_definition
from airflow_provider_asperion.mapping.functions import LOOK_UP, functions_of, look_up_filter
from airflow_provider_asperion.mapping.loading import Loader, is_line
from airflow_provider_asperion.mapping.running import Run, Runner
from airflow_provider_asperion.mapping.sandbox import Sandbox
from airflow_provider_asperion.mapping.segments import Segments, segment_complaint
from airflow_provider_asperion.mapping.targets import LINES, no_part_of_articles
from airflow_provider_asperion.records import Customer, Order, Problem, ProblemError, Product, StockLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from airflow_provider_asperion.mapping.files import Definition, Row
    from airflow_provider_asperion.mapping.look_ups import LookUp
    from airflow_provider_asperion.mapping.segments import FieldLengths
    from airflow_provider_asperion.records import Record

Send = Literal["create", "always", "if_changed", "stamp", "never"]
RECORDS: dict[str, type[Record]] = {
    "product": Product,
    "stock": StockLevel,
    "customer": Customer,
    "order": Order,
}
ACTION = "action"
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_COLUMN = re.compile(r"\w[\w .-]*")


@dataclass(frozen=True, slots=True)
class SapFields:
    """What a record becomes: text by target, in the order of the mapping; what is empty is absent.

    :param lines: likewise for each line of an order, targets without ``lines.``.
    """

    fields: dict[str, str] = field(repr=False)
    lines: tuple[dict[str, str], ...] = field(default=(), repr=False)
    defaults_applied: tuple[str, ...] = ()
    looked_up: tuple[str, ...] = ()


class SapMapping:
    """A compiled mapping to SAP.

    :ivar name: its name, such as ``products_matmas05``.
    :ivar record: what it maps.
    :ivar message_type: of the IDocs that it makes; for a delimited file its name.
    :ivar columns: of a delimited file, in order; ``numbers`` and ``dates`` are those that hold such.
    :ivar send: when each target travels; :data:`LINES` stands for all lines of an order.
    :ivar whole: its records travel whole or not at all.
    """

    def __init__(
        self,
        definition: Definition,
        *,
        look_ups: Mapping[str, LookUp],
        functions: Mapping[str, Callable[..., Any]],
        lengths: FieldLengths,
    ) -> None:
        self._definition = definition
        self.name = definition.name
        self.record = definition.record
        self.basic_type = definition.basic_type
        self.message_type = definition.message_types[0] if definition.basic_type else definition.name
        _refuse_faults(definition)
        tables = {**definition.look_ups, **look_ups}
        roots = RECORDS[self.record].model_fields.keys() | {ACTION}
        # A field of the record goes before a function of its name (`date`, `email`).
        named = functions_of(dict(functions), tables)
        chosen = {name: function for name, function in named.items() if name not in roots}
        sandbox = Sandbox({**chosen, LOOK_UP: look_up_filter})
        loader = Loader(
            definition,
            sandbox,
            chosen,
            tables,
            complaint_about=lambda target: self._complaint_about(target, lengths),
            is_root=roots.__contains__,
        )
        self._runner = Runner(loader.compile(), chosen, tables)
        rows = definition.rows.values()
        self._kinds = {_plain(row.target): row.type for row in rows}
        self.columns = () if self.basic_type else tuple(_plain(row.target) for row in rows)
        self.numbers = frozenset(target for target, kind in self._kinds.items() if kind == "number")
        self.dates = frozenset(target for target, kind in self._kinds.items() if kind == "date")
        self.send: dict[str, Send] = {
            row.target: cast("Send", row.send or definition.send) for row in rows if not is_line(row.target)
        }
        self.line_send: dict[str, Send] = {
            _plain(row.target): cast("Send", row.send or definition.send)
            for row in rows
            if is_line(row.target)
        }
        # What has lines travels whole: half an order is none.
        self.whole = definition.lines is not None
        if self.whole:
            self.send[LINES] = cast("Send", definition.send)
        self._segments = Segments(lengths) if self.basic_type else None

    @classmethod
    def load(
        cls,
        name: str,
        overrides: Mapping[str, Any] | None = None,
        *,
        names: Mapping[str, Any] | None = None,
        look_ups: Mapping[str, LookUp] | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        folder: Path | None = None,
        lengths: FieldLengths | None = None,
    ) -> SapMapping:
        """Read and compile a mapping.

        :param name: a shipped mapping (``products_matmas05``, ...), or the path of a file.
        :param overrides: rows that replace or add to those of the file; None removes a row.
        :param lengths: gives the fields of a segment type with their lengths, None for one that is not known;
            without it no target of an IDoc is checked.
        :raises ProblemError: with one problem per fault, naming file, line and row.
        """
        definition = read_definition(str(name), folder=folder)
        if overrides or names:
            definition = changed(definition, overrides or {}, names or {}, SETTINGS)
        return cls(
            definition,
            look_ups=look_ups or {},
            functions=functions or {},
            lengths=lengths or (lambda _: {}),
        )

    def map(self, values: Mapping[str, Any], *, action: str = "create") -> SapFields:
        """Map one record.

        :param values: its fields by name, without those that are empty (``model_dump(exclude_none=True)``).
        :param action: ``create``, ``update`` or ``delete``; what stands in rows that name it.
        :raises ProblemError: with one problem per row that could not be evaluated.
        """
        run = Run(self._runner, {**values, ACTION: action})
        header, lines = run.fields()
        return SapFields(self._texts(header), tuple(self._texts(line) for line in lines), *run.trail())

    def data(
        self, fields: Mapping[str, str], lines: Sequence[Mapping[str, str]] = (), *, untouched: str = ""
    ) -> dict[str, Any]:
        """Return a document of fields, in the shape that writers take (``TargetDocument.data``).

        A segment that would hold its qualifier or fields marked ``stamp`` only is left out.

        :param untouched: stands in all other fields of the segments of an IDoc.
        """
        if self._segments is None:
            rows = [{**fields, **line} for line in lines] or [dict(fields)]
            return {LINES: rows}
        data = self._segments.tree(fields, self.send, untouched=untouched)
        for line in lines:
            for segment, found in self._segments.tree(line, self.line_send).items():
                data.setdefault(segment, []).extend(found)
        return data

    def mentions(self, *names: str) -> bool:
        """Whether one of its expressions names one of these fields of the record."""
        words = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
        rows = self._definition.rows.values()
        texts = [one.text for row in rows for one in (row.value, row.when) if one is not None]
        texts += [one.text for one in self._definition.names.values()]
        return any(words.search(text) for text in texts)

    def check(self) -> list[Problem]:
        """Run the examples of the mapping's own rows; return a problem for each that gives something else."""
        rows = (*self._runner.compiled.header_rows, *self._runner.compiled.line_rows)
        own = [row for row in rows if row.source.file in self._definition.examples_of]
        return [problem for row in own for problem in complaints_of_examples(self._runner, row)]

    def _texts(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {target: text for target, value in values.items() if (text := self._text(target, value))}

    def _text(self, target: str, value: Any) -> str:
        if isinstance(value, bool):
            return "X" if value else ""
        if isinstance(value, Decimal | int):
            return f"{value:f}" if isinstance(value, Decimal) else str(value)
        if isinstance(value, dt.datetime):
            moment = value.astimezone(dt.UTC)
            return (
                moment.strftime("%Y%m%d%H%M%S") if self.basic_type else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            )
        if isinstance(value, dt.date):
            return value.strftime("%Y%m%d") if self.basic_type else value.isoformat()
        text = str(value)
        # Text of several lines keeps them only where its target takes several.
        return text.strip() if "[*]" in target else _BREAKS.sub(" ", text).strip()

    def _complaint_about(self, target: str, lengths: FieldLengths) -> tuple[str, str] | None:
        plain = _plain(target)
        if self.record in ("product", "stock") and (found := no_part_of_articles(target)):
            return found
        if is_line(target) and self._definition.lines is None:
            return "the mapping has no `lines`", "add `lines: lines`, or fill a field of the record itself"
        if not self.basic_type:
            if _COLUMN.fullmatch(plain):
                return None
            return f"{plain!r} cannot be a column", "use letters, digits, blank, dot, dash and underscore"
        return segment_complaint(plain, lengths)


def _refuse_faults(definition: Definition) -> None:
    """Refuse a definition that is no mapping to SAP, or that maps what articles do not have (P3).

    :raises ProblemError: it is none.
    """
    if definition.record not in RECORDS:
        raise ProblemError(
            Problem(
                rule="mapping.file",
                message=f"{definition.name} is no mapping to SAP: it does not say of which record",
                remedy=f"write `for: {{record: {'|'.join(RECORDS)}}}`, or begin with `extends`",
                file=definition.file,
            )
        )
    if definition.basic_type and not definition.message_types:
        raise ProblemError(
            Problem(
                rule="mapping.file",
                message=f"{definition.name} names a basic type ({definition.basic_type}) and no message type",
                remedy="write `for: {message_types: [MATMAS], ...}`",
                file=definition.file,
            )
        )
    problems = [
        _no_part(row, *found)
        for row in definition.rows.values()
        if definition.record in ("product", "stock") and (found := no_part_of_articles(row.value.text))
    ]
    if problems:
        raise ProblemError(*problems)


def _no_part(row: Row, message: str, remedy: str) -> Problem:
    return Problem(
        rule="mapping.target",
        message=message,
        remedy=remedy,
        file=row.value.file,
        line=row.value.line,
        field=row.target,
    )


def _plain(target: str) -> str:
    return target.removeprefix(f"{LINES}.")
