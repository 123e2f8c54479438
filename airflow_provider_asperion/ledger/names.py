"""Whose documents they are: keyed hashes by which a person's records are found, and cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from airflow_provider_asperion.ledger.tables import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_provider_asperion.ledger.work import Work


def note(work: Work, pairs: Iterable[tuple[str, str]]) -> None:
    """Put down which documents belong to whom; what is known already stays.

    :param pairs: keyed hash of a name (see :class:`hashing.IdentityHasher`), and the id of a document.
    """
    rows = [{"name_hash": name, "document_id": document} for name, document in sorted(set(pairs))]
    if rows:
        work.connection.execute(work.insert_missing(names), rows)


def documents_of(work: Work, name_hash: str) -> list[str]:
    """Return the ids of a person's documents."""
    statement = select(names.c.document_id).where(names.c.name_hash == name_hash)
    return list(work.connection.execute(statement).scalars())


def forget(work: Work, name_hashes: Sequence[str]) -> int:
    """Forget names; the documents stay. Return how many rows went."""
    return work.connection.execute(delete(names).where(names.c.name_hash.in_(name_hashes))).rowcount
