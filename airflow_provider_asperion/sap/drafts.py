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


def business_key(kind: str, data: dict[str, Any]) -> str:
    """Return the order or invoice number of the sender; empty when there is none.

    Orders: E1EDK02/001 (the customer's order number), else E1EDK01. Invoices: E1EDK01, else E1EDK02/009.
    """
    heads = data.get("E1EDK01") or [{}]
    own = heads[0].get("BELNR", "") if isinstance(heads, list) else ""
    wanted = "009" if kind == "INVOIC" else "001"
    references = data.get("E1EDK02") or []
    other = ""
    if isinstance(references, list):
        other = next((row.get("BELNR", "") for row in references if row.get("QUALF") == wanted), "")
    return (own or other) if kind == "INVOIC" else (other or own)


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
