"""Parses and compiles expressions: what they may name is checked at load, a fault is shown with a caret."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import ignored_tokens
from jinja2.parser import Parser

from airflow_provider_asperion.mapping.sandbox import TEXT_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_asperion.mapping.sandbox import Sandbox

LONGEST_EXPRESSION = 2_000
RESULT = "_result"
SKIPPED = "_skipped"
_NAVIGATION = frozenset({"partner", "texts", "material"})


class ExpressionError(Exception):
    """An expression is wrong: what, where (0-based offset in its text, if known) and what to do."""

    def __init__(self, message: str, *, remedy: str, offset: int | None = None) -> None:
        self.message, self.remedy, self.offset = message, remedy, offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may name.

    :param functions: names that may be called.
    :param known: other names: ``line``, the mapping's own names.
    :param is_root: tells whether a name can be one at the top of the document.
    """

    functions: frozenset[str]
    known: frozenset[str]
    is_root: Callable[[str], bool]

    def everything(self) -> list[str]:
        """Return all names, for a did-you-mean."""
        return sorted(self.functions | self.known)


def parse(sandbox: Sandbox, text: str, names: Names) -> nodes.Expr:
    """Return the tree of an expression.

    :raises ExpressionError: for a syntax error, an unknown name, function or filter, a power, a name with a
        leading underscore.
    """
    if len(text) > LONGEST_EXPRESSION:
        raise ExpressionError(
            f"the expression is longer than {LONGEST_EXPRESSION} characters", remedy="split it into names"
        )
    try:
        tree = _tree(sandbox, text)
        for node in (tree, *tree.find_all(nodes.Expr)):
            _check(node, sandbox, names)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", remedy="split it into names") from None
    return tree


def sources(tree: nodes.Expr) -> tuple[str, ...]:
    """Return the fields that an expression reads, as dotted paths in the order of their mention."""
    found: dict[str, None] = {}
    everything = [tree, *tree.find_all(nodes.Expr)]
    inner = {
        id(node.node) for node in everything if isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Call))
    }
    inner |= {
        id(node.args[0]) for node in everything if isinstance(node, nodes.Call) and _path(node) and node.args
    }
    for node in everything:
        path = _path(node)
        if path is not None and id(node) not in inner:
            found[path] = None
    return tuple(found)


def compile_program(
    sandbox: Sandbox, rows: Mapping[str, nodes.Expr], names: Sequence[tuple[str, nodes.Expr]] = ()
) -> Program:
    """Compile many expressions into one that gives a dict; ``names`` are evaluated first, in order."""
    pairs = [nodes.Pair(nodes.Const(key), tree) for key, tree in rows.items()]
    body: list[nodes.Node] = [_assign(name, tree) for name, tree in names]
    body.append(_assign(RESULT, nodes.Dict(pairs)))
    template = nodes.Template(body, lineno=1)
    template.set_environment(sandbox)
    return Program(sandbox, template)


class Program:
    """Compiled expressions: called with variables, gives a dict of what each one evaluates to."""

    def __init__(self, sandbox: Sandbox, template: nodes.Template) -> None:
        self._template = sandbox.from_string(template)

    def __call__(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Evaluate; exceptions come as the functions raise them."""
        context = self._template.new_context(variables, shared=True)
        for _ in self._template.root_render_func(context):
            pass
        result: dict[str, Any] = context.vars[RESULT]
        return result


def conditional(condition: nodes.Expr, tree: nodes.Expr) -> nodes.Expr:
    """Return an expression that gives the SKIPPED mark where the condition does not hold."""
    return nodes.CondExpr(condition, tree, nodes.Name(SKIPPED, "load"), lineno=1)


def _assign(name: str, tree: nodes.Expr) -> nodes.Assign:
    return nodes.Assign(nodes.Name(name, "store"), tree, lineno=1)


def _tree(sandbox: Sandbox, text: str) -> nodes.Expr:
    offsets = _offsets(sandbox, text)
    parser = None
    try:
        parser = Parser(sandbox, text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f"unexpected {parser.stream.current.value!r}", 1)
    except TemplateSyntaxError as error:
        left = len(list(parser.stream)) if parser else len(offsets)
        at = offsets[len(offsets) - left] if 0 < left <= len(offsets) else len(text)
        message = (error.message or "").replace("end of template", "end of the expression")
        raise ExpressionError(message, remedy="correct the expression at the caret", offset=at) from None
    return tree


def _offsets(sandbox: Sandbox, text: str) -> list[int]:
    """Return where each token of an expression begins."""
    found, position = [], 0
    try:
        for _, kind, value in sandbox.lexer.tokeniter(text, None, None, "variable"):
            if kind not in ignored_tokens:
                found.append(position)
            position += len(value)
    except TemplateSyntaxError as error:
        raise ExpressionError(
            re.sub(r" at \d+$", "", error.message or "unexpected character"),
            remedy="correct the expression at the caret",
            offset=position,
        ) from None
    return found


def _check(node: nodes.Node, sandbox: Sandbox, names: Names) -> None:
    if isinstance(node, nodes.Pow):
        raise ExpressionError("powers (**) are not calculated here", remedy="multiply instead")
    if isinstance(node, nodes.Getattr):
        _check_private(node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        _check_private(node.arg.value)
    if isinstance(node, nodes.Call):
        _check_call(node, names)
    if isinstance(node, nodes.Name):
        _check_name(node.name, names)
    if isinstance(node, nodes.Filter):
        _check_listed("filter", node.name, sandbox.filters)
    if isinstance(node, nodes.Test):
        _check_listed("test", node.name, sandbox.tests)


def _check_private(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise ExpressionError(
            f"{name!r} is not a field: names with a leading underscore are closed",
            remedy="name a field of the document",
        )


def _check_call(node: nodes.Call, names: Names) -> None:
    called = node.node
    if isinstance(called, nodes.Name):
        _check_listed("function", called.name, names.functions)
    elif not isinstance(called, nodes.Getattr) or called.attr not in TEXT_METHODS:
        shown = f"{called.attr!r}" if isinstance(called, nodes.Getattr) else "this"
        raise ExpressionError(
            f"{shown} cannot be called", remedy=f"texts have the functions {', '.join(sorted(TEXT_METHODS))}"
        )


def _check_name(name: str, names: Names) -> None:
    if name in names.functions or name in names.known or names.is_root(name):
        return
    close = difflib.get_close_matches(name, names.everything(), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ExpressionError(
        f"there is no {name!r} in such a document",
        remedy=f"{hint}a fixed text is written in quotes inside the expression: \"'{name}'\"",
    )


def _check_listed(kind: str, name: str, known: Any) -> None:
    if name in known:
        return
    close = difflib.get_close_matches(name, list(known), n=1)
    raise ExpressionError(
        f"there is no {kind} {name!r}",
        remedy=f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(known))}",
    )


def _path(node: nodes.Node) -> str | None:
    """Return the path of a field: ``line.MENGE``, ``partner(AG).NAME1``, ``E1EDK02[001].BELNR``."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        parent = _path(node.node)
        return f"{parent}.{node.attr}" if parent else None
    if isinstance(node, nodes.Getitem):
        return _path(node.node)
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name):
        return None
    chosen = "/".join(str(arg.value) for arg in node.args if isinstance(arg, nodes.Const))
    if node.node.name == "qualifier" and node.args:
        parent = _path(node.args[0])
        return f"{parent}[{chosen}]" if parent else None
    return f"{node.node.name}({chosen})" if node.node.name in _NAVIGATION else None
