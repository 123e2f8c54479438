"""docs/troubleshooting.md explains every rule that a Problem can have, and none that does not exist.

The rules are read from the source: what is given to a parameter named ``rule`` by keyword or by place, the
``rule`` of a class, what a variable ``rule`` is set to, and the ``.missing`` that ``problems_of`` puts behind
the rule of its caller.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "airflow_provider_asperion"
SANDBOX = "sandbox"  # its rules are faults that a tester orders, and no problems
RULE = re.compile(r"[a-z][a-z_]*(\.[a-z_]+)+")
# The first cell of a row about rules holds nothing else.
ROW = re.compile(r"\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) \| [^|]{5,} \| [^|]{5,} \|")

Place = str


class Rules:
    """What the source says about rules: the rules, and the places where it says it in a way unknown here."""

    def __init__(self, modules: dict[str, ast.Module]) -> None:
        self.found: dict[str, Place] = {}
        self.unknown: list[Place] = []
        everywhere = {module: rule_parameters(tree) for module, tree in modules.items()}
        for module, tree in modules.items():
            takers = everywhere[module] | {
                name: everywhere[origin][name]
                for origin, name in imports(tree)
                if name in everywhere.get(origin, {})
            }
            self._read(module, tree, takers)

    def _read(self, module: str, tree: ast.Module, takers: dict[str, int]) -> None:
        for node in ast.walk(tree):
            for value, makes_missing in values(node, takers):
                place = f"{module}:{value.lineno}"
                rules = constants(value)
                if rules is None:
                    self.unknown.append(f"{place}: {ast.unparse(value)}")
                for rule in rules or ():
                    self.found.setdefault(rule, place)
                    if makes_missing:
                        self.found.setdefault(f"{rule}.missing", place)


def values(node: ast.AST, takers: dict[str, int]) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the expressions that give a rule, and whether ``problems_of`` makes two of it.

    :param takers: the place of the parameter ``rule`` by the name of what takes it.
    """
    if isinstance(node, ast.Call):
        name = name_of(node.func)
        for keyword in node.keywords:
            if keyword.arg == "rule":
                yield keyword.value, name == "problems_of"
        if takers.get(name, len(node.args)) < len(node.args):
            yield node.args[takers[name]], name == "problems_of"
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        default = default_of_rule(node)
        if default is not None:
            yield default, node.name == "problems_of"
    elif isinstance(node, ast.Assign):
        yield from ((value, False) for value in assigned_to_rule(node))


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield module and name of what a module imports by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def rule_parameters(tree: ast.Module) -> dict[str, int]:
    """Return the place of the parameter ``rule`` by the name of the function or class that takes it."""
    found = {}
    for node in ast.walk(tree):
        holder = node.name if isinstance(node, ast.ClassDef) else None
        functions = node.body if isinstance(node, ast.ClassDef | ast.Module) else []
        for function in functions:
            if not isinstance(function, ast.FunctionDef):
                continue
            names = [argument.arg for argument in function.args.args]
            if "rule" in names:
                name = holder if holder and function.name == "__init__" else function.name
                found[name] = names.index("rule") - ("self" in names)
    return found


def default_of_rule(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    pairs = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return next((default for argument, default in pairs if argument.arg == "rule" and default), None)


def assigned_to_rule(node: ast.Assign) -> Iterator[ast.expr]:
    for target in node.targets:
        if name_of(target) == "rule":
            yield node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=True)
            yield from (value for one, value in pairs if name_of(one) == "rule")


def constants(value: ast.expr) -> list[str] | None:
    """Return the rules that an expression can be; none for one that hands a rule on; None: cannot be told."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, ast.IfExp):
        either, other = constants(value.body), constants(value.orelse)
        return None if either is None or other is None else either + other
    if isinstance(value, ast.JoinedStr):
        return [] if ast.unparse(value) == "f'{rule}.missing'" else None
    return [] if name_of(value) == "rule" else None


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


@pytest.fixture(scope="module")
def rules(repository: Path) -> Rules:
    modules = {}
    for path in sorted((repository / PACKAGE).rglob("*.py")):
        parts = path.relative_to(repository).with_suffix("").parts
        if parts[1] != SANDBOX:
            modules[".".join(parts)] = ast.parse(path.read_text("utf-8"))
    return Rules(modules)


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "troubleshooting.md").read_text("utf-8")


def explained(page: str) -> list[str]:
    """Return the rules of the first column of the page's tables."""
    firsts = [match[1] for match in map(ROW.fullmatch, page.splitlines()) if match]
    return [rule for first in firsts for rule in re.findall(r"`([^`]+)`", first)]


@pytest.mark.feature("W4", "W7")
def test_every_rule_of_the_source_is_explained(rules: Rules, page: str) -> None:
    missing = {rule: place for rule, place in rules.found.items() if rule not in explained(page)}
    assert not missing, "docs/troubleshooting.md does not explain them"


def test_the_page_explains_no_rule_that_is_gone(rules: Rules, page: str) -> None:
    gone = sorted(set(explained(page)) - rules.found.keys())
    assert not gone, "no source raises them any more"


def test_no_rule_is_explained_twice(page: str) -> None:
    told = explained(page)
    assert sorted(told) == sorted(set(told))


def test_the_source_names_every_rule_in_a_way_that_is_read_here(rules: Rules) -> None:
    assert rules.unknown == []
    assert [rule for rule in rules.found if not RULE.fullmatch(rule)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Problem(rule="a.b", message="c.d")', {"a.b"}),
        ('Problem(rule="a.b" if cut else "a.c")', {"a.b", "a.c"}),
        ('class Fault:\n    rule = "a.b"\nto_problem(rule=error.rule)', {"a.b"}),
        ('rule, what = "a.b", "c.d"', {"a.b"}),
        ('def _fault(name, rule): ...\n_fault("c.d", "a.b")', {"a.b"}),
        ('class Desk:\n    def _refuse(self, rule): ...\n    def go(self): self._refuse("a.b")', {"a.b"}),
        ('class Fault:\n    def __init__(self, rule): ...\nraise Fault("a.b")', {"a.b"}),
        ('problems_of(error, rule="a.b")', {"a.b", "a.b.missing"}),
        ('def check(*, rule: str = "a.b"): ...', {"a.b"}),
    ],
)
def test_rules_are_found_in_the_ways_they_are_given(text: str, found: set[str]) -> None:
    read = Rules({"module": ast.parse(text)})
    assert (set(read.found), read.unknown) == (found, [])


def test_rules_are_found_through_imports_and_not_by_a_name_alone() -> None:
    helper = ast.parse("def broken(rule, message): ...")
    user = ast.parse('from package.drafts import broken\nbroken("a.b", "c.d")')
    other = ast.parse('def broken(file): ...\nbroken("e.f")')
    assert set(Rules({"package.drafts": helper, "user": user, "other": other}).found) == {"a.b"}


def test_a_rule_that_is_put_together_is_told() -> None:
    read = Rules({"module": ast.parse('Problem(rule=f"a.{kind}")')})
    assert read.unknown == ["module:1: f'a.{kind}'"]
