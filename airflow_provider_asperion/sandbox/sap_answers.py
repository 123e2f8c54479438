"""Plays the SAP that receives: fetches published files, posts their documents or refuses them, and answers.

``python -m airflow_provider_asperion.sandbox.sap_answers ./sap/to_sap ./sap/from_sap/answers``

Marks as in docs/sandbox.md. Master data is answered by audits (ALEAUD [sap]), orders and invoices by STATUS,
some orders by a confirmation (ORDRSP) too, in the format in which they came [inferred]. Delimited files are
no IDocs, and have no number that SAP could name: they stay where they are [inferred]. Which documents fail is
made up: those whose key ends in 00, and of several orders the last.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.write_profile import ControlRecord, WriteProfile
from airflow_provider_asperion.sap.writing import TargetDocument, write_documents, writer_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.sap.write_profile import WriteFormat

FETCHED = "fetched"
"""Folder into which SAP moves what it has read [sap]: moving is one of its choices, deleting another."""
# "One IDoc contains a maximum of 500 IDoc confirmations" [sap].
MOST_CONFIRMATIONS = 500
_MASTER_DATA = ("MATMAS", "DEBMAS", "ADRMAS")
_PROFILE = ReadProfile(message_types=("ORDERS", "INVOIC", *_MASTER_DATA))
_CONTROL = ControlRecord(
    client="100", direction="1", sender_port="SAPDEM", sender="DEMCLNT100", receiver="ASPERION"
)
_POSTED_TEXT = "Application document posted"  # of status 53 [sap]
_TEXT_LENGTH, _PARAMETER_LENGTH = 70, 20  # STATXT, STAPA1
_REJECTION = "01"  # E1EDP01-ABGRU: each system has reasons of its own [inferred]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of SAP: class, number, text with places for its parameters (table T100 [sap])."""

    area: str
    number: str
    text: str


# An order for a customer without a sales area; material, of which the log of the application says more; a
# customer or address that came in one packet with a faulty one: all [sap].
_NO_SALES_AREA = Message("VG", "204", "VKORG, VTWEG, SPART cannot be determined for customer &, vendor &")
_SEE_LOG = Message("MK", "101", "Messages have been issued: number &")
_IN_PACKET = Message("B1", "051", "IDoc included in IDoc packet containing an error: transfer it separately")
_REFUSALS = {
    "ORDERS": _NO_SALES_AREA,
    "INVOIC": _NO_SALES_AREA,
    "MATMAS": _SEE_LOG,
    "DEBMAS": _IN_PACKET,
    "ADRMAS": _IN_PACKET,
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What SAP made of one document.

    :param number: of the document (``DOCNUM``), as its sender gave it.
    :param key: SKU, customer, order or invoice number.
    :param status: 53 posted, 51 not posted.
    :param confirmed: what the confirmation of an order says; None where there is none.
    """

    number: str
    key: str
    message_type: str
    status: Literal["53", "51"]
    confirmed: Literal["accepted", "rejected"] | None = None

    @property
    def state(self) -> Literal["posted", "failed"]:
        """How it ended: an order of which SAP rejects all items was posted in vain."""
        return "failed" if self.status == "51" or self.confirmed == "rejected" else "posted"


def answer_all(sent: Path, answers: Path, *, now: dt.datetime) -> list[Answered]:
    """Fetch what lies in a folder and below it, and drop answers; return what they say, file by file.

    Each file appears whole, under its name, at once. It is moved into a folder ``fetched`` beside it when its
    answers are there: whoever is killed in between answers it again, which a reader must bear.

    :param now: aware; numbers and dates of the answers are made of it.
    :raises ProblemError: a file cannot be read; it stays, and those before it are answered.
    """
    numbers = itertools.count(int(f"{now:%y%m%d%H%M%S}0000"))
    answers.mkdir(parents=True, exist_ok=True)
    found = []
    for file in _published(sent):
        documents = _read(file)
        answered = [_judged(document, last=len(documents)) for document in documents]
        for part in _replies(documents, answered, numbers, now):
            _drop(part, documents[0].format, answers)
        _take_away(file)
        found += answered
    return found


def _published(sent: Path) -> list[Path]:
    """Return the files that a careful receiver reads: no hidden ones, no markers, nothing it has had."""
    return sorted(
        path
        for path in sent.rglob("*")
        if path.is_file()
        and not path.name.startswith(".")
        and path.suffix not in (".csv", ".done")
        and FETCHED not in path.relative_to(sent).parts
    )


def _read(file: Path) -> list[SourceDocument]:
    documents = []
    with file.open("rb") as stream:
        for one in read_documents(stream, file=file.name, profile=_PROFILE):
            if isinstance(one, Problem):
                raise ProblemError(one)
            documents.append(one)
    return documents


def _judged(document: SourceDocument, *, last: int) -> Answered:
    """Refuse keys that end in 00; confirm the first order of a file, and reject the last one of several."""
    refused = document.key.endswith("00")
    confirmed: Literal["accepted", "rejected"] | None = None
    if document.message_type == "ORDERS" and not refused and document.position in (1, last):
        confirmed = "accepted" if document.position == 1 else "rejected"
    status: Literal["53", "51"] = "51" if refused else "53"
    return Answered(document.document_number, document.key, document.message_type, status, confirmed)


def _replies(
    documents: Sequence[SourceDocument],
    answered: Sequence[Answered],
    numbers: Iterator[int],
    now: dt.datetime,
) -> Iterator[list[TargetDocument]]:
    """Yield the content of each file of answers."""

    def reply(message_type: str, basic_type: str, data: dict[str, Any]) -> TargetDocument:
        number = f"{next(numbers):016d}"
        return TargetDocument(number, message_type, basic_type, number, now, data)

    master_data = [one for one in answered if one.message_type in _MASTER_DATA]
    audits = [
        reply("ALEAUD", "ALEAUD01", _audit(master_data[begin : begin + MOST_CONFIRMATIONS], numbers))
        for begin in range(0, len(master_data), MOST_CONFIRMATIONS)
    ]
    statuses = [
        reply("STATUS", "SYSTAT01", {"E1STATS": [_status(one, now)]})
        for one in answered
        if one.message_type not in _MASTER_DATA
    ]
    # Behind the statuses: of two answers about a document the later one counts.
    confirmations = [
        reply("ORDRSP", "ORDERS05", _confirmation(document, rejected=one.confirmed == "rejected"))
        for document, one in zip(documents, answered, strict=True)
        if one.confirmed
    ]
    yield from filter(None, (audits, statuses, confirmations))


def _audit(answered: Sequence[Answered], numbers: Iterator[int]) -> dict[str, Any]:
    """Return the segments of ALEAUD01: E1STATE has the sender's DOCNUM, E1PRTOB SAP's own [sap]."""
    headers = []
    for kind, group in itertools.groupby(answered, key=lambda one: one.message_type):
        states = [
            {
                "DOCNUM": one.number,
                "STATUS": one.status,
                **_message(one),
                "E1PRTOB": [{"DOCNUM": f"{next(numbers):016d}", "LOGSYS": _CONTROL.sender}],
            }
            for one in group
        ]
        headers.append({"MESTYP": kind, "MESTYP_LNG": kind, "E1STATE": states})
    return {"E1ADHDR": headers}


def _message(one: Answered) -> dict[str, str]:
    """Return the message fields of E1STATE. SAP logs material with MK 101 in either case [sap]."""
    message = _SEE_LOG if one.message_type == "MATMAS" else _REFUSALS[one.message_type]
    if one.status == "53" and message is not _SEE_LOG:
        return {"STATYP": "S", "STATXT": _POSTED_TEXT}
    return {
        "STATYP": "E" if one.status == "51" else "S",
        "STAMQU": "SAP",
        "STAMID": message.area,
        "STAMNO": message.number,
        "STATXT": message.text[:_TEXT_LENGTH],
        "STAPA1": one.key[:_PARAMETER_LENGTH],
    }


def _status(one: Answered, now: dt.datetime) -> dict[str, str]:
    """Return E1STATS: it has the message in one field, ``SAP`` with class and number [sap]."""
    told = {"DOCNUM": one.number, "STATUS": one.status, "LOGDAT": f"{now:%Y%m%d}", "LOGTIM": f"{now:%H%M%S}"}
    if one.status == "53":
        return told | {"STATYP": "S", "STATXT": _POSTED_TEXT}
    message = _REFUSALS[one.message_type]
    code = f"SAP{message.area}{message.number}"
    return told | {
        "STATYP": "E",
        "STACOD": code,
        "STATXT": message.text[:_TEXT_LENGTH],
        "STAPA1": one.key[:_PARAMETER_LENGTH],
    }


def _confirmation(order: SourceDocument, *, rejected: bool) -> dict[str, Any]:
    """Return an order as SAP confirms it: a document number of its own beside ours [sap]."""
    items = [
        {name: item[name] for name in ("POSEX", "MENGE", "MENEE") if name in item}
        | ({"ABGRU": _REJECTION} if rejected else {})
        for item in order.data["E1EDP01"]
    ]
    own = f"{order.position:010d}"
    return {
        "E1EDK01": [{"BELNR": own}],
        "E1EDK02": [{"QUALF": "001", "BELNR": order.key}, {"QUALF": "002", "BELNR": own}],
        "E1EDP01": items,
    }


def _drop(replies: Sequence[TargetDocument], format_: WriteFormat, answers: Path) -> None:
    """Write one file under a temporary name, then rename it. Names sort in the order of writing."""
    writer = writer_of(WriteProfile(format=format_, control=_CONTROL))
    content = write_documents(replies, writer)
    name = f"{replies[0].number}_{replies[0].message_type}{writer.suffix}"
    hidden = answers / f"{name}.tmp"
    hidden.write_bytes(content)
    hidden.rename(answers / name)


def _take_away(file: Path) -> None:
    """Move a file aside; its done-file goes with it [sap]."""
    fetched = file.with_name(FETCHED)
    fetched.mkdir(exist_ok=True)
    file.rename(fetched / file.name)
    file.with_name(f"{file.name}.done").unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer once what lies there; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_asperion.sandbox.sap_answers",
        description="Plays SAP: fetches the files that the flows have published, and answers them.",
    )
    parser.add_argument("sent", type=Path, help="folder with published files, in it or below it")
    parser.add_argument("answers", type=Path, help="folder for the answers: answers_from_sap.folder.inbox")
    options = parser.parse_args(arguments)
    if not options.sent.is_dir():
        parser.error(f"there is no folder {options.sent}")
    try:
        answered = answer_all(options.sent, options.answers, now=dt.datetime.now(dt.UTC))
    except ProblemError as error:
        print(error, file=sys.stderr)
        return 1
    failed = sum(one.state == "failed" for one in answered)
    print(f"answered {len(answered)} documents: {len(answered) - failed} posted, {failed} failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
