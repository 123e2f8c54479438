"""When two names or paths of the wire are likely the same, written otherwise."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# vatNumber and faxNumber are less alike than this.
LIKE = 0.8
GAP = re.compile(r"\{[^{}]*\}")


def same_path(ours: str, theirs: str) -> bool:
    """Whether two paths are the same: in any case [inferred], and ``{gaps}`` hold anything."""
    one, other = ours.strip("/").lower().split("/"), theirs.strip("/").lower().split("/")
    return len(one) == len(other) and all(map(_same_segment, one, other))


def _same_segment(ours: str, theirs: str) -> bool:
    """Whether two segments are the same: ``v{version}`` fits ``v1``; a gap alone fits only a gap."""
    if "{" not in theirs:
        return ours == theirs
    if GAP.fullmatch(theirs):
        return GAP.fullmatch(ours) is not None
    return re.fullmatch("[^{}/]+".join(map(re.escape, GAP.split(theirs))), ours) is not None


def without_key(path: str) -> str:
    """Return the path of the list that a thing is in."""
    return re.sub(r"/\{[^{}]*\}$", "", path)


def near(name: str, candidates: Iterable[str]) -> str | None:
    """Return what a name may be called now: the likest, else one with something before or after it."""
    by_letters: dict[str, str] = {}
    for one in sorted(candidates):
        by_letters.setdefault(letters(one), one)
    wanted = letters(name)
    close = get_close_matches(wanted, list(by_letters), 1, LIKE)
    if not close:
        extended = [one for one in by_letters if _extends(one, wanted) or _extends(wanted, one)]
        close = sorted(extended, key=lambda one: abs(len(one) - len(wanted)))[:1]
    return by_letters[close[0]] if close else None


def _extends(longer: str, shorter: str) -> bool:
    return len(shorter) > 1 and (longer.startswith(shorter) or longer.endswith(shorter))


def letters(name: str) -> str:
    """Return what of a name counts: letters and digits, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
