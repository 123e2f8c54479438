"""The sandbox of expressions: Jinja2's immutable one, narrowed to data, text and bounded arithmetic.

Jinja2's sandbox keeps an expression away from Python; it does not keep it from eating memory. Here an
expression reaches nothing but dicts, lists, text and the functions handed in; no operator or filter makes
more than it was given, but for a bounded amount. What is absent stays absent down any chain, and never
raises.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from jinja2 import ChainableUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.runtime import Context

LONGEST_TEXT = 10_000
LONGEST_LIST = 100_000
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
TEXT_METHODS = frozenset(
    {"casefold", "count", "endswith", "find", "isalnum", "isalpha", "isdigit", "lower", "lstrip"}
    | {"partition", "removeprefix", "removesuffix", "replace", "rpartition", "rsplit", "rstrip"}
    | {"split", "startswith", "strip", "title", "upper"}
)
_KEPT_FILTERS = (
    *("capitalize", "d", "default", "first", "last", "length", "list", "lower", "map", "max", "min"),
    *("reject", "rejectattr", "select", "selectattr", "sort", "string", "sum", "title", "trim", "unique"),
    "upper",
)


class Absent(ChainableUndefined):
    """What is not in the document: false, empty, and absent in whatever is done with it."""

    __slots__ = ()

    def __call__(self, *_: Any, **__: Any) -> Absent:  # type: ignore[override]
        """Give nothing, as a method of an absent text does."""
        return self

    def _nothing(self, _: Any) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _nothing  # type: ignore[assignment]


ABSENT = Absent()


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment in which the expressions of one mapping are compiled and run.

    :param filters: functions of a mapping that also work as filters.
    """

    intercepted_binops = frozenset({*_OPERATORS, "**"})
    intercepted_unops = frozenset({"-", "+"})

    def __init__(self, filters: dict[str, Callable[..., Any]]) -> None:
        super().__init__(undefined=Absent, autoescape=False, cache_size=0)
        self.globals.clear()
        kept = {name: self.filters[name] for name in _KEPT_FILTERS}
        self.filters.clear()
        self.filters.update({**kept, "join": join, "replace": replace, **filters})

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read ``obj.attribute``: a field of a segment, of the first of several, or a method of a text."""
        if isinstance(obj, list):
            obj = obj[0] if obj else ABSENT
        if isinstance(obj, dict):
            return obj.get(attribute, ABSENT)
        if isinstance(obj, str):
            return _text_method(obj, attribute)
        return ABSENT

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read ``obj[argument]``: the n-th segment or character, else as ``obj.argument``."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, dict) and isinstance(argument, int):
            return obj.get(argument, ABSENT)
        if isinstance(obj, (list, tuple, str)) and isinstance(argument, int):
            return obj[argument] if -len(obj) <= argument < len(obj) else ABSENT
        return ABSENT

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a function: one of ours or of a text, as ``expressions.parse`` has seen to."""
        return __obj(*args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate; with an absent part the result is absent. Numbers are exact, never floats."""
        if _is_absent(left) or _is_absent(right):
            return ABSENT
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return bounded(left + right)
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            return _bounded_list(left, right)
        if operator not in _OPERATORS:
            raise BadValueError("powers are not calculated here", remedy="multiply instead")
        try:
            return _OPERATORS[operator](_number(left), _number(right))
        except (DivisionByZero, InvalidOperation):
            raise BadValueError(
                "this divides by zero, or is no calculation", remedy="guard the row with `when`"
            ) from None

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Apply a sign."""
        if _is_absent(arg):
            return ABSENT
        return -_number(arg) if operator == "-" else _number(arg)


def _is_absent(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


def _number(value: Any) -> Decimal:
    if isinstance(value, (Decimal, int, float)):
        return value if isinstance(value, Decimal) else Decimal(str(value))
    raise BadValueError(
        "a calculation needs numbers, and this is text", remedy="write decimal(FIELD)", value=value
    )


def _bounded_list(first: list[Any], second: list[Any]) -> list[Any]:
    """Return two lists as one, such as the lines of an order and one that is always added."""
    if len(first) + len(second) > LONGEST_LIST:
        raise BadValueError(f"the list is longer than {LONGEST_LIST:,} entries", remedy="take a part of it")
    return [*first, *second]


def _text_method(text: str, name: str) -> Any:
    if name not in TEXT_METHODS:
        return ABSENT
    return partial(replace, text) if name == "replace" else getattr(text, name)


def bounded(text: str) -> str:
    """Return a text that is not too long to be a field."""
    if len(text) > LONGEST_TEXT:
        raise BadValueError(
            f"the text is longer than {LONGEST_TEXT:,} characters", remedy="take a part of it"
        )
    return text


def replace(value: object, old: str, new: str) -> str:
    """Return a text with every ``old`` replaced by ``new``."""
    text, old, new = text_of(value) or "", str(old), str(new)
    if len(text) + (text.count(old) * len(new)) > LONGEST_TEXT:
        raise BadValueError(
            f"the text is longer than {LONGEST_TEXT:,} characters", remedy="take a part of it"
        )
    return text.replace(old, new)


def join(values: object, separator: str = "") -> str:
    """Return several values as one text, those that are absent or empty left out."""
    rows = values if isinstance(values, Iterable) and not isinstance(values, (str, dict)) else [values]
    texts = [text for value in rows if (text := text_of(value)) is not None]
    if sum(map(len, texts)) + len(texts) * len(separator) > LONGEST_TEXT:
        raise BadValueError(
            f"the text is longer than {LONGEST_TEXT:,} characters", remedy="take a part of it"
        )
    return str(separator).join(texts)
