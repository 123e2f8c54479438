"""Each name that we use, when it is gone, renamed or of another type, is found: none is forgotten.

The sandbox's description is what is mutated; it shares nothing with the client's names.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_asperion.asperion import Names
from airflow_provider_asperion.asperion.contract import calls_of, compare, read_description
from airflow_provider_asperion.asperion.contract.description import Parameter
from airflow_provider_asperion.asperion.contract.ours import ITEMS
from airflow_provider_asperion.sandbox.openapi import openapi_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.asperion.contract import Call, Finding, Part
    from airflow_provider_asperion.asperion.contract.description import Operation

pytestmark = pytest.mark.feature("X7")
# Names that the defaults leave out and settings may fill in; each is a name that the sandbox has.
MORE = Names.model_validate(
    {
        "article": {"warehouses": None, "custom": ["warehouses"], "vat_code": "characteristic5"},
        "query": {"order_value": "id", "changed": {"debtors": ["DateAdded"], "articles": ["DateAdded"]}},
    }
)
NAMES = {"defaults": Names(), "more": MORE}


def document() -> dict[str, Any]:
    """Return the sandbox's description, each schema an object of its own."""
    return inlined(openapi_document("http://localhost"), openapi_document("http://localhost"))


def inlined(thing: Any, whole: dict[str, Any]) -> Any:
    if isinstance(thing, dict) and "$ref" in thing:
        return inlined(whole["components"]["schemas"][thing["$ref"].rpartition("/")[2]], whole)
    if isinstance(thing, dict):
        return {name: inlined(value, whole) for name, value in thing.items()}
    return [inlined(value, whole) for value in thing] if isinstance(thing, list) else thing


DOCUMENT = document()
DESCRIPTION = read_description(json.dumps(DOCUMENT).encode(), "sandbox")
CALLS = {title: calls_of(names) for title, names in NAMES.items()}
LISTS = [call for call in CALLS["defaults"] if call.method == "GET" and "{" not in call.path]


@contextmanager
def changed(properties: dict[str, Any], name: str, instead: dict[str, Any]) -> Iterator[None]:
    """Take a property away, and put others in its place, for a while."""
    before = dict(properties)
    del properties[name]
    properties.update(instead)
    try:
        yield
    finally:
        properties.clear()
        properties.update(before)


def operation(call: Call) -> Operation:
    path = next(path for path in DESCRIPTION.paths if path.lower() == call.path.lower())
    return next(one for one in DESCRIPTION.operations(path) if one.method == call.method)


def siblings(call: Call, side: str, part: Part) -> dict[str, Any]:
    """Return the properties among which the last step of a part is."""
    found = operation(call).answer if side == "reads" else operation(call).body
    for step in part.steps[:-1]:
        found = found["items"] if step == ITEMS else found["properties"][step]
    return found["properties"]


def cases(*sides: str) -> list[Any]:
    """Return every part of every call, those of other settings where the defaults do not have them."""
    known, found = set(), []
    for title, calls in CALLS.items():
        for call in calls:
            for side in sides:
                for part in getattr(call, side):
                    if (call.name, side, part) not in known:
                        known.add((call.name, side, part))
                        found.append(
                            pytest.param(title, call, side, part, id=f"{call.name} {side} {part.name}")
                        )
    return found


def breaks(title: str, call: Call, part: Part) -> list[Finding]:
    """Return what the comparison finds about this part in this call."""
    lists = [one for one in LISTS if one.path == part.of_list and one != call]
    found = compare(DESCRIPTION, NAMES[title], [call, *lists])
    return [one for one in found.of("breaks") if one.name == part.name and call.name in one.calls]


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_the_sandbox_fits(names):
    found = compare(DESCRIPTION, names)
    assert [one for one in found.findings if one.level != "note"] == []
    assert (found.fits, found.unknown) == (True, 0)
    assert found.compared > 500


@pytest.mark.parametrize(("title", "call", "side", "part"), cases("reads", "sends"))
def test_a_field_that_is_gone_renamed_or_of_another_type(title, call, side, part):
    there, name = siblings(call, side, part), part.steps[-1]
    with changed(there, name, {}):
        found = breaks(title, call, part)
        assert [one.rule[:14] for one in found] == ([] if part.if_there else ["contract.field"])
    assert breaks(title, call, part) == []

    now = f"{name}Text"
    with changed(there, name, {now: there[name]}):
        found = next(iter(breaks(title, call, part)), None)
    assert (found is None) == part.if_there
    if found is not None:
        assert found.rule == "contract.field_renamed"
        assert now in found.message
    if found is not None and part.setting is not None:
        assert f"names.{part.setting}" in found.settings
        assert found.remedy.endswith(f": {now}")

    strange = next(kind for kind in ("boolean", "integer", "object") if kind not in part.kinds)
    with changed(there, name, {name: {"type": strange}}):
        assert [one.rule for one in breaks(title, call, part)] == ["contract.type"]


@pytest.mark.parametrize(("title", "call", "side", "part"), cases("query"))
def test_a_parameter_that_is_gone_or_of_another_type(title, call, side, part, monkeypatch):
    described = operation(call)
    rest = tuple(one for one in described.parameters if one.name != part.name)
    assert len(rest) == len(described.parameters) - 1
    for parameters, rule in (
        (rest, "contract.parameter"),
        ((*rest, Parameter(part.name, "query", False, {"type": "array"})), "contract.type"),
    ):
        monkeypatch.setitem(
            DESCRIPTION._operations, described.path, [replace(described, parameters=parameters)]
        )
        assert [one.rule for one in breaks(title, call, part)] == [rule]


@pytest.mark.parametrize("call", CALLS["defaults"], ids=lambda call: call.name)
def test_a_call_that_is_gone_or_has_another_path(call):
    for change in (lambda path: None, lambda path: path.replace("/v1/", "/v1/all")):
        changed = copy.deepcopy(DOCUMENT)
        path = next(path for path in changed["paths"] if path.lower() == call.path.lower())
        item, now = changed["paths"][path], change(path)
        one = item.pop(call.method.lower())
        if now:
            changed["paths"][now] = {call.method.lower(): one}
            del changed["paths"][path]
        found = compare(read_description(json.dumps(changed).encode(), "changed"), Names())
        (told,) = [one for one in found.of("breaks") if call.name in one.calls]
        assert told.rule in ("contract.method", "contract.endpoint")
        assert now is None or now in told.message
