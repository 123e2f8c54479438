"""Reads a file of SAP's, whatever its format: documents and problems come side by side, in file order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem, SourceDocument
from airflow_provider_asperion.sap.control import check_control_totals
from airflow_provider_asperion.sap.cpi_json import read_json
from airflow_provider_asperion.sap.delimited import read_csv
from airflow_provider_asperion.sap.drafts import CONTROL, BrokenFileError, Draft, business_key, key_field
from airflow_provider_asperion.sap.idoc_flat import read_flat
from airflow_provider_asperion.sap.idoc_xml import read_xml
from airflow_provider_asperion.sap.sniffing import sniff
from airflow_provider_asperion.sap.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from airflow_provider_asperion.sap.profile import ReadProfile

# Message types that end with what they add up to (E1EDS01).
_SUMMED = ("ORDERS", "INVOIC", "ORDRSP")
_IDOC_READERS = {"idoc_flat": read_flat, "idoc_xml": read_xml, "json": read_json}


def read_documents(
    stream: BinaryIO, *, file: str, profile: ReadProfile
) -> Iterator[SourceDocument | Problem]:
    """Yield the documents of a file, and a problem in place of each that is refused.

    Memory is bounded by the largest document (JSON: by the file). A document of which the end was not seen
    is never yielded.

    :param stream: bytes of the file; read once, front to back.
    :param file: name of the file, for messages; its format is seen from the content.
    :returns: documents, problems with a ``position`` for a document that is refused, and at most one problem
        without, at the end: nothing more of the file can be read.
    :raises ProblemError: a layout file of the profile cannot be read.
    """
    try:
        source = Source(stream, limit=profile.limits.file_bytes)
        format_ = sniff(source)
        if format_ == "csv":
            yield from read_csv(source, profile, file=file)
            return
        for draft in _IDOC_READERS[format_](source, profile):
            yield _judged(draft, file, profile)
    except BrokenFileError as error:
        yield error.problem.at(file=file)


def _judged(draft: Draft, file: str, profile: ReadProfile) -> SourceDocument | Problem:
    """Return the document, or why it is refused."""
    control = draft.data.get(CONTROL, {})
    number = control.get("DOCNUM", "")
    names = [control.get("MESTYP") or re.sub(r"\d+$", "", draft.root)]
    names += [draft.root, control.get("CIMTYP", ""), control.get("IDOCTYP", "")]
    kind = profile.message_type(*(name for name in names if name))
    key = business_key(kind or "", draft.data) or number
    where = {"file": file, "position": draft.position, "line": draft.line, "record": key or None}
    if draft.fault is not None:
        return draft.fault.at(**where)
    if kind is None:
        return _other_type(names, profile).at(**where)
    if not key:
        return _no_key(kind).at(**where)
    document = SourceDocument(
        file=file,
        position=draft.position,
        line=draft.line,
        format=draft.format,
        message_type=kind,
        basic_type=control.get("IDOCTYP") or draft.root,
        document_number=number,
        key=key,
        data=draft.data,
        skipped=draft.skipped,
    )
    return _fault_of_totals(document, profile) or document


def _fault_of_totals(document: SourceDocument, profile: ReadProfile) -> Problem | None:
    where = {
        "file": document.file, "position": document.position, "line": document.line, "record": document.key,
    }  # fmt: skip
    wanted = profile.require_totals and document.message_type in _SUMMED
    if wanted and not document.data.get("E1EDS01"):
        return Problem(
            rule="totals.missing",
            message="the document has no summary (E1EDS01), so that nothing proves it whole",
            remedy="have the sender fill E1EDS01, or set require_totals: false",
            field="E1EDS01",
        ).at(**where)
    found = check_control_totals(document) if profile.check_totals else []
    if not found:
        return None
    return (
        found[0].model_copy(update={"message": "; ".join(problem.message for problem in found)}).at(**where)
    )


def _other_type(names: list[str], profile: ReadProfile) -> Problem:
    shown = " / ".join(dict.fromkeys(name for name in names if name)) or "(none)"
    return Problem(
        rule="document.type",
        message=f"the message type {shown} is not read here; read are {', '.join(profile.message_types)}",
        remedy="have the sender keep it out of this folder; if it is an order or invoice under a name of its "
        "own, add that name to aliases in the settings",
        field="EDI_DC40.MESTYP",
    )


def _no_key(kind: str) -> Problem:
    field = key_field(kind)
    return Problem(
        rule="document.key",
        message="the document has no number of its own",
        remedy=f"have the sender fill {field}",
        field=field,
    )
