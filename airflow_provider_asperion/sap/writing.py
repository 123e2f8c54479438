"""Writes files for SAP: documents in the shape that the readers give become bytes, one document at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_asperion.records import Problem
    from airflow_provider_asperion.sap.write_profile import WriteProfile


@dataclass(frozen=True, slots=True)
class TargetDocument:
    """One document to write.

    :param key: business key, for problems: SKU, customer or order number.
    :param message_type: ``MESTYP`` (``MATMAS``); for delimited files the name of the kind of file.
    :param basic_type: ``IDOCTYP`` (``MATMAS05``); empty for delimited files.
    :param number: ``DOCNUM``, up to 16 digits; the same each time the document is written.
    :param created_at: ``CREDAT`` and ``CRETIM``; the same each time the document is written.
    :param data: the content, in the shape of ``SourceDocument.data``: of an IDoc each segment type
        (``E1MARAM``) a list of dicts of field name to text, children inside their parent; of a delimited file
        ``lines``: its rows as dicts of column to text (numbers with a point and the minus in front, dates as
        ``YYYY-MM-DD``; the writer puts them into the dialect).
    """

    key: str
    message_type: str
    basic_type: str
    number: str
    created_at: dt.datetime
    data: dict[str, Any] = field(repr=False)


class Writer(Protocol):
    """Writes one file; made anew for each. ``begin``, any number of ``add``, ``end``."""

    suffix: str
    """End of the file's name: ``.xml``, ``.txt``, ``.csv``, ``.json``."""

    cut: list[Problem]
    """What was cut (``overlong: cut``), one problem per value."""

    def begin(self) -> bytes:
        """Return what stands before the first document."""

    def add(self, document: TargetDocument) -> bytes:
        """Return the bytes of a document.

        :raises ProblemError: a value does not fit its field, or a sign is not in the encoding. Nothing of the
            document counts as written then.
        """

    def end(self) -> bytes:
        """Return what stands behind the last document."""
