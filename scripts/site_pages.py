"""Writes the pages of docs/ as a site's generator wants them: `python scripts/site_pages.py TARGET`.

The pages are written for a code host. Four things are otherwise on a site: a link to a file outside docs/
must not leave the site, a code block's second word is its title, what belongs to an item of a list is
indented by four blanks, and README.md and its like lie beside docs/.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS, PROJECT = "docs/", "project/"
# Pages that code hosts want at the top of a repository.
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
FENCE = re.compile(r"^(?P<fence> *```\w+) (?P<role>[a-z_]+)$", re.MULTILINE)
ITEM = re.compile(r"(?P<marker>[-*] |\d+\. )\S")
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)(?P<path>[^)#\s]+)")


def write_pages(target: Path, repository: Path = REPOSITORY) -> None:
    """Write all pages, and what they link to, below a folder that is made anew.

    :param target: such as ``build/manual``; what is in it is deleted.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(repository / DOCS, target)
    pages = [path.relative_to(repository).as_posix() for path in sorted((repository / DOCS).glob("*.md"))]
    for page in (*pages, *BESIDE):
        text, linked = rewritten(page, (repository / page).read_text(encoding="utf-8"), repository)
        _write(target / on_site(page), text)
        for path in sorted(linked.difference(BESIDE)):
            _write(target / on_site(path), (repository / path).read_text(encoding="utf-8"))


def rewritten(page: str, text: str, repository: Path = REPOSITORY) -> tuple[str, set[str]]:
    """Return a page's text for the site, and the files outside docs/ to which it links.

    :param page: its path in the repository. A link that leads nowhere is left to the generator, which tells.
    """
    linked = set()

    def moved(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), found["path"]))
        if not (repository / path).is_file():
            return found[0]
        if not path.startswith(DOCS):
            linked.add(path)
        return posixpath.relpath(on_site(path), posixpath.dirname(on_site(page)) or ".")

    text = LINK.sub(moved, text)
    return FENCE.sub(r'\g<fence> title="\g<role>"', with_wide_items(text)), linked


def with_wide_items(text: str) -> str:
    """Return a page with what belongs to items of lists indented by four blanks."""
    lines, width, in_block = [], 0, False
    for line in text.split("\n"):
        item = None if in_block else ITEM.match(line)
        inside = width and line.startswith(" " * width)
        if item:
            width = len(item["marker"])
        elif line.strip() and not inside:
            width = 0
        if line.startswith("```"):
            in_block = not in_block
        lines.append(" " * (4 - width) + line if inside and not item and width < 4 else line)
    return "\n".join(lines)


def on_site(path: str) -> str:
    """Return where a file of the repository lies on the site."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    # As text, for a browser would offer Python to be saved.
    return PROJECT + (path if path in BESIDE else f"{path}.txt")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
