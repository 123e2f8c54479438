"""Writes a settings file in which every option stands with its default and its explanation.

Made from the settings' own models, so that it never tells of an option that is not there, nor leaves one out.
"""

from __future__ import annotations

import inspect
import json
import textwrap
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from airflow_provider_asperion.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

SCHEMA_FILE = "asperion.schema.json"
WIDTH = 100
# The names of the wire are hundreds, and right as they are for nearly everybody: the schema lists them.
BRIEF = frozenset({"names"})
OPTIONS_OF_FLOW = 4  # how deep the options of a flow stand

HEAD = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
#
# Settings of airflow-provider-asperion. Each option stands here with its default: change what differs, and
# delete what you do not want to see. Passwords and keys are no settings: they are in Airflow's connections.
# `asperion check` tries all of it; an editor that knows YAML schemas explains each option.
"""

# What the models leave unsaid.
EXPLAINED = {
    "version": "Version of this file's form.",
    "integrations": "One block per administration and SAP system; the name is up to you.",
    "enabled": "Whether the flow has a DAG.",
    "retry_delay_seconds": "Time before Airflow tries a task again.",
    "csv": "Delimited files. Every site writes its own, so all of it is a setting.",
}

EXAMPLES = {
    "aliases": "ZORDERS: ORDERS",
    "defaults": "customer.billing.country: NL\ndate: today\nlines.vat_code: V21",
    "forced": "sales_type: WEB",
    "look_ups": "payment_condition:\n  table: {'0001': '14', '0002': '30'}\n  default: '30'",
    "rows": "channel: \"'webshop'\"\nremarks: null",
    "collective": "customer_number: '10001'\nchannels: [webshop]",
    "trailer": "marker: TRAILER\nrows: 2",
    "names": "tenant_header: X-TenantId",
}


@dataclass(slots=True)
class Told:
    """Which blocks of options were explained, by the flow in which they were, and the flow at hand."""

    flow: str = ""
    blocks: dict[type, str] = field(default_factory=dict)


def template() -> str:
    """Return the text of a settings file that equals the defaults."""
    return "\n".join([HEAD, *_block(Settings(), 0, Told())]) + "\n"


def _block(model: BaseModel, depth: int, told: Told) -> Iterator[str]:
    for name, option in type(model).model_fields.items():
        yield from _option(name, option, getattr(model, name), depth, told)


def _option(name: str, option: FieldInfo, value: Any, depth: int, told: Told) -> Iterator[str]:
    """Yield the lines of an option.

    A block of a flow that an earlier flow has as well was explained there.
    """
    before = told.blocks.get(type(value)) if depth == OPTIONS_OF_FLOW else None
    if before is not None:
        yield f"{'  ' * depth}# As in {before}; only what differs."
        yield f"{'  ' * depth}{name}: {_text(value.model_dump(mode='json', exclude_defaults=True))}"
        return
    if depth == OPTIONS_OF_FLOW - 1:
        told.flow = name
    elif isinstance(value, BaseModel) and depth == OPTIONS_OF_FLOW:
        told.blocks[type(value)] = told.flow
    if isinstance(value, BaseModel) and depth <= OPTIONS_OF_FLOW and name not in BRIEF:
        yield ""
    yield from _comment(_explanation(name, option, value), depth)
    pad = "  " * depth
    if isinstance(value, BaseModel) and name not in BRIEF:
        yield f"{pad}{name}:"
        yield from _block(value, depth + 1, told)
    elif isinstance(value, dict) and value:
        yield f"{pad}{name}:"
        for key, entry in value.items():
            yield f"{pad}  {key}:"
            yield from _block(entry, depth + 2, told)
    else:
        yield from _comment_of_example(name, option, depth)
        yield f"{pad}{name}: {_text({} if isinstance(value, BaseModel) else value)}"


def _explanation(name: str, field: FieldInfo, value: Any) -> str:
    text = field.description or EXPLAINED.get(name)
    inner = type(value) if isinstance(value, BaseModel) else _inner_model(field.annotation)
    if text is None and inner is not None:
        text = (inspect.getdoc(inner) or "").partition("\n\n")[0]
    words = [
        word if str(word).replace("_", "").isalnum() else repr(word) for word in _choices(field.annotation)
    ]
    told = all(str(word) in (text or "") for word in words)
    return f"{text or ''} One of: {', '.join(words)}." if len(words) > 1 and not told else text or ""


def _comment_of_example(name: str, field: FieldInfo, depth: int) -> Iterator[str]:
    """Tell what may stand in a block that is empty by default, and how that looks."""
    inner = _inner_model(field.annotation)
    if inner is not None and name not in BRIEF:
        for part, option in inner.model_fields.items():
            default = "" if option.default is PydanticUndefined else f" ({_text(option.default)})"
            yield from _comment(f"- {part}{default}: {_explanation(part, option, None)}", depth, hang="  ")
    if name in EXAMPLES and (name not in BRIEF or inner is not None):
        yield from _comment("For example:", depth)
        yield from ("  " * depth + f"#   {line}" for line in EXAMPLES[name].splitlines())


def _comment(text: str, depth: int, hang: str = "") -> Iterator[str]:
    pad = "  " * depth + "# "
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=pad, subsequent_indent=pad + hang, break_on_hyphens=False
    )


def _text(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        value = [str(one) if isinstance(one, Path) else one for one in value]
    if isinstance(value, str) and (not value or value != value.strip() or "*" in value or "{" in value):
        return json.dumps(value)
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip()


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model in ``Model | None`` and ``dict[str, Model]``."""
    for one in (annotation, *get_args(annotation)):
        if inspect.isclass(one) and not get_args(one) and issubclass(one, BaseModel):
            return one
    return None


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Return the words that may stand for an option, where they are few."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        return tuple(word for part in get_args(annotation) if part is not NoneType for word in _choices(part))
    if get_origin(annotation) is tuple:
        return _choices(get_args(annotation)[0])
    return ()
