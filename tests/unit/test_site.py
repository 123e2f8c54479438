"""The site of the manual: every page is in its navigation, and nothing is fetched from anybody."""

from __future__ import annotations

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

pytestmark = pytest.mark.feature("W7")
REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


class Loader(yaml.SafeLoader):
    """YAML with Python's tags read as what is in them."""


Loader.add_multi_constructor(
    "tag:yaml.org,2002:python/", lambda loader, _, node: loader.construct_mapping(node, deep=True)
)


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return yaml.load((REPOSITORY / "mkdocs.yml").read_text("utf-8"), Loader)


@pytest.fixture(scope="module")
def site_pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_pages", REPOSITORY / "scripts" / "site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages_of(nav: Any) -> Iterator[str]:
    for entry in nav:
        (value,) = entry.values()
        yield from [value] if isinstance(value, str) else pages_of(value)


def test_every_page_is_in_the_navigation_once(config, site_pages):
    listed = sorted(pages_of(config["nav"]))
    there = [path.name for path in DOCS.glob("*.md")] + [
        site_pages.on_site(path) for path in site_pages.BESIDE
    ]
    assert listed == sorted(there), (
        "put the page into nav of mkdocs.yml, and into the table of docs/README.md"
    )


def test_every_page_is_in_the_table_of_the_manual():
    table = (DOCS / "README.md").read_text("utf-8")
    missing = [
        path.name for path in DOCS.glob("*.md") if f"]({path.name})" not in table and path.name != "README.md"
    ]
    assert missing == []


def test_nothing_is_fetched_from_anybody(config):
    assert config["theme"]["font"] is False
    assert {"search", "offline"} <= set(config["plugins"])
    # The theme would fetch this one from a public server, were there none of ours.
    assert any("iframe-worker" in one for one in config["extra"]["polyfills"])
    own = [REPOSITORY / "mkdocs.yml", *(DOCS / "theme").iterdir(), *DOCS.rglob("*.svg")]
    for path in own:
        addresses = re.findall(r"https?://[^\s\"')]+", path.read_text("utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path.name


def test_each_picture_of_a_page_tells_what_it_shows():
    for path in DOCS.glob("*.md"):
        for text, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", path.read_text("utf-8")):
            assert len(text) > 10, f"{path.name}: {target}"
            assert (DOCS / target).is_file(), f"{path.name}: {target}"


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_a_list_begins_after_an_empty_line(path):
    """Code hosts see a list below a line of text, the site's generator sees more text."""
    lines = re.sub(
        r"^ *```.*?^ *```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    ).splitlines()
    item = re.compile(r"(?P<indent> *)(?:[-*]|\d+\.) \S")
    wrong = [
        line
        for before, line in pairwise(lines)
        if item.match(line)
        and before.strip()
        and not item.match(before)
        and not before.startswith((" ", "#"))
    ]
    assert wrong == []


def test_links_that_leave_docs_stay_on_the_site(site_pages):
    text = "[a](../README.md) [b](cli.md#read-x) [c](../setup.cfg) [d](https://example.com/x.md) [e](no.md)\n"
    made, linked = site_pages.rewritten("docs/README.md", text)
    assert made == (
        "[a](project/README.md) [b](cli.md#read-x) [c](project/setup.cfg.txt)"
        " [d](https://example.com/x.md) [e](no.md)\n"
    )
    assert linked == {"README.md", "setup.cfg"}
    made, linked = site_pages.rewritten(
        "README.md", "![p](docs/pictures/run.png) [l](LICENSE) [x](CHANGELOG.md)"
    )
    assert made == "![p](../pictures/run.png) [l](LICENSE.txt) [x](CHANGELOG.md)"
    assert linked == {"LICENSE", "CHANGELOG.md"}


def test_the_role_of_a_code_block_becomes_its_title(site_pages):
    text = "```yaml mapping\na: b\n```\n\n```json\n{}\n```\n"
    made, _ = site_pages.rewritten("docs/mapping.md", text)
    assert made == text.replace("yaml mapping", 'yaml title="mapping"')


def test_what_belongs_to_an_item_is_indented_as_the_generator_wants_it(site_pages):
    listed = "1. One,\n   more.\n\n       code\n\n   ```yaml\n   a: b\n   ```\n2. Two\n\n"
    other = "Text\n    code\n- x\n  y\n```\n- z\n  z\n```\n"
    assert site_pages.with_wide_items(listed + other) == (
        "1. One,\n    more.\n\n        code\n\n    ```yaml\n    a: b\n    ```\n2. Two\n\n"
        "Text\n    code\n- x\n    y\n```\n- z\n  z\n```\n"
    )


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_a_table_begins_after_an_empty_line_or_a_heading(path):
    lines = path.read_text("utf-8").splitlines()
    wrong = [
        line
        for before, line in pairwise(lines)
        if line.startswith("| ") and before.strip() and not before.startswith(("|", "#"))
    ]
    assert wrong == []


def test_all_pages_are_written(site_pages, tmp_path):
    target = tmp_path / "site"
    target.mkdir()
    (target / "old.md").write_text("gone")
    site_pages.write_pages(target)
    written = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert {"README.md", "mapping.md", "project/README.md", "project/CHANGELOG.md"} <= written
    assert "project/airflow_provider_asperion/asperion/names.py.txt" in written
    assert "old.md" not in written
