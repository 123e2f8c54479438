"""The recipes of docs/cookbook.md: what they say, and files to run them from."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cookbook.md"
BLOCK = re.compile(r"^```(?P<kind>\w+) (?P<role>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
# The page's encodings where a sample is not in UTF-8.
ENCODING = re.compile(r"encoding: ([\w-]+)")


@dataclass
class Recipe:
    """One recipe; each block with a result is a :class:`Step` with what was said above it."""

    title: str
    steps: list[Step] = field(default_factory=list)


@dataclass
class Step:
    """Settings, a file, and what comes out: fields per order, or lines of a plan."""

    settings: str
    sample: str
    suffix: str
    mapping: str | None
    gives: dict[str, Any]
    plan: str | None = None

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write settings, mapping and sample; return the paths of the settings and of the sample."""
        settings = folder / "asperion.yaml"
        settings.write_text(settings_of(self.settings), encoding="utf-8")
        if self.mapping:
            (name,) = yaml.safe_load(self.settings)["mappings"]
            (folder / name).write_text(self.mapping, encoding="utf-8")
        sample = folder / f"orders.{self.suffix}"
        encoding = ENCODING.search(self.settings)
        sample.write_text(self.sample, encoding=encoding[1] if encoding else "utf-8")
        return settings, sample


def settings_of(recipe: str, flow: str = "orders_to_asperion") -> str:
    """Return a settings file in which a recipe stands where the page says that it goes."""
    head = f"version: 1\nintegrations:\n  default:\n    flows:\n      {flow}:\n"
    folder = "        folder: {inbox: orders}\n" if flow == "orders_to_asperion" else ""
    return head + folder + textwrap.indent(recipe, " " * 8)


def _sections() -> list[str]:
    return re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


def recipes() -> Iterator[Recipe]:
    """Yield the recipes for orders."""
    for section in _sections():
        recipe = Recipe(section.partition("\n")[0])
        said: dict[str, str] = {}
        for block in BLOCK.finditer(section):
            said[block["role"]] = block["text"]
            if block["role"] == "sample":
                said["suffix"] = block["kind"]
            elif block["role"] == "gives":
                gives = yaml.safe_load(block["text"])
                recipe.steps.append(
                    Step(said["recipe"], said["sample"], said["suffix"], said.get("mapping"), gives)
                )
            elif block["role"] == "plan":
                recipe.steps[-1].plan = block["text"]
        if recipe.steps:
            yield recipe


def back() -> Iterator[tuple[str, str, str, list[dict[str, Any]], list[str]]]:
    """Yield of each recipe to SAP: flow, settings, mapping, what Asperion tells, the files on the page."""
    for section in _sections():
        found = [(block["role"], block["text"]) for block in BLOCK.finditer(section)]
        for flow, recipe in found:
            if flow.endswith("_to_sap"):
                bodies = [json.loads(text, parse_float=Decimal) for role, text in found if role == "asperion"]
                (mapping,) = [text for role, text in found if role == "mapping"]
                yield flow, recipe, mapping, bodies, [text for role, text in found if role == "file"]


def differences(said: Any, made: Any, place: str = "") -> Iterator[str]:
    """Yield where a result lacks something that a page says; null there is nothing at all here."""
    if isinstance(said, dict):
        made = made or {}
        for name, value in said.items():
            yield from differences(value, made.get(name), f"{place}.{name}".lstrip("."))
    elif isinstance(said, list):
        if len(said) != len(made or ()):
            yield f"{place}: {len(said)} on the page, {len(made or ())} made"
            return
        for number, (one, other) in enumerate(zip(said, made, strict=True), 1):
            yield from differences(one, other, f"{place}.{number}")
    elif said != made:
        yield f"{place}: {said!r} on the page, {made!r} made"
