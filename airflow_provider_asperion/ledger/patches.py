"""Patches: what a person puts in place of a value of one refused document, encrypted, for some hours.

The archived file stays as it is; a retry reads it and puts the patches on top. The trail says which field was
changed by whom, never to what.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, or_, select

from airflow_provider_asperion.ledger.tables import documents, patches
from airflow_provider_asperion.ledger.trail import add_remark

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.ledger import Ledger
    from airflow_provider_asperion.ledger.tokens import Cipher
    from airflow_provider_asperion.ledger.work import Work


@dataclass(frozen=True, slots=True)
class PatchedField:
    """That a field was changed. The value stays encrypted.

    :param field: dotted path in the source document.
    :param until: when it is forgotten.
    """

    field: str
    by: str
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Place:
    """The document that is patched: its id in the ledger, and where it stands."""

    document_id: str
    file_id: str
    position: int


@dataclass(frozen=True, slots=True)
class PatchBook:
    """Keeps patches.

    :param cipher: a Fernet, or a MultiFernet while keys are changed.
    """

    ledger: Ledger
    cipher: Cipher = field(repr=False)

    def put(self, place: Place, path: str, value: str, *, by: str, hours: float) -> None:
        """Keep a value for a field, in place of one that was put before.

        :param hours: how long.
        """
        # Sealed with its place: a row that somebody moves to another document does not open there.
        content = json.dumps([place.file_id, place.position, path, value]).encode()
        self.ledger.run(_put, place, path, self.cipher.encrypt(content), by, hours)

    def take_back(self, place: Place, path: str, *, by: str) -> bool:
        """Forget a patch; False when there is none."""
        return self.ledger.run(_take_back, place, path, by)

    def of_file(self, file_id: str) -> dict[int, dict[str, str | None]]:
        """Return what counts now, by position in the file and field; what is over is forgotten.

        A value is None where it can no longer be read: the key is another one.
        """
        found: dict[int, dict[str, str | None]] = {}
        for position, path, body in self.ledger.run(_of_file, file_id):
            found.setdefault(position, {})[path] = self._opened(file_id, position, path, body)
        return found

    def _opened(self, file_id: str, position: int, path: str, body: bytes) -> str | None:
        try:
            *place, value = json.loads(self.cipher.decrypt(body))
        except Exception:  # each kind of cipher has its own; none may carry the value outward
            return None
        return str(value) if place == [file_id, position, path] else None


def of_document(work: Work, document_id: str) -> list[PatchedField]:
    """Return which fields of a document are patched now."""
    rows = work.connection.execute(
        select(patches.c.field, patches.c.put_by, patches.c.until)
        .where(patches.c.document_id == document_id, patches.c.until > work.now)
        .order_by(patches.c.field)
    )
    return [PatchedField(row.field, row.put_by, row.until) for row in rows]


def expire(work: Work) -> int:
    """Forget patches that are too old, and those of documents that are done; return how many."""
    done = select(documents.c.id).where(documents.c.id == patches.c.document_id, documents.c.state == "done")
    over = or_(patches.c.until <= work.now, done.exists())
    return work.connection.execute(delete(patches).where(over)).rowcount


def _put(work: Work, place: Place, path: str, body: bytes, by: str, hours: float) -> None:
    _drop(work, place, path)
    until = work.now + dt.timedelta(hours=hours)
    work.connection.execute(
        insert(patches).values(
            file_id=place.file_id,
            position=place.position,
            field=path,
            document_id=place.document_id,
            body=body,
            put_by=by,
            until=until,
        )
    )
    detail = {"field": path, "by": by, "until": until.isoformat(timespec="seconds")}
    add_remark(work, place.document_id, "patched", detail)


def _take_back(work: Work, place: Place, path: str, by: str) -> bool:
    if not _drop(work, place, path):
        return False
    add_remark(work, place.document_id, "patch_taken_back", {"field": path, "by": by})
    return True


def _drop(work: Work, place: Place, path: str) -> bool:
    same = (patches.c.file_id == place.file_id) & (patches.c.position == place.position)
    return work.connection.execute(delete(patches).where(same, patches.c.field == path)).rowcount > 0


def _of_file(work: Work, file_id: str) -> list[tuple[int, str, bytes]]:
    expire(work)
    rows = work.connection.execute(
        select(patches.c.position, patches.c.field, patches.c.body).where(patches.c.file_id == file_id)
    )
    return [(row.position, row.field, row.body) for row in rows]
