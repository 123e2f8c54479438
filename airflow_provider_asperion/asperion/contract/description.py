"""An OpenAPI description, version 2 or 3, JSON or YAML, as far as a comparison needs it.

It comes from the other side: its size is bounded, references are followed inside of it only, and circles in
it end somewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from airflow_provider_asperion.records import Problem, ProblemError

MOST_BYTES = 16 * 1024 * 1024
METHODS = ("get", "post", "put", "patch", "delete")
_PAGE_REMEDY = (
    "give the address of the JSON or YAML file, which Swagger's page names below its title, "
    "or save that file and compare it"
)
_JSON_TYPE = re.compile(r"application/(?:[\w.+-]+\+)?json\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; ``place`` is query, header or path."""

    name: str
    place: str
    required: bool
    schema: Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    :param body: schema of what is sent; None: nothing is said of it.
    :param answer: schema of a success; None: nothing is said of it.
    :param security: ways to be let in, each a set of names of schemes; None: nothing is said.
    """

    path: str
    method: str
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    answer: Any = None
    security: tuple[frozenset[str], ...] | None = None


@dataclass(slots=True)
class Description:
    """The description as a whole.

    :param document: as it was read.
    :param source: file name or address.
    """

    document: dict[str, Any]
    source: str
    prefix: str = ""
    _operations: dict[str, list[Operation]] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """Title and version."""
        info = _mapping(self.document.get("info"))
        words = (info.get("title") or "API without a title", info.get("version") or "")
        return " ".join(_words(word) for word in words).strip()

    @property
    def old(self) -> bool:
        """Whether it is version 2, which was called Swagger."""
        return "swagger" in self.document

    @property
    def paths(self) -> Iterator[str]:
        """The paths."""
        return iter(self._operations)

    def operations(self, path: str) -> list[Operation]:
        """Return the operations of one of its paths."""
        return self._operations[path]

    def schemes(self) -> Mapping[str, Any]:
        """Return the ways to log in, by name."""
        if self.old:
            return _mapping(self.document.get("securityDefinitions"))
        return _mapping(_mapping(self.document.get("components")).get("securitySchemes"))

    def resolved(self, thing: Any) -> Mapping[str, Any]:
        """Follow the reference that a thing may be; empty where it leads nowhere, in circles or elsewhere."""
        seen: set[str] = set()
        while isinstance(thing, Mapping) and isinstance(thing.get("$ref"), str):
            reference = thing["$ref"]
            if reference in seen:
                return {}
            seen.add(reference)
            thing = self._at(reference)
        return _mapping(thing)

    def _at(self, reference: str) -> Any:
        """Return what a reference inside the description points at (RFC 6901); None for one to elsewhere."""
        if not reference.startswith("#/"):
            return None
        found: Any = self.document
        for part in reference[2:].split("/"):
            part = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(part)
            elif isinstance(found, list) and part.isascii() and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                return None
        return found


def read_description(content: bytes, source: str) -> Description:
    """Read a description.

    :param source: file name or address, for messages.
    :raises ProblemError: it is none, or none that can be read.
    """
    if len(content) > MOST_BYTES:
        raise _unreadable(
            source, f"has over {MOST_BYTES // 1024 // 1024} MB", "see that it is the right file"
        )
    document = _parsed(content, source)
    if not isinstance(document, dict) or not any(name in document for name in ("openapi", "swagger")):
        raise _unreadable(
            source, "is no OpenAPI description: it has neither openapi nor swagger", _PAGE_REMEDY
        )
    document = _with_text_keys(document)
    if not isinstance(document.get("paths"), Mapping) or not document["paths"]:
        raise _unreadable(source, "describes no path", _PAGE_REMEDY)
    found = Description(document, source, _prefix(document))
    for path, item in document["paths"].items():
        operations = list(_operations(found, path, found.resolved(item)))
        if operations:
            found._operations[path] = operations
    return found


def _parsed(content: bytes, source: str) -> Any:
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        raise _unreadable(source, "is a web page, not a description", _PAGE_REMEDY)
    try:
        if text[:1] in (b"{", b"[") or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return json.loads(content)
        return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except UnicodeDecodeError:
        what = "is not text"
    except json.JSONDecodeError as error:
        what = f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = f"is not YAML (line {mark.line + 1})" if mark is not None else "is not YAML"
    except (RecursionError, ValueError):
        what = "is nested too deeply, or holds values that cannot be read"
    raise _unreadable(source, what, "save the file again; it may be cut off")


def _unreadable(source: str, what: str, remedy: str) -> ProblemError:
    return ProblemError(
        Problem(rule="contract.unreadable", message=f"the description {what}", remedy=remedy, file=source)
    )


def _with_text_keys(document: dict[Any, Any]) -> dict[str, Any]:
    """Return the document with text as keys: YAML reads 200 as a number.

    Objects that stand in several places, as YAML's aliases do, stay one object.
    """
    made: dict[int, Any] = {}
    root: dict[str, Any] = {}
    made[id(document)] = root
    todo: list[tuple[Any, Any]] = [(document, root)]

    def copy(value: Any) -> Any:
        if not isinstance(value, dict | list):
            return value
        if id(value) not in made:
            made[id(value)] = {} if isinstance(value, dict) else []
            todo.append((value, made[id(value)]))
        return made[id(value)]

    while todo:
        source, target = todo.pop()
        if isinstance(source, dict):
            target.update({str(key): copy(value) for key, value in source.items()})
        else:
            target.extend(copy(value) for value in source)
    return root


def _prefix(document: Mapping[str, Any]) -> str:
    """Return what the address of the server puts before each path."""
    if "swagger" in document:
        return _words(document.get("basePath") or "").rstrip("/")
    servers = document.get("servers")
    first = _mapping(servers[0]) if isinstance(servers, list) and servers else {}
    try:
        return urlsplit(_words(first.get("url") or "")).path.rstrip("/")
    except ValueError:
        return ""


def _operations(found: Description, path: str, item: Mapping[str, Any]) -> Iterator[Operation]:
    shared = _list(item.get("parameters"))
    for method in METHODS:
        if method not in item:
            continue
        operation = _mapping(item[method])
        own = [found.resolved(one) for one in (*shared, *_list(operation.get("parameters")))]
        # A parameter of the operation takes the place of the path's of the same name.
        by_name = {(str(one.get("name")), str(one.get("in"))): one for one in own}
        yield Operation(
            path,
            method.upper(),
            tuple(
                _parameter(one) for one in by_name.values() if one.get("in") in ("query", "header", "path")
            ),
            _body(found, operation, list(by_name.values())),
            _answer(found, operation),
            _security(found, operation),
        )


def _parameter(one: Mapping[str, Any]) -> Parameter:
    schema = one.get("schema")
    if schema is None and isinstance(one.get("content"), Mapping):
        schema = _json(one["content"])
    place = str(one["in"])
    return Parameter(
        str(one.get("name")), place, one.get("required") is True, one if schema is None else schema
    )


def _body(found: Description, operation: Mapping[str, Any], parameters: list[Mapping[str, Any]]) -> Any:
    if found.old:
        return next((one.get("schema") for one in parameters if one.get("in") == "body"), None)
    return _json(found.resolved(operation.get("requestBody")).get("content"))


def _answer(found: Description, operation: Mapping[str, Any]) -> Any:
    """Return the schema of the first success that has one."""
    responses = _mapping(operation.get("responses"))
    for status in sorted(responses):
        if not re.fullmatch(r"2\d\d|2XX|default", status, re.IGNORECASE):
            continue
        response = found.resolved(responses[status])
        schema = response.get("schema") if found.old else _json(response.get("content"))
        if schema is not None:
            return schema
    return None


def _json(content: Any) -> Any:
    """Return the schema of the JSON form of a content; of the only form, if there is no JSON."""
    forms = _mapping(content)
    chosen = next((form for kind, form in forms.items() if _JSON_TYPE.match(kind)), None)
    return _mapping(chosen if chosen is not None else forms.get("*/*")).get("schema")


def _security(found: Description, operation: Mapping[str, Any]) -> tuple[frozenset[str], ...] | None:
    stated = operation.get("security", found.document.get("security"))
    if not isinstance(stated, list):
        return None
    return tuple(frozenset(one) for one in stated if isinstance(one, Mapping))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(value: object) -> str:
    return " ".join(str(value).split())[:200]
