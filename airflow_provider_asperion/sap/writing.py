"""Writes files for SAP: documents in the shape that the readers give become bytes, one document at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

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
        """Return what stands behind the last document; may be asked more than once."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """One file of a batch.

    :param part: 1-based.
    :param keys: keys of the documents in it, in their order.
    :param numbers: their numbers, by which they are told apart where two have one key.
    """

    part: int
    suffix: str
    body: bytes = field(repr=False)
    keys: tuple[str, ...]
    numbers: tuple[str, ...]


@dataclass(slots=True)
class Written:
    """What came of writing documents.

    :param refused: problems by key, of documents that are in no file.
    :param cut: values that were cut (``overlong: cut``).
    """

    files: list[FileContent] = field(default_factory=list)
    refused: dict[str, tuple[Problem, ...]] = field(default_factory=dict)
    cut: list[Problem] = field(default_factory=list)


def write_files(
    documents: Iterable[TargetDocument], new_writer: Callable[[], Writer], *, maximum_bytes: int
) -> Written:
    """Write documents into files that are not larger than they may be; split between documents only.

    A document that cannot be written is left out, and the others go on. The same documents give the same
    bytes. No documents, no files.
    """
    result = Written()
    file = _File(new_writer)
    for document in documents:
        try:
            if not file.takes(document, maximum_bytes):
                file.close(result)
                file = _File(new_writer)
                if not file.takes(document, maximum_bytes):
                    file = _File(new_writer)
                    raise ProblemError(_too_large(document.key, maximum_bytes))
        except ProblemError as error:
            result.refused[document.key] = error.problems
    file.close(result)
    return result


def write_documents(documents: Iterable[TargetDocument], writer: Writer) -> bytes:
    """Return one file of documents.

    :raises ProblemError: one of them cannot be written.
    """
    return b"".join([writer.begin(), *(writer.add(document) for document in documents), writer.end()])


def writer_of(
    profile: WriteProfile,
    *,
    columns: Sequence[str] = (),
    numbers: frozenset[str] = frozenset(),
    dates: frozenset[str] = frozenset(),
) -> Writer:
    """Return a writer of the format of a profile.

    :param columns: of a delimited file; which of them hold numbers and dates.
    """
    from airflow_provider_asperion.sap.csv_writing import CsvWriter
    from airflow_provider_asperion.sap.idoc_writing import FlatWriter, XmlWriter
    from airflow_provider_asperion.sap.json_writing import JsonWriter

    if profile.format == "csv":
        return CsvWriter(profile, columns, numbers, dates)
    if profile.format == "json":
        return JsonWriter(profile)
    return XmlWriter(profile) if profile.format == "idoc_xml" else FlatWriter(profile)


class _File:
    """A file while documents come."""

    def __init__(self, new_writer: Callable[[], Writer]) -> None:
        self._new_writer = new_writer
        self._writer = new_writer()
        self._documents: list[TargetDocument] = []
        self._parts = [self._writer.begin()]
        self._size = len(self._parts[0])
        self._spoilt = False

    def takes(self, document: TargetDocument, maximum_bytes: int) -> bool:
        """Take a document in; False when the file would be larger than it may be.

        :raises ProblemError: the document cannot be written.
        """
        body = self._writer.add(document)
        if self._size + len(body) + len(self._writer.end()) > maximum_bytes:
            self._spoilt = True
            return False
        self._documents.append(document)
        self._parts.append(body)
        self._size += len(body)
        return True

    def close(self, result: Written) -> None:
        """Add the file to the result, unless nothing is in it."""
        if not self._documents:
            return
        if self._spoilt:
            # Its writer has counted a document that is not in it: its totals would be wrong.
            self._writer = self._new_writer()
            self._parts = [self._writer.begin(), *map(self._writer.add, self._documents)]
        body = b"".join([*self._parts, self._writer.end()])
        keys = tuple(document.key for document in self._documents)
        numbers = tuple(document.number for document in self._documents)
        result.files.append(FileContent(len(result.files) + 1, self._writer.suffix, body, keys, numbers))
        result.cut += self._writer.cut


def _too_large(key: str, maximum: int) -> Problem:
    return Problem(
        rule="file.record_too_large",
        message=f"the record alone is larger than a file may be ({maximum:,} bytes)",
        remedy="raise writing.maximum_bytes, and the limit of the receiver with it",
        record=key,
    )
