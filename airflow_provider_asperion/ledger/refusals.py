"""Which documents of files are refused, and where each stands: what a retry reads again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_provider_asperion.ledger import documents as documents_
from airflow_provider_asperion.ledger.files import FileClaim, to_claim
from airflow_provider_asperion.ledger.keys import Claim, DocumentKey
from airflow_provider_asperion.ledger.tables import documents, files
from airflow_provider_asperion.ledger.work import chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Row

    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.work import Work

EVERYTHING = "*"
# A document that was refused before it had a key of its own is known by its place: claim#position.
NAMELESS = "source_document"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that did not end well.

    :param key: of the document; of one without a key of its own the kind is :data:`NAMELESS`.
    :param rules: rules of its problems.
    """

    key: DocumentKey
    rules: tuple[str, ...]
    file: FileClaim
    position: int


def refused(
    work: Work, folder: str, wanted: Collection[str], *, administration: str | None = None
) -> list[Refusal]:
    """Return refused documents of a drop folder, file by file in the order of the files.

    With them those that a retry left without an end: their file is in the archive, where no run looks.

    :param wanted: keys of documents, names of files, and rules of problems; :data:`EVERYTHING` for all.
    """
    statement = (
        select(documents, files.c.id.label("claim"))
        .join(files, files.c.id == documents.c.file_id)
        .where(documents.c.state != "done", files.c.folder == folder)
        .order_by(files.c.landed_at, files.c.id, documents.c.position)
    )
    if administration is not None:
        statement = statement.where(documents.c.administration == administration)
    rows = work.connection.execute(statement).all()
    claims = _claims(work, {row.claim for row in rows})
    found = [_refusal(row, claims[row.claim]) for row in rows]
    return [one for one in found if EVERYTHING in wanted or _is_wanted(one, wanted)]


def resolve(
    work: Work, session: WorkSession, administration: str, file_id: str, positions: Iterable[int]
) -> None:
    """Close what was refused by its place only: the document there has been understood since."""
    keys = [DocumentKey(administration, NAMELESS, f"{file_id}#{position}") for position in positions]
    known = documents_.look_up(work, keys)
    claims = [
        Claim(key, document.fingerprint, document.file, document.position)
        for key, document in known.items()
        if document.state == "refused"
    ]
    for grip in documents_.take(work, session, claims) if claims else ():
        if grip.held:
            documents_.finish(work, session, grip.key, "done", note="understood")


def _is_wanted(refusal: Refusal, wanted: Collection[str]) -> bool:
    named = {refusal.key.key, refusal.file.seen.name, *refusal.rules}
    return not named.isdisjoint(wanted)


def _claims(work: Work, ids: set[str]) -> dict[str, FileClaim]:
    found = {}
    for part in chunks(sorted(ids)):
        rows = work.connection.execute(select(files).where(files.c.id.in_(part)))
        found.update({row.id: to_claim(row) for row in rows})
    return found


def _refusal(row: Row[Any], claim: FileClaim) -> Refusal:
    return Refusal(
        key=DocumentKey(row.administration, row.kind, row.key),
        rules=tuple(problem["rule"] for problem in row.problems),
        file=claim,
        position=row.position,
    )
