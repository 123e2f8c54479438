"""Puts on top of a source document what a person changed in it; the file stays as it is."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.records import SourceDocument


def patched(document: SourceDocument, values: Mapping[str, str | None]) -> SourceDocument:
    """Return a document with other values.

    :param values: dotted path, in which places of lists count from 1, to the new value; None where a value
        can no longer be decrypted.
    :raises ProblemError: one does not apply: the document has no such place.
    """
    data = copy.deepcopy(document.data)
    problems = [problem for path, value in values.items() if (problem := _put(data, path, value)) is not None]
    if problems:
        raise ProblemError(*problems)
    return replace(document, data=data)


def _put(data: dict[str, Any], path: str, value: str | None) -> Problem | None:
    if value is None:
        return _problem(path, "can no longer be decrypted")
    found = _place(data, path.split("."))
    if found is None:
        return _problem(path, "does not apply: the document has no such field")
    group, name = found
    group[name] = value
    return None


def _place(node: Any, parts: list[str]) -> tuple[dict[str, Any], str] | None:
    """Return the group and the name that a path leads to; names may hold dots themselves."""
    if isinstance(node, list):
        place = int(parts[0]) if parts[0].isdecimal() and len(parts[0]) < 8 else 0
        return _place(node[place - 1], parts[1:]) if 0 < place <= len(node) and len(parts) > 1 else None
    if not isinstance(node, dict):
        return None
    for count in range(1, len(parts)):
        found = _place(node.get(".".join(parts[:count])), parts[count:])
        if found is not None:
            return found
    name = ".".join(parts)
    if name in node:
        return None if isinstance(node[name], dict | list) else (node, name)
    # Readers leave empty fields out: a group of fields may get one more, a group of groups not.
    takes_more = len(parts) == 1 and name and any(not isinstance(one, dict | list) for one in node.values())
    return (node, name) if takes_more else None


def _problem(path: str, what: str) -> Problem:
    return Problem(
        rule="patch.stale",
        message=f"the changed value of field {path} {what}",
        remedy="take it back on the page of the record, and change the value once more",
        field=path,
    )
