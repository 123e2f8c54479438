"""Where the fields of each segment of a flat IDoc begin and end, and which segment stands inside which."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.layout_files import UnreadableLayoutError, read_layout_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SHIPPED = ("orders05.yaml", "invoic02.yaml", "matmas05.yaml", "debmas07.yaml", "adrmas02.yaml", "status.yaml")
# EDI_DD40: 63 characters of head, then the fields of the segment.
DATA_BEGINS = 63
MOST_REMEMBERED = 10_000

# (name, begin, end) in characters of the record.
Fields = tuple[tuple[str, int, int], ...]

_VERSION = re.compile(r"(?<=[A-Z0-9]{5})\d{3}$")


@dataclass(frozen=True)
class Layouts:
    """Segments by definition (``E2EDKA1003``), and the type that each type stands inside.

    :param fields: fields by segment definition.
    :param parents: type (``E1EDP19``) -> type around it; types at the top are not in it.
    :param types: definition -> type, where a layout file states it.
    :param sequences: basic type (``MATMAS05``) -> its segment types, in the order in which they are written.
    :param definitions: type -> the definition under which it is written: of the newest version known.
    """

    fields: Mapping[str, Fields]
    parents: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)
    sequences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, tuple[str, Fields | None]] = field(default_factory=dict, repr=False, compare=False)

    def look_up(self, definition: str) -> tuple[str, Fields | None]:
        """Return type and fields of a segment definition; no fields when nothing is known of it."""
        found = self._known.get(definition)
        if found is None:
            found = (self.type_of(definition), self.of(definition))
            if len(self._known) < MOST_REMEMBERED:
                self._known[definition] = found
        return found

    def lengths(self, kind: str) -> dict[str, int] | None:
        """Return the fields of a segment type as it is written, and their lengths; None: it is unknown."""
        if kind not in self.definitions:
            return None
        return {name: end - begin for name, begin, end in self.fields[self.definitions[kind]]}

    def type_of(self, definition: str) -> str:
        """Return the type of a definition in a flat file, where own segments have a version as well."""
        if definition in self.types or definition.startswith(("E1", "E2")):
            return self.types.get(definition) or segment_type(definition)
        base = _VERSION.sub("", definition)
        return base if base in self.parents or definition not in self.fields else definition

    def of(self, definition: str) -> Fields | None:
        """Return the fields of a segment definition; None when nothing is known of it.

        A version that is not known gets only the leading fields on which all known versions agree: the
        version changes offsets (E2EDKA1: KNREF has 23 characters, in E2EDKA1003 30).
        """
        known = self.fields.get(definition)
        if known is not None:
            return known
        base = _VERSION.sub("", definition)
        return _agreed([fields for name, fields in self.fields.items() if _VERSION.sub("", name) == base])


def _agreed(versions: list[Fields]) -> Fields | None:
    if not versions:
        return None
    leading = []
    for column in zip(*versions, strict=False):
        if len(set(column)) > 1:
            break
        leading.append(column[0])
    return tuple(leading)


@lru_cache(maxsize=4096)
def segment_type(definition: str) -> str:
    """Return the type of a segment definition: ``E2EDP01011`` is ``E1EDP01``; own segments stay as they are.

    Own segments (``Z1...``) are named the same in both, but for the three digits of the version.
    """
    if definition.startswith("E2"):
        return "E1" + _VERSION.sub("", definition[2:]) if len(definition) > 7 else "E1" + definition[2:]
    return definition


@cache
def load_layouts(files: tuple[Path, ...] = ()) -> Layouts:
    """Return the shipped layouts and those of some files, which go before. Read once per process.

    :raises ProblemError: a file cannot be read as a layout.
    """
    contents = []
    folder = resources.files("airflow_provider_asperion.sap") / "layouts"
    for name in SHIPPED:
        contents.append(yaml.safe_load((folder / name).read_text("utf-8")))
    for file in files:
        try:
            contents.append(read_layout_file(file))
        except UnreadableLayoutError as error:
            raise ProblemError(
                Problem(
                    rule="layout.unreadable",
                    message=str(error),
                    remedy="export it from SAP again: transaction WE63 (parser), or WE60 (XML schema)",
                    file=file.name,
                )
            ) from error
    return _merged(contents)


def _merged(contents: list[Mapping[str, Any]]) -> Layouts:
    """Return the layouts of several files; what a later one states goes before."""
    fields: dict[str, Fields] = {}
    parents: dict[str, str] = {}
    types: dict[str, str] = {}
    sequences: dict[str, tuple[str, ...]] = {}
    for content in contents:
        for definition, text in content.get("segments", {}).items():
            fields[definition] = _offsets(part.split("=") for part in text.split())
        for definition, like in content.get("as", {}).items():
            fields[definition] = fields[like]
        types.update(content.get("types", {}))
        for parent, children in content.get("parents", {}).items():
            parents.update(dict.fromkeys(children, parent))
        sequences.update({basic: tuple(kinds) for basic, kinds in content.get("sequences", {}).items()})
    found = Layouts(fields, parents, types)
    return replace(found, sequences=sequences, definitions=_newest(found))


def _newest(layouts: Layouts) -> dict[str, str]:
    """Return under which definition each type is written: the newest, or the one of a parser file."""
    found: dict[str, str] = {}
    for definition in layouts.fields:
        kind = layouts.type_of(definition)
        if kind not in found or _version(definition) >= _version(found[kind]):
            found[kind] = definition
    # SAP's parser file is of the release that receives, and names the definition that is valid there.
    found.update(
        {kind: definition for definition, kind in layouts.types.items() if definition in layouts.fields}
    )
    return found


def _version(definition: str) -> str:
    version = _VERSION.search(definition)
    return version[0] if version else ""


def _offsets(lengths: Iterable[list[str]]) -> Fields:
    begin = DATA_BEGINS
    found = []
    for name, length in lengths:
        found.append((name, begin, begin + int(length)))
        begin += int(length)
    return tuple(found)
