"""The manual tells the truth: its examples give what it says, its settings load, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airflow_provider_asperion.cli.definition import COMMANDS
from airflow_provider_asperion.cli.main import parser
from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.mapping.files import shipped_to_sap
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.layouts import load_layouts
from airflow_provider_asperion.settings import Flows, parse_settings
from tests.support.docs_examples import DOCS, PAGES, blocks, files_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.feature("W7")
PAGES_OF_MANUAL = [*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md"]
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
COMMAND = re.compile(r"^(?: {4}|\$ |)asperion (?P<rest>[a-z]+[^\n]*)$", re.MULTILINE)
# Spaces before the fence: a block of a list.
YAML = re.compile(
    r"^(?P<indent> *)```yaml(?: (?P<role>\w+))?\n(?P<text>.*?)^(?P=indent)```", re.DOTALL | re.MULTILINE
)
# Blocks that tests of their own run: those of the mapper's manual and of the cookbook.
RUN_ELSEWHERE = {"document", "result", "recipe", "gives", *PAGES.values()}
# What stands between the top of the settings and a piece of them on a page.
PLACES = (
    "",
    "integrations.default",
    "integrations.default.notifications",
    "integrations.default.notifications.channels",
    "integrations.default.flows",
    *(f"integrations.default.flows.{flow}" for flow in Flows.model_fields),
)
SPOKEN = re.compile(r"(?:airflow )?asperion (?P<rest>[a-z]+( [^`]*)?)")
# A line of usage names what may be left out or chosen; options in it are held against the command's.
USAGE = re.compile(r"\[|\]|\||\.\.\.|\b[A-Z]+\b\.")


@pytest.mark.parametrize("page", PAGES)
def test_the_worked_example_gives_what_the_page_says(page):
    shown, made = blocks(page, "file"), files_of(page)
    assert len(shown) == len(made) > 0
    for text, file in zip(shown, made, strict=True):
        expected = re.sub(r"<\?xml[^>]*\?>", "", file)
        renew = "python -m tests.support.docs_examples"
        assert plain(text) == plain(expected), f"renew it: {renew}"


def complaint_about(text: str, folder: Path) -> str:
    """Return why a block of YAML is neither settings, nor a piece of them, nor a mapping; empty: it is."""
    content = yaml.safe_load(text)
    if not isinstance(content, dict):
        return "it is no mapping of names to values"
    try:
        if "mapping" in content:
            path = folder / "on_the_page.yaml"
            path.write_text(text, encoding="utf-8")
            to_sap = "record" in content.get("for", {}) or str(content.get("extends")) in shipped_to_sap()
            (SapMapping if to_sap else Mapping).load(str(path))
        elif "version" in content:
            parse_settings(text)
        else:
            return _complaint_about_piece(content)
    except ProblemError as error:
        return str(error)
    return ""


def _complaint_about_piece(content: dict[str, Any]) -> str:
    """Try a piece of the settings wherever it may belong; complain with all answers where it fits nowhere."""
    complaints = []
    for place in PLACES:
        whole: Any = dict(content)
        for name in reversed(place.split(".") if place else []):
            whole = {name: whole}
        if place.endswith("orders_to_asperion"):
            whole["integrations"]["default"]["flows"]["orders_to_asperion"].setdefault(
                "folder", {"inbox": "orders"}
            )
        try:
            parse_settings(yaml.safe_dump(whole))
            return ""
        except ProblemError as error:
            complaints.append(str(error))
    return " or ".join(complaints)


@pytest.mark.parametrize("path", PAGES_OF_MANUAL, ids=lambda path: path.name)
def test_yaml_on_a_page_is_settings_or_a_mapping(path, tmp_path):
    wrong = []
    for found in YAML.finditer(path.read_text(encoding="utf-8")):
        text, role = textwrap.dedent(found["text"]), found["role"]
        if role == "layout":
            (tmp_path / "layout.yaml").write_text(text, encoding="utf-8")
            load_layouts((tmp_path / "layout.yaml",))
        elif role not in RUN_ELSEWHERE and (complaint := complaint_about(text, tmp_path)):
            wrong.append(f"{text[:60]}: {complaint}")
    assert wrong == []


def test_yaml_that_is_neither_is_seen(tmp_path):
    assert complaint_about("reading: {csv: {delimter: ';'}}", tmp_path)
    assert complaint_about("mapping: m\nrows: {custmer.email: header.X}", tmp_path)
    assert complaint_about("version: 1\nintegration: {}", tmp_path)
    assert not complaint_about("reading: {csv: {delimiter: ';'}}", tmp_path)


def test_the_layout_on_the_page_places_its_segment(tmp_path):
    page = (DOCS / "formats.md").read_text(encoding="utf-8")
    (text,) = [found["text"] for found in YAML.finditer(page) if found["role"] == "layout"]
    (tmp_path / "layout.yaml").write_text(text, encoding="utf-8")
    layouts = load_layouts((tmp_path / "layout.yaml",))
    kind, fields = layouts.look_up("Z2EDK01")
    assert (kind, layouts.parents[kind]) == ("Z1EDK01", "E1EDK01")
    assert fields == (("ZZCHANNEL", 63, 73), ("ZZREMARK", 73, 113))


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


def commands_of(text: str) -> Iterator[str]:
    """Yield what stands behind ``asperion`` in blocks and in the text, but for lines of usage."""
    for found in COMMAND.finditer(text):
        yield found["rest"]
    for spoken in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if found := SPOKEN.fullmatch(spoken):
            yield found["rest"]


def refused(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command line says of a command; empty: it takes it."""
    try:
        parser("asperion").parse_args(shlex.split(command, comments=True))
    except SystemExit as end:
        return capsys.readouterr().err if end.code else ""
    return ""


@pytest.mark.parametrize("path", PAGES_OF_MANUAL, ids=lambda path: path.name)
def test_commands_on_a_page_are_taken(path, capsys):
    wrong = []
    for command in commands_of(path.read_text(encoding="utf-8")):
        # A command alone is its name; and a line of usage is looked at below.
        if len(command.split()) > 1 and not USAGE.search(command) and (said := refused(command, capsys)):
            wrong.append(f"{command}: {said}")
    assert wrong == []


def test_a_command_that_does_not_exist_is_seen(capsys):
    assert refused("plan --flow products", capsys)
    assert refused("retri 4711", capsys)
    assert list(commands_of("`asperion plan X` and\n    asperion check --all\n")) == ["check --all", "plan X"]


@pytest.mark.parametrize("path", PAGES_OF_MANUAL, ids=lambda path: path.name)
def test_tests_that_a_page_names_exist(path):
    text = path.read_text(encoding="utf-8")
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    assert [name for name in files if not (DOCS.parent / name).is_file()] == []
    named = set(re.findall(r"`(test_\w+)`", text))
    assert sorted(named - _tests()) == []


@cache
def _tests() -> set[str]:
    every = (path.read_text(encoding="utf-8") for path in (DOCS.parent / "tests").rglob("test_*.py"))
    return {name for text in every for name in re.findall(r"def (test_\w+)\(", text)}


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
