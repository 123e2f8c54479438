"""The settings as a page shows them, each with its source, and as a file with values that somebody picked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel

from airflow_provider_asperion.settings.live_values import CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_asperion.settings import Settings

LONGEST = 200


def stated(block: BaseModel, path: str = "") -> Iterator[tuple[str, str, bool]]:
    """Yield each setting of a block: its dotted path, its value, and whether the file states it."""
    for name in type(block).model_fields:
        value = getattr(block, name)
        place, by_file = f"{path}{name}", name in block.model_fields_set
        if isinstance(value, BaseModel):
            yield from stated(value, f"{place}.")
        elif isinstance(value, dict) and value:
            for key, inner in value.items():
                if isinstance(inner, BaseModel):
                    yield from stated(inner, f"{place}.{key}.")
                else:
                    yield f"{place}.{key}", _shown(inner), by_file
        else:
            yield place, _shown(value), by_file


def chosen(settings: Settings, integration: str, picked: Mapping[str, Any]) -> Settings:
    """Return the settings with other values in places of :data:`.CHOICES`; an empty value takes one away.

    :param picked: value by place; a place that is not named stays as it is.
    """
    content = settings.model_dump(mode="json", exclude_unset=True)
    flows = content.setdefault("integrations", {}).setdefault(integration, {}).setdefault("flows", {})
    known = settings.integrations[integration].flows.orders_to_asperion
    if known is None:
        return settings
    flow = flows.get("orders_to_asperion") or known.model_dump(mode="json", exclude_defaults=True)
    flows["orders_to_asperion"] = flow
    flow.setdefault("folder", known.folder.model_dump(mode="json", exclude_defaults=True))
    for place, _ in CHOICES:
        if place not in picked:
            continue
        block, _, name = place.partition(".")
        values, value = flow.setdefault(block, {}), str(picked[place]).strip()
        if value:
            values[name] = value
        else:
            values.pop(name, None)
    return type(settings).model_validate(content)


def as_yaml(settings: Settings) -> str:
    """Return the settings as a file; what is as by default is left out."""
    content = settings.model_dump(mode="json", exclude_defaults=True)
    return str(yaml.safe_dump({"version": 1} | content, sort_keys=False, allow_unicode=True))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)
    if isinstance(value, bool):
        text = "yes" if value else "no"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
