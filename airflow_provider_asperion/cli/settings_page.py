"""Writes docs/settings.md: every option with its default and its meaning, made from the settings themselves.

Renew it with ``python -m airflow_provider_asperion.cli.settings_page > docs/settings.md``.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.template import template
from airflow_provider_asperion.settings import Flows, Integration, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.records import Record

PAGE = """\
# Settings

One YAML file: `asperion.yaml` below AIRFLOW_HOME, or what `[asperion] settings` in Airflow's configuration
names. `asperion init DIR` writes it as it stands here, with a JSON schema by which editors complete and
explain it. Without a file the defaults count. A fault names its line; `asperion check` tries all of it
against the live administration and the server. Secrets are no settings: they are in
[connections](connections.md).

Each option stands below with its meaning above it and its default. A block that an earlier flow has as well
is told there; only what differs is repeated. `asperion.names` corrects names of the wire, where Asperion's
live API differs from what is inferred: they are listed with their sources in
[`asperion/names.py`](../airflow_provider_asperion/asperion/names.py).
"""
FIRST = "The file"
# What stands at which indentation of the template, and the place that its section names.
LEVELS: tuple[tuple[str, type[Record], set[str], str], ...] = (
    ("", Settings, {"version", "integrations"}, "At the top of the file."),
    ("    ", Integration, {"asperion", "sap", "flows"}, "Below `integrations.NAME`."),
    ("      ", Flows, set(), "Below `integrations.NAME.flows`."),
)
NAME = re.compile(r"(?P<indent> *)(?P<name>[a-z_]+):")


def settings_page() -> str:
    """Return the page: a section for each flow, and for each block beside them."""
    made = [PAGE]
    for name, place, lines in _sections(template().splitlines()):
        text = textwrap.dedent("\n".join(lines)).strip("\n")
        made.append(
            "\n".join([f"## {name}", "", *([place, ""] if place else []), "```yaml", text, "```", ""])
        )
    return "\n".join(made)


def _sections(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield of each section its name, its place and its lines, comments above a block included."""
    name, place, begun = FIRST, "", 0
    for number, line in enumerate(lines):
        if (found := _begin_of(line)) is None:
            continue
        first = number
        while first > begun and lines[first - 1].strip().startswith("#"):
            first -= 1
        yield name, place, [one for one in lines[begun:first] if not _opens_flows(one)]
        (name, place), begun = found, first
    yield name, place, lines[begun:]


def _begin_of(line: str) -> tuple[str, str] | None:
    """Return name and place of the section that a line begins."""
    found = NAME.match(line)
    for indent, model, inside, place in LEVELS:
        if found and found["indent"] == indent and found["name"] in model.model_fields.keys() - inside:
            return found["name"], place
    return None


def _opens_flows(line: str) -> bool:
    """Tell whether a line only says that flows follow: each has a section of its own."""
    return line in (
        "    flows:",
        "    # The flows of an integration; one that is null or not enabled has no DAG.",
    )


if __name__ == "__main__":
    print(settings_page(), end="")
