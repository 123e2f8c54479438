"""Reads the settings file; an error names the line, the setting and what it should be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.settings.model import Settings

if TYPE_CHECKING:
    from pathlib import Path

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_settings(path: Path) -> Settings:
    """Read and check a settings file.

    :raises ProblemError: with one problem per fault, each naming the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(
            Problem(
                rule="settings.unreadable",
                message=f"the settings file {path} cannot be read: {_reason(error)}",
                remedy="make one with `asperion init`, or correct [asperion] settings",
                file=path.name,
            )
        ) from error
    return parse_settings(text, name=path.name)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not in UTF-8"
    return error.strerror or type(error).__name__


def parse_settings(text: str, *, name: str = "asperion.yaml") -> Settings:
    """Check the text of a settings file; ``name`` is the file name that problems show."""
    try:
        tree = yaml.compose(text, Loader=_LOADER)
        values = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, the C one where there is one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ProblemError(
            Problem(
                rule="settings.yaml",
                message=f"this is no YAML: {error.problem}",
                remedy="correct the indentation or the quotes at that line",
                file=name,
                line=mark.line + 1 if mark else None,
            )
        ) from error
    _refuse_doubles(tree, name)
    try:
        return Settings.model_validate(values if values is not None else {})
    except ValidationError as error:
        raise ProblemError(*(_problem(one, tree, name) for one in error.errors(include_url=False))) from error


def _problem(complaint: Any, tree: yaml.Node | None, name: str) -> Problem:
    """Say one complaint of pydantic with the line it is about."""
    path = [part for part in complaint["loc"] if part != "[key]"]
    field = ".".join(str(part) for part in path)
    message, remedy = complaint["msg"].removeprefix("Value error, "), "correct the value at that line"
    if complaint["type"] == "extra_forbidden":
        known = _siblings(path[:-1])
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        message = f"there is no setting {path[-1]!r} here"
        remedy = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
    elif complaint["type"] == "missing":
        message, remedy = "this setting is mandatory", f"add `{path[-1]}:` here"
    return Problem(
        rule="settings.value",
        message=message,
        remedy=remedy,
        file=name,
        line=_line(tree, path),
        field=field or None,
    )


def _line(tree: yaml.Node | None, path: list[Any]) -> int | None:
    """Return the 1-based line of the node at a path, or of its nearest parent that is there."""
    line = tree.start_mark.line + 1 if tree is not None else None
    for part in path:
        if isinstance(tree, yaml.MappingNode):
            pairs = [(key, value) for key, value in tree.value if key.value == str(part)]
            if not pairs:
                return line
            line, tree = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int) and part < len(tree.value):
            tree = tree.value[part]
            line = tree.start_mark.line + 1
    return line


def _siblings(path: list[Any]) -> list[str]:
    """Return the settings that exist at a path, for a did-you-mean."""
    schema = Settings.model_json_schema()
    node: dict[str, Any] = schema
    for part in path:
        block = _resolved(node, schema)
        patterns = block.get("patternProperties", {}).values()
        free: Any = block.get("additionalProperties") or next(iter(patterns), {})
        node = block.get("properties", {}).get(str(part)) or free
    return sorted(_resolved(node, schema).get("properties", {}))


def _resolved(node: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and take the object among alternatives such as ``Model | None``."""
    while isinstance(node, dict) and ("$ref" in node or "anyOf" in node):
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        else:
            node = next((one for one in node["anyOf"] if one.get("type") != "null"), {})
    return node if isinstance(node, dict) else {}


def _refuse_doubles(node: yaml.Node | None, name: str) -> None:
    """Refuse a key that stands twice in one block: YAML would silently take the last."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _refuse_doubles(one, name)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            raise ProblemError(
                Problem(
                    rule="settings.double",
                    message=f"the setting {key.value!r} stands twice in the same block",
                    remedy="keep one of the two",
                    file=name,
                    line=key.start_mark.line + 1,
                    field=key.value,
                )
            )
        seen.add(key.value)
        _refuse_doubles(value, name)
