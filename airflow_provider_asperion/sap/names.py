"""File names from the other side: which are safe to use, and which are refused."""

from __future__ import annotations

import fnmatch
import unicodedata

from airflow_provider_asperion.records import Problem, shape_of

# Bytes. File systems take 255; a claim, a day's double and a temporary file each lengthen the name.
LONGEST = 200


def fault_of_name(name: str | bytes) -> Problem | None:
    """Return why a name is refused, None when it is safe: it must stay in its folder, and be printable."""
    if isinstance(name, bytes):
        return _refused(name.decode("ascii", "replace"), "is not valid UTF-8")
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        return _refused(name, "would leave its folder")
    if name != name.strip():
        return _refused(name, "begins or ends with a blank")
    if any(unicodedata.category(sign).startswith("C") for sign in name):
        return _refused(name, "holds control characters")
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST:
        return _refused(name, f"is longer than {LONGEST} bytes")
    return None


def fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern of ``*``, ``?`` and ``[...]``; upper and lower case differ."""
    return fnmatch.fnmatchcase(name, pattern)


def _refused(name: str, why: str) -> Problem:
    return Problem(
        rule="file.name",
        message=f"the name of a file {why}; the file is left where it is",
        remedy="have the sender give it a plain name: letters, digits, dot, dash and underscore",
        file=shape_of(name),
    )
