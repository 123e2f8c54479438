"""Values of a record, as they came and as they went, encrypted and for some days; none unless asked for."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Mapping  # noqa: TC003 - dataclass field
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, insert, select, tuple_

from airflow_provider_asperion.ledger.tables import payloads
from airflow_provider_asperion.ledger.work import chunks
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger.tokens import Cipher
    from airflow_provider_asperion.ledger.work import Work

Direction = Literal["came", "went"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one record looked like, encrypted. ``name_hash`` is the keyed hash of whose it is."""

    document_id: str
    direction: Direction
    body: bytes = field(repr=False)
    name_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What one record looked like, when, and in which run."""

    direction: Direction
    run_id: str
    at: dt.datetime
    until: dt.datetime
    values: Mapping[str, Any] = field(repr=False)


class Keeper:
    """Encrypts and decrypts what is kept.

    :param cipher: a Fernet, or a MultiFernet while keys are changed.
    :param days: how long it is kept.
    """

    def __init__(self, cipher: Cipher, days: int) -> None:
        self._cipher = cipher
        self.life = dt.timedelta(days=days)

    def sealed(
        self, document_id: str, direction: Direction, values: Mapping[str, Any], name_hash: str | None = None
    ) -> Sealed:
        """Encrypt the values of a record. What it belongs to is inside too: no row passes for another one."""
        content = {"of": [document_id, direction], "values": values}
        text = json.dumps(content, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return Sealed(document_id, direction, self._cipher.encrypt(zlib.compress(text)), name_hash)

    def opened(self, document_id: str, direction: Direction, body: bytes) -> Mapping[str, Any]:
        """Undo :meth:`sealed`.

        :raises ProblemError: it was encrypted with another key, or touched.
        """
        try:
            content = json.loads(zlib.decompress(self._cipher.decrypt(body)).decode("utf-8", "surrogatepass"))
        except Exception as error:  # each kind of cipher has its own
            raise ProblemError(_unreadable()) from error
        if content["of"] != [document_id, direction]:
            raise ProblemError(_unreadable())
        values: Mapping[str, Any] = content["values"]
        return values


def put(work: Work, run_id: str, life: dt.timedelta, sealed: Sequence[Sealed]) -> None:
    """Keep records for a time; of one run and record the last word counts.

    :param life: for how long.
    """
    rows = {
        (one.document_id, one.direction): {
            "document_id": one.document_id,
            "direction": one.direction,
            "run_id": run_id,
            "name_hash": one.name_hash,
            "body": one.body,
            "at": work.now,
            "until": work.now + life,
        }
        for one in sealed
    }
    key = tuple_(payloads.c.document_id, payloads.c.direction)
    for part in chunks(sorted(rows)):
        work.connection.execute(delete(payloads).where(key.in_(part), payloads.c.run_id == run_id))
        work.connection.execute(insert(payloads), [rows[one] for one in part])


def of_record(work: Work, document_id: str, keeper: Keeper) -> list[Kept]:
    """Return what is kept of a record, oldest first.

    :raises ProblemError: it was encrypted with another key.
    """
    statement = (
        select(payloads)
        .where(payloads.c.document_id == document_id, payloads.c.until > work.now)
        .order_by(payloads.c.at, payloads.c.direction)
    )
    return [
        Kept(
            row.direction,
            row.run_id,
            row.at,
            row.until,
            keeper.opened(document_id, row.direction, bytes(row.body)),
        )
        for row in work.connection.execute(statement)
    ]


def _unreadable() -> Problem:
    return Problem(
        rule="payload.unreadable",
        message="what is kept of the record was encrypted with another key, or touched",
        remedy="put the former key behind the new one in [core] fernet_key, with a comma; or let it expire",
    )
