"""The manual tells the truth: its examples give what it says, its settings load, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.cli.definition import COMMANDS
from airflow_provider_asperion.settings import parse_settings
from tests.support.docs_examples import DOCS, PAGES, blocks, files_of, plain

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.feature("W7")
PAGES_OF_MANUAL = [*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md"]
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
COMMAND = re.compile(r"^(?: {4}|\$ |)asperion (?P<rest>[a-z]+[^\n]*)$", re.MULTILINE)
SETTINGS = re.compile(r"```yaml(?: settings)?\n(version: 1\n.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_the_worked_example_gives_what_the_page_says(page):
    shown, made = blocks(page, "file"), files_of(page)
    assert len(shown) == len(made) > 0
    for text, file in zip(shown, made, strict=True):
        expected = re.sub(r"<\?xml[^>]*\?>", "", file)
        renew = "python -m tests.support.docs_examples"
        assert plain(text) == plain(expected), f"renew it: {renew}"


@pytest.mark.parametrize("path", PAGES_OF_MANUAL, ids=lambda path: path.name)
def test_settings_on_a_page_load(path):
    for found in SETTINGS.finditer(path.read_text(encoding="utf-8")):
        parse_settings(found[1], name=path.name)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES_OF_MANUAL, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    dead = []
    for found in LINK.finditer(path.read_text(encoding="utf-8")):
        target, _, anchor = found["target"].partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        there: Path = (path.parent / target).resolve() if target else path
        has_anchor = not anchor or there.suffix != ".md" or anchor in anchors(_text(there))
        if not there.exists() or not has_anchor:
            dead.append(found["target"])
    assert dead == []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.mark.parametrize("path", PAGES_OF_MANUAL, ids=lambda path: path.name)
def test_commands_on_a_page_exist_with_their_options(path):
    known = {
        command.name: {flag for one in command.arguments for flag in one.flags if flag.startswith("-")}
        for command in COMMANDS
    }
    wrong = []
    for found in COMMAND.finditer(path.read_text(encoding="utf-8")):
        name, *words = shlex.split(found["rest"].replace("[", " ").replace("]", " "), posix=False)
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        if name not in known or options - known[name] - {"--help"}:
            wrong.append(found[0].strip())
    assert wrong == []
