"""What the readers of IDocs hand over: a document before it was judged, and how faults are worded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem

if TYPE_CHECKING:
    from airflow_provider_asperion.records import FileFormat

CONTROL = "EDI_DC40"


@dataclass(slots=True)
class Draft:
    """An IDoc as it was decoded.

    :param data: tree of segments, see :class:`SourceDocument`; the control record stands in it.
    :param root: root element of an XML or JSON file, empty for flat files.
    :param fault: why the document is refused, None while nothing was found.
    """

    position: int
    line: int | None
    format: FileFormat
    data: dict[str, Any] = field(default_factory=dict)
    root: str = ""
    skipped: dict[str, int] = field(default_factory=dict)
    fault: Problem | None = None

    def refuse(self, problem: Problem) -> None:
        """Note why the document is refused; the first reason stands."""
        self.fault = self.fault or problem


# Message type -> where its documents have their key: segment and field, the first that has a value.
_KEYS = {
    "MATMAS": (("E1MARAM", "MATNR_LONG"), ("E1MARAM", "MATNR")),
    "DEBMAS": (("E1KNA1M", "KUNNR"),),
    "ADRMAS": (("E1ADRMAS", "OBJ_ID"),),
    "STATUS": (("E1STATS", "DOCNUM"),),
    "INVOIC": (("E1EDK01", "BELNR"), ("E1EDK02.009", "BELNR")),
    "ORDRSP": (("E1EDK02.001", "BELNR"), ("E1EDK02.002", "BELNR"), ("E1EDK01", "BELNR")),
    "ALEAUD": (),
}
_ORDERS = (("E1EDK02.001", "BELNR"), ("E1EDK01", "BELNR"))


def business_key(kind: str, data: dict[str, Any]) -> str:
    """Return the key of a document under its sender; empty when there is none.

    Orders: E1EDK02/001 (the customer's order number), else E1EDK01. Confirmations: E1EDK02/001, else 002
    (SAP's). Invoices: E1EDK01, else E1EDK02/009. Materials: MATNR. Customers: KUNNR. Addresses: OBJ_ID.
    STATUS: the number of the IDoc that it tells of. ALEAUD tells of many IDocs, and has no key.
    """
    for place, name in _KEYS.get(kind, _ORDERS):
        segment, _, qualifier = place.partition(".")
        if value := _value(data.get(segment), name, qualifier):
            return value
    return ""


def key_field(kind: str) -> str:
    """Return the field in which a document of a message type should have its key."""
    for place, name in _KEYS.get(kind, _ORDERS):
        return f"{place}.{name}"
    return f"{CONTROL}.DOCNUM"


def _value(segments: Any, name: str, qualifier: str) -> str:
    if not isinstance(segments, list):
        return ""
    if qualifier:
        segments = (segment for segment in segments if segment.get("QUALF") == qualifier)
    first = next(iter(segments), None)
    found = first.get(name, "") if first else ""
    return found if isinstance(found, str) else ""


class BrokenFileError(Exception):
    """Nothing more can be read of a file. Carries the problem, without its file."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.rule)
        self.problem = problem


def broken(
    rule: str, message: str, remedy: str, *, line: int | None = None, record: str | None = None
) -> BrokenFileError:
    """Return the fault of a file of which nothing more can be read.

    :param record: key of the document in which reading ended, where it is known.
    """
    return BrokenFileError(Problem(rule=rule, message=message, remedy=remedy, line=line, record=record))
