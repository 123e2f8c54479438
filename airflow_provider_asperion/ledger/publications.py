"""What a publication to SAP is called in the ledger, what it holds, and what was decided for each record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping  # noqa: TC003 - dataclass field
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow_provider_asperion.ledger.keys import row_id

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.snapshots import Action, Snapshot

OutboxState = Literal["planned", "uploaded", "published", "abandoned"]


class OutboxKey(NamedTuple):
    """One batch of one run.

    :param flow: name under which the ledger keeps what SAP got: flow and mapping.
    :param run_id: run, or the part of it whose batches are numbered together.
    :param batch: number of the batch.
    """

    administration: str
    flow: str
    run_id: str
    batch: int

    @property
    def id(self) -> str:
        """Primary key of the row."""
        return row_id(("outbox", self.administration, self.flow, self.run_id, str(self.batch)))


class OutFile(NamedTuple):
    """A file of a publication. ``size`` is in bytes."""

    name: str
    sha256: str
    size: int


# Stands in the place of the key of a customer who was erased.
ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is sent of one record.

    :param fields: keyed hash by target, of what SAP has once it travelled; targets that are absent stay as
        they were. Empty once it is published: the snapshot has them then.
    :param sent: targets that stand in the record.
    :param observed_at: when Asperion was asked about it, aware.
    :param file: name of the file it goes into; may be left out where there is one only.
    :param number: number of its document (``DOCNUM``), by which SAP will answer.
    :param amount: total of an order or invoice, in its currency.
    """

    key: str
    action: Action
    observed_at: dt.datetime
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    sent: tuple[str, ...] = ()
    file: str | None = None
    number: str | None = None
    amount: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the ledger keeps it."""
        amount = None if self.amount is None else str(self.amount)
        optional = {"file": self.file, "number": self.number, "amount": amount}
        return {
            "key": self.key,
            "action": self.action,
            "observed_at": self.observed_at.astimezone(dt.UTC).isoformat(),
            "fields": dict(self.fields),
            "sent": list(self.sent),
            **{name: value for name, value in optional.items() if value is not None},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Decision:
        """Return what :meth:`as_json` gave."""
        amount = kept.get("amount")
        return cls(
            key=kept["key"],
            action=kept["action"],
            observed_at=dt.datetime.fromisoformat(kept["observed_at"]),
            fields=kept["fields"],
            sent=tuple(kept["sent"]),
            file=kept.get("file"),
            number=kept.get("number"),
            amount=None if amount is None else Decimal(amount),
        )


@dataclass(frozen=True, slots=True)
class Outbox:
    """A publication as the ledger knows it. ``folder`` is where its files lie, as the plan told it."""

    id: str
    key: OutboxKey
    session_id: str
    state: OutboxState
    decisions: tuple[Decision, ...]
    files: tuple[OutFile, ...]
    folder: str
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The answer to a wish to hold records; each key is either free or busy.

    :param free: held by the caller now, with what SAP got last; None: it never got the record.
    :param busy: in the hands of another publication, not held; also those of a stranded one.
    :param stranded: publications with dead workers whose files SAP may have: the caller adopts each, brings
        it to its end, and asks again.
    """

    free: dict[str, Snapshot | None]
    busy: set[str]
    stranded: list[Outbox]
