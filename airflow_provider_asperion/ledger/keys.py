"""What a document is called in the ledger, what is claimed, and what comes back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from decimal import Decimal

    from airflow_provider_asperion.records import Problem

DocumentState = Literal["open", "intended", "done", "refused", "held"]
EndState = Literal["done", "refused", "held"]
GripStatus = Literal["new", "resumed", "refused_before", "done", "busy"]


class DocumentKey(NamedTuple):
    """What exists once.

    :param administration: id or name of the administration of Asperion (tenant).
    :param kind: ``sales_order``, ``sales_invoice``, ``debtor``, ...
    :param key: number of the sender; where the natural key is personal (an e-mail address), its keyed hash.
    """

    administration: str
    kind: str
    key: str

    @property
    def id(self) -> str:
        """Primary key of the row: a digest, so that one short column names all three parts."""
        return row_id(self)


def row_id(parts: Iterable[str]) -> str:
    """Return one short name for several parts; parts count with their length: ab, c is not a, bc."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to work on a document.

    :param fingerprint: SHA-256 of its content, hexadecimal; see :func:`hashing.fingerprint`.
    :param file: id of the file in the ledger (``FileClaim.id``), None when it comes from no file.
    :param position: 1-based place in that file.
    """

    key: DocumentKey
    fingerprint: str
    file: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Grip:
    """The answer to a claim.

    :param status: ``new``: never tried, held by the caller now. ``resumed``: tried before, held now.
        ``refused_before``: as ``resumed``, but it had ended as refused. ``done``: it exists in Asperion, not
        held. ``busy``: a living session holds it (also the caller's own, by an earlier claim), not held.
    :param intended: a POST may have gone out: look in Asperion before sending again.
    :param state: the state the document was found in; ``open`` for a new one.
    :param fingerprint: the content that was known before this claim; the claim's own for a new document.
    :param changed: the claim brings other content than was known before.
    :param attempts: how often it has been taken, this time included.
    """

    key: DocumentKey
    status: GripStatus
    state: DocumentState
    fingerprint: str
    changed: bool = False
    intended: bool = False
    effect: str | None = None
    asperion_id: str | None = None
    amount: Decimal | None = None
    attempts: int = 1

    @property
    def held(self) -> bool:
        """True when the caller may work on the document."""
        return self.status not in ("done", "busy")


@dataclass(frozen=True, slots=True)
class Document:
    """A document as the ledger knows it. ``amount`` is in the currency of the document."""

    key: DocumentKey
    state: DocumentState
    fingerprint: str
    asperion_id: str | None
    amount: Decimal | None
    attempts: int
    effect: str | None
    intended_at: dt.datetime | None
    session_id: str | None
    run_id: str
    file: str | None
    position: int | None
    problems: tuple[Problem, ...]
    created_at: dt.datetime
    updated_at: dt.datetime
