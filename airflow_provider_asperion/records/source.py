"""Source documents: what the readers of SAP files produce, whatever the format of the file was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

FileFormat = Literal["idoc_xml", "idoc_flat", "csv", "json"]


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One business document as it stood in a file, before any mapping.

    :param file: name of the file, without its folder.
    :param position: 1-based place of the document among the documents of the file.
    :param line: 1-based line at which the document begins, where the format has lines.
    :param format: how the file was written.
    :param message_type: ``MESTYP`` of an IDoc (``ORDERS``, ``INVOIC``), or the name of the CSV profile.
    :param basic_type: ``IDOCTYP`` of an IDoc (``ORDERS05``), empty for other formats.
    :param document_number: ``DOCNUM`` of an IDoc; for CSV the value of the grouping column.
    :param key: business key: the order or invoice number of the sender, as found in the document.
    :param data: the content. An IDoc is a tree: each segment type (``E1EDP01``, never ``E2EDP01011``) is a
        list of dicts of field name to text, child segments inside their parent under their own type; the
        control record stands under ``EDI_DC40`` as a plain dict. A delimited file gives ``header`` (the first
        row) and ``lines`` (all rows of the document). Values are text, trimmed; empty ones are left out.
    :param skipped: counts of what was passed over, by segment or column name.
    """

    file: str
    position: int
    line: int | None
    format: FileFormat
    message_type: str
    basic_type: str
    document_number: str
    key: str
    data: dict[str, Any] = field(repr=False)
    skipped: dict[str, int] = field(default_factory=dict)
