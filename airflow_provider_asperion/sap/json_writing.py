"""Writes IDocs as JSON, in the form that SAP Integration Suite makes of IDoc XML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.idoc_content import Arranger
from airflow_provider_asperion.sap.idoc_writing import mixed_types, xml_name
from airflow_provider_asperion.sap.layouts import load_layouts

if TYPE_CHECKING:
    from airflow_provider_asperion.records import Problem
    from airflow_provider_asperion.sap.idoc_content import Arranged, Part
    from airflow_provider_asperion.sap.write_profile import WriteProfile
    from airflow_provider_asperion.sap.writing import TargetDocument

_SEGMENT = {"@SEGMENT": "1"}


class JsonWriter:
    """Writes ``{"MATMAS05": {"IDOC": [...]}}`` in UTF-8: all values are texts, attributes begin with ``@``.

    Segments are arrays even where there is one, so that a receiver needs one way of reading only.

    :raises ProblemError: a layout file of the profile cannot be read.
    """

    suffix = ".json"

    def __init__(self, profile: WriteProfile) -> None:
        self.cut: list[Problem] = []
        self._arranger = Arranger(
            load_layouts(profile.layouts), profile.control, cut=profile.overlong == "cut"
        )
        self._extension = profile.control.extension
        self._root = ""

    def begin(self) -> bytes:
        """Return nothing: the file opens with the first document, which names its root."""
        return b""

    def add(self, document: TargetDocument) -> bytes:
        """Return the object of a document.

        :raises ProblemError: see :meth:`Arranger.arrange`; or its basic type is not that of the file.
        """
        root = self._extension or document.basic_type
        if self._root and root != self._root:
            raise ProblemError(mixed_types(document.key, root, self._root))
        arranged = self._arranger.arrange(document)
        before = ",\n" if self._root else f'{{{json.dumps(xml_name(root))}:{{"IDOC":[\n'
        self._root = root
        self.cut += arranged.cut
        text = json.dumps(_tree(arranged), ensure_ascii=False, separators=(",", ":"))
        return f"{before}{text}".encode()

    def end(self) -> bytes:
        """Return the end of the array and the objects around it."""
        return b"\n]}}\n" if self._root else b""


def _tree(arranged: Arranged) -> dict[str, Any]:
    """Return a document as nested objects."""
    tree: dict[str, Any] = {"@BEGIN": "1", arranged.control.form.kind: _object(arranged.control)}
    open_segments = [tree]
    for part in arranged.parts:
        del open_segments[part.level :]
        segment = _object(part)
        open_segments[-1].setdefault(xml_name(part.form.kind), []).append(segment)
        open_segments.append(segment)
    return tree


def _object(part: Part) -> dict[str, Any]:
    return _SEGMENT | {xml_name(name): text for name, text in part.values}
