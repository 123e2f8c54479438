"""JSON schemas as shapes: references followed, allOf laid over each other, oneOf kept as alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_asperion.asperion.contract.ours import DATA, ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_asperion.asperion.contract.description import Description
    from airflow_provider_asperion.asperion.contract.ours import Steps

MOST_ALTERNATIVES = 32
# So many parts are looked at in all, and so deep: a thousand lists would need as many.
MOST_PARTS = 100_000
MOST_DEPTH = 60
_TYPES = frozenset({"string", "integer", "number", "boolean", "object", "array"})
_PYTHON = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may look like.

    :param kinds: JSON types; None: any, or nothing is said.
    :param words: values it may have; None: any.
    :param open: more properties may come than are named.
    """

    kinds: frozenset[str] | None = None
    nullable: bool = False
    form: str | None = None
    words: frozenset[str] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Any = None
    read_only: bool = False
    write_only: bool = False
    open: bool = True

    @property
    def vague(self) -> bool:
        """Whether a property that is not named may come all the same, as far as it says."""
        return self.open and not self.properties and (self.kinds is None or "object" in self.kinds)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at the end of a way.

    :param state: ``unknown``: the description says nothing, or what lies on the way is wrong already.
    :param siblings: what is there instead, of a value that is missing.
    :param place: number of the step that leads nowhere.
    """

    state: Literal["there", "missing", "unknown"]
    shapes: tuple[Shape, ...] = ()
    siblings: frozenset[str] = frozenset()
    place: int = 0


class Shapes:
    """The schemas of a description as shapes, each made once."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self._made: dict[int, tuple[Any, tuple[Shape, ...]]] = {}
        self._parts_left = MOST_PARTS

    def of(self, schema: Any) -> tuple[Shape, ...]:
        """Return the alternatives of a schema; one that says nothing where it cannot be told."""
        known = self._made.get(id(schema))
        if known is None:
            # The schema is kept with it, so that no other object gets its id.
            known = (schema, self._alternatives(schema, ()))
            self._made[id(schema)] = known
        return known[1]

    def find(self, schema: Any, steps: Steps, *, reading: bool) -> Found:
        """Go from a schema along a way.

        :param reading: as our reader does it: a nested list may stand without ``_data`` around it, and what
            can only be written does not come.
        """
        shapes = self.of(schema)
        for place, step in enumerate(steps):
            nested_list = reading and step == DATA and place > 0
            if nested_list and shapes and all(shape.kinds == frozenset({"array"}) for shape in shapes):
                continue
            following = self._step(shapes, step)
            if following is None:
                if step == ITEMS or any(shape.vague for shape in shapes):
                    return Found("unknown")
                if not any(shape.kinds is None or "object" in shape.kinds for shape in shapes):
                    return Found("unknown")
                names = frozenset(name for shape in shapes for name in shape.properties)
                return Found("missing", siblings=names, place=place)
            shapes = following
        if reading and shapes and all(shape.write_only for shape in shapes):
            return Found("missing", place=len(steps) - 1)
        return Found("there", shapes)

    def _step(self, shapes: Iterable[Shape], step: str) -> tuple[Shape, ...] | None:
        """Return what is one step further; None where none of the alternatives has it."""
        if step == ITEMS:
            inner = [shape.items for shape in shapes if shape.items is not None]
        else:
            inner = [shape.properties[step] for shape in shapes if step in shape.properties]
        return tuple(one for schema in inner for one in self.of(schema)) if inner else None

    def _alternatives(self, schema: Any, way: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the alternatives of a schema; one that says nothing for circles and towers of parts."""
        self._parts_left -= 1
        schema = self._description.resolved(schema)
        if not schema or id(schema) in way or len(way) > MOST_DEPTH or self._parts_left < 0:
            return (Shape(),)
        inside = (*way, id(schema))
        layers: list[tuple[Shape, ...]] = [(_own(schema),)]
        # The same part twice says nothing more.
        once = {id(part): part for part in map(self._description.resolved, _parts(schema, "allOf"))}
        layers += [self._alternatives(part, inside) for part in once.values()]
        for word in ("oneOf", "anyOf"):
            either = tuple(one for part in _parts(schema, word) for one in self._alternatives(part, inside))
            if either:
                layers.append(_without_null(either))
        if prod(map(len, layers)) > MOST_ALTERNATIVES:
            return (Shape(),)
        return tuple(reduce(_laid_over, layer) for layer in product(*layers))


def _own(schema: Mapping[str, Any]) -> Shape:
    """Return what a schema says itself, without its parts."""
    stated = schema.get("type")
    types = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    known = frozenset(one for one in types if one in _TYPES)
    enum = schema.get("enum")
    values = enum if isinstance(enum, list) else [schema["const"]] if "const" in schema else None
    properties = schema.get("properties")
    kinds: frozenset[str] | None = known or None
    if kinds is None:
        kinds = _implied(schema, values)
    required = schema.get("required")
    stated_form = schema.get("format")
    return Shape(
        kinds=kinds,
        nullable=schema.get("nullable") is True
        or schema.get("x-nullable") is True
        or "null" in types
        or (values is not None and None in values),
        form=stated_form if isinstance(stated_form, str) else None,
        words=None if values is None else frozenset(_word(one) for one in values if one is not None),
        properties=properties if isinstance(properties, Mapping) else {},
        required=frozenset(str(one) for one in required) if isinstance(required, list) else frozenset(),
        items=schema.get("items"),
        read_only=schema.get("readOnly") is True,
        write_only=schema.get("writeOnly") is True,
        open=schema.get("additionalProperties") is not False,
    )


def _implied(schema: Mapping[str, Any], values: list[Any] | None) -> frozenset[str] | None:
    """Return the types of a schema that names none, as far as the rest says."""
    if values:
        return frozenset(_PYTHON[type(one)] for one in values if type(one) in _PYTHON) or None
    if isinstance(schema.get("properties"), Mapping):
        return frozenset({"object"})
    return frozenset({"array"}) if "items" in schema else None


def _laid_over(below: Shape, above: Shape) -> Shape:
    """Return what holds when both do."""
    shared = below.properties.keys() & above.properties.keys()
    pairs = {name: (below.properties[name], above.properties[name]) for name in shared}
    both = {name: {"allOf": list(pair)} for name, pair in pairs.items() if pair[0] is not pair[1]}
    return replace(
        below,
        kinds=_narrower(below.kinds, above.kinds),
        nullable=below.nullable or above.nullable,
        form=above.form or below.form,
        words=_narrower(below.words, above.words),
        properties={**below.properties, **above.properties, **both},
        required=below.required | above.required,
        items=below.items if above.items is None else above.items,
        read_only=below.read_only or above.read_only,
        write_only=below.write_only or above.write_only,
        open=below.open and above.open,
    )


def _narrower(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    wide = one | ({"integer"} if "number" in one else set())
    return wide & (other | ({"integer"} if "number" in other else set())) or one


def _without_null(shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Take an alternative that is only null for what it says: the others may be null."""
    rest = tuple(shape for shape in shapes if not _is_null(shape))
    if len(rest) == len(shapes) or not rest:
        return shapes
    return tuple(replace(shape, nullable=True) for shape in rest)


def _is_null(shape: Shape) -> bool:
    return (
        shape.nullable and shape.kinds is None and not shape.properties and shape.words in (None, frozenset())
    )


def _parts(schema: Mapping[str, Any], word: str) -> list[Any]:
    stated = schema.get(word)
    return stated if isinstance(stated, list) else []


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
