"""What each side says of one record: the file, the ledger, Asperion. Keys and amounts, nothing personal."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - dataclass field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from airflow_provider_asperion.flows.reconcile.amounts import Amounts, Parts

Verdict = Literal["order", "filtered", "refused", "repeated"]
LedgerState = Literal[
    "done", "refused", "held", "open", "filtered", "repeated", "other_content"
]  # see InLedger


@dataclass(frozen=True, slots=True)
class InFile:
    """A document as its file has it, read with today's mapping and settings.

    :param kind: kind of document; empty where it could not be mapped.
    :param key: number of the sender; None where there is none.
    :param verdict: what the settings make of it today.
    :param fingerprint: of its content; empty where it could not be read.
    :param parts: its lines, as ``include_vat`` says; see :func:`.amounts.merged`.
    :param amount: sum of the lines, as the ledger keeps it.
    """

    kind: str
    key: str | None
    file: str
    position: int
    verdict: Verdict
    fingerprint: str = ""
    currency: str = ""
    include_vat: bool = False
    parts: Parts = ()
    lines: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InLedger:
    """What the ledger says became of a document of a file.

    :param state: ``open`` covers what has begun. ``repeated``: the same document came before, or again.
        ``other_content``: its number had been delivered with other content.
    :param fingerprint: of the content that was seen at this place; empty where it could not be mapped.
    :param amount: sum of the lines of what was delivered.
    :param ended_at: when the ledger last changed it, aware.
    """

    kind: str
    key: str | None
    file: str
    position: int
    state: LedgerState
    fingerprint: str = ""
    asperion_id: str | None = None
    amount: Decimal | None = None
    ended_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class InAsperion:
    """A document as Asperion holds it now.

    :param whole: what it says it adds up to; what it does not say is computed from the lines.
    :param parts: its lines with the rates of their VAT codes.
    :param lines: how many lines; None where the API does not say.
    :param changed_at: its last change, at the earliest; None: it does not say.
    """

    kind: str
    key: str
    id: str
    whole: Amounts
    parts: Parts
    currency: str | None = None
    include_vat: bool = False
    lines: int | None = None
    changed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One document of one file, on the two sides that know it."""

    file: InFile | None
    ledger: InLedger | None

    @property
    def place(self) -> InFile | InLedger:
        """Whichever side there is, the file first."""
        found = self.file or self.ledger
        if found is None:
            raise AssertionError("a pair has a side")
        return found

    @property
    def kind(self) -> str:
        """Kind of document: of one that was delivered by the ledger, else by today's mapping."""
        by_ledger = self.ledger.kind if self.ledger is not None and self.ledger.key is not None else ""
        by_file = self.file.kind if self.file is not None else ""
        delivered = self.ledger is not None and self.ledger.state == "done"
        return (by_ledger or by_file) if delivered else (by_file or by_ledger)

    @property
    def key(self) -> str | None:
        """Number of the sender."""
        return (self.ledger.key if self.ledger else None) or (self.file.key if self.file else None)
