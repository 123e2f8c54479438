"""Reads mapping files: YAML to rows that know file, line and column; `extends` and changes of single rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from airflow_provider_asperion.mapping.look_ups import LookUp
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULTS = Path(__file__).parent / "defaults"
TO_SAP = DEFAULTS / "to_sap"
SETTINGS = "settings"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = frozenset({"mapping", "extends", "for", "lines", "names", "rows", "look_ups", "send"})
_ROW_KEYS = frozenset({"value", "default", "when", "look_up", "required", "examples", "send", "type"})
_SEND = ("create", "always", "if_changed", "stamp", "never")
_TYPES = ("text", "number", "date")
_MOST_NODES = 50_000


class Marked(str):
    """A text of a YAML file that knows where it stands.

    :ivar line: 1-based line.
    :ivar column: 1-based column of the text itself; None where it runs over several lines.
    """

    __slots__ = ("column", "line")
    line: int
    column: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """An expression as written, and where."""

    text: str
    file: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """What a row gives for a small document."""

    given: dict[str, Any]
    gives: str | None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a mapping.

    :param target: field of the order, as a dotted path; below ``lines`` the row is evaluated per line.
    :param value: the expression.
    :param default: text used where the expression gives nothing.
    :param when: condition; where it does not hold the row does nothing, its default included.
    :param look_up: name of the table through which the value goes.
    :param required: the document is refused where the row gives nothing.
    :param send: in a mapping to SAP, when the field travels; None: as the mapping says.
    :param type: in a mapping to SAP, what a column of a delimited file holds.
    """

    target: str
    value: Source
    default: str | None = None
    when: Source | None = None
    look_up: str | None = None
    required: bool = False
    examples: tuple[Example, ...] = ()
    send: str | None = None
    type: str = "text"


@dataclass(frozen=True, slots=True)
class Definition:
    """A mapping file with what it extends, and with the changes of the settings.

    :param record: in a mapping to SAP, what is mapped (``product``); empty in a mapping of SAP's documents.
    :param basic_type: in a mapping to SAP, the IDoc that is made; empty for a delimited file.
    :param send: in a mapping to SAP, when a field travels whose row does not say so.

    :param examples_of: the files whose examples hold for it: not those of a file that it extends, for it may
        have changed the names that they rest on.
    """

    name: str
    file: str
    message_types: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    lines: Source | None = None
    names: dict[str, Source] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    look_ups: dict[str, LookUp] = field(default_factory=dict)
    record: str = ""
    basic_type: str = ""
    send: str = "if_changed"
    examples_of: tuple[str, ...] = ()


def shipped() -> tuple[str, ...]:
    """Return the names of the mappings of SAP's documents that come with the package."""
    return tuple(sorted(path.stem for path in DEFAULTS.glob("*.yaml")))


def shipped_to_sap() -> tuple[str, ...]:
    """Return the names of the mappings to SAP that come with the package."""
    return tuple(sorted(path.stem for path in TO_SAP.glob("*.yaml")))


def read_definition(name: str, *, folder: Path | None = None, seen: tuple[Path, ...] = ()) -> Definition:
    """Read a shipped mapping by its name, or a file by its path (relative ones below ``folder``).

    :raises ProblemError: with one problem per fault, naming file and line.
    """
    path = _path(name, folder)
    if path in seen:
        raise ProblemError(_fault(path.name, None, "the mapping extends itself", "remove one `extends`"))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join((*shipped(), *shipped_to_sap()))
        raise ProblemError(
            Problem(
                rule="mapping.unknown",
                message=f"there is no mapping {name!r}, neither shipped nor a readable file",
                remedy=f"name a file, or one of the shipped mappings: {known}",
                file=path.name,
            )
        ) from error
    tree = _yaml(text, path.name)
    base = tree.get("extends")
    start = read_definition(base, folder=path.parent, seen=(*seen, path)) if base else None
    return _extended(start, tree, path)


def changed(
    definition: Definition, rows: Mapping[str, Any], names: Mapping[str, Any], file: str = SETTINGS
) -> Definition:
    """Return a definition with single rows and names replaced, added, or removed with None."""
    problems: list[Problem] = []
    result = replace(
        definition,
        names=_merged(definition.names, names, lambda _, value: _source(value, file)),
        rows=_merged(definition.rows, rows, lambda key, value: _row(key, value, file, problems)),
    )
    if problems:
        raise ProblemError(*problems)
    kept = () if names or file != SETTINGS else definition.examples_of
    return replace(result, examples_of=(*kept, file))


def _path(name: str, folder: Path | None) -> Path:
    for known in (DEFAULTS, TO_SAP):
        if re.fullmatch(r"\w+", name) and (known / f"{name}.yaml").exists():
            return known / f"{name}.yaml"
    return ((folder or Path()) / name).resolve()


def _extended(base: Definition | None, tree: dict[str, Any], path: Path) -> Definition:
    file = path.name
    problems = [
        _fault(file, key, f"there is no {key!r} in a mapping file", f"it has {', '.join(sorted(_KEYS))}")
        for key in tree
        if key not in _KEYS
    ]
    chosen = _block(tree.get("for"), "for", file, problems)
    definition = base or Definition(name=path.stem, file=file)
    definition = replace(
        definition,
        name=str(tree.get("mapping") or path.stem),
        file=file,
        message_types=_texts(chosen.get("message_types"), definition.message_types),
        formats=_texts(chosen.get("formats"), definition.formats),
        lines=_source(tree["lines"], file) if tree.get("lines") else definition.lines,
        look_ups={**definition.look_ups, **_look_ups(tree, file, problems)},
        record=str(chosen.get("record") or definition.record),
        basic_type=str(chosen.get("basic_type") or definition.basic_type),
        send=_one_of(_SEND, tree.get("send") or definition.send, "send", file, problems),
    )
    try:
        definition = changed(
            definition,
            _block(tree.get("rows"), "rows", file, problems),
            _block(tree.get("names"), "names", file, problems),
            file,
        )
    except ProblemError as error:
        problems += error.problems
    if problems:
        raise ProblemError(*problems)
    return definition


def _merged(base: dict[str, Any], changes: Mapping[str, Any], make: Any) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        made = None if value is None else make(key, value)
        if made is None:
            result.pop(str(key), None)
        else:
            result[str(key)] = made
    return result


def _row(target: str, value: Any, file: str, problems: list[Problem]) -> Row | None:
    """Make a row of ``target: expression`` or of a block."""
    block = value if isinstance(value, dict) else {"value": value}
    unknown = [key for key in block if key not in _ROW_KEYS]
    if unknown or block.get("value") is None or isinstance(block["value"], (dict, list)):
        what = f"a row has no {unknown[0]!r}" if unknown else "the row has no expression in `value`"
        known = f"a row has {', '.join(sorted(_ROW_KEYS))}"
        problems.append(_fault(file, target, what, known, field=str(target)))
        return None
    default = block.get("default")
    required = _text(block.get("required") or "false").lower()
    if required not in ("true", "false"):
        problems.append(
            _fault(file, target, "`required` is true or false", "write one of them", field=str(target))
        )
    return Row(
        target=str(target),
        value=_source(block["value"], file),
        default=None if default is None else _text(default),
        when=None if block.get("when") is None else _source(block["when"], file),
        look_up=None if block.get("look_up") is None else str(block["look_up"]),
        required=required == "true",
        send=None
        if block.get("send") is None
        else _one_of(_SEND, block["send"], str(target), file, problems),
        type=_one_of(_TYPES, block.get("type") or "text", str(target), file, problems),
        examples=tuple(_examples(block.get("examples"), target, file, problems)),
    )


def _examples(listed: Any, target: str, file: str, problems: list[Problem]) -> Iterator[Example]:
    for one in listed or ():
        if not isinstance(one, dict) or set(one) != {"given", "gives"} or not isinstance(one["given"], dict):
            remedy = "write `- {given: {SEGMENT: {FIELD: text}}, gives: text}`"
            problems.append(_fault(file, target, "this is no example", remedy, field=str(target)))
            continue
        gives = one["gives"]
        line = getattr(next(iter(one)), "line", None)
        yield Example(given=one["given"], gives=None if gives is None else _text(gives), line=line)


def _one_of(known: tuple[str, ...], value: Any, field: str, file: str, problems: list[Problem]) -> str:
    if str(value) not in known:
        message = f"there is no {str(value)!r} here"
        problems.append(_fault(file, value, message, f"write one of {', '.join(known)}", field=field))
    return str(value)


def _look_ups(tree: dict[str, Any], file: str, problems: list[Problem]) -> dict[str, LookUp]:
    made = {}
    for name, block in _block(tree.get("look_ups"), "look_ups", file, problems).items():
        try:
            made[str(name)] = LookUp.model_validate(_plain(block))
        except ValidationError as error:
            for complaint in error.errors(include_url=False):
                message = complaint["msg"].removeprefix("Value error, ")
                problems.append(_fault(file, name, f"look-up table {name!r}: {message}", "correct the table"))
    return made


def _block(value: Any, name: str, file: str, problems: list[Problem]) -> dict[str, Any]:
    if value is None or isinstance(value, dict):
        return value or {}
    problems.append(
        _fault(file, value, f"{name!r} is a block of `name: value`", "indent its entries below it")
    )
    return {}


def _texts(value: Any, inherited: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return inherited
    return tuple(str(one) for one in (value if isinstance(value, list) else [value]))


def _source(value: Any, file: str) -> Source:
    return Source(_text(value), file, getattr(value, "line", None), getattr(value, "column", None))


def _text(value: Any) -> str:
    """Return what YAML read of the settings as text: true and 5 are expressions too."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """Return marked texts as plain ones, with YAML's true and false, for pydantic."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return str(value) if isinstance(value, str) else value


def _yaml(text: str, file: str) -> dict[str, Any]:
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ProblemError(
            Problem(
                rule="mapping.yaml",
                message=f"this is no YAML: {error.problem}",
                remedy="correct the indentation, or put quotes around the expression at that line",
                file=file,
                line=mark.line + 1 if mark else None,
            )
        ) from error
    tree = _Builder(file).value(node) if node is not None else {}
    if not isinstance(tree, dict):
        raise ProblemError(_fault(file, None, "a mapping file is a block of `name: value`", "see the manual"))
    return tree


class _Builder:
    """Makes marked texts, dicts and lists of YAML nodes; nothing but null is taken for more than text."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._left = _MOST_NODES

    def value(self, node: yaml.Node) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ProblemError(_fault(self._file, None, "the file is too large", "remove its YAML aliases"))
        if isinstance(node, yaml.MappingNode):
            return self._block(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one) for one in node.value]
        if not getattr(node, "style", None) and node.value in ("null", "~", ""):
            return None
        return self._text(node)

    def _block(self, node: yaml.MappingNode) -> dict[Marked, Any]:
        block: dict[Marked, Any] = {}
        for key_node, value_node in node.value:
            key = self._text(key_node)
            if key in block:
                message, remedy = f"{str(key)!r} stands twice in the same block", "keep one of the two"
                raise ProblemError(_fault(self._file, key, message, remedy, field=str(key)))
            block[key] = self.value(value_node)
        return block

    @staticmethod
    def _text(node: yaml.Node) -> Marked:
        text = Marked(node.value)
        start, end = node.start_mark, node.end_mark
        quoted = getattr(node, "style", None) in ("'", '"')
        text.line = start.line + 1
        text.column = start.column + 1 + quoted if start.line == end.line else None
        return text


def _fault(file: str, at: object, message: str, remedy: str, *, field: str | None = None) -> Problem:
    return Problem(
        rule="mapping.file",
        message=message,
        remedy=remedy,
        file=file,
        line=getattr(at, "line", None),
        field=field,
    )
