"""One transaction at work: what each operation of the ledger is handed."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection, Table

    from airflow_provider_asperion.ledger.processes import ProcessIdentity

Item = TypeVar("Item")

# Far below SQLite's limit of 32,766 variables in a statement.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Work:
    """An open transaction.

    :param connection: in a transaction; whoever made it commits.
    :param now: the moment of this transaction, aware.
    :param process: who is at work.
    :param new_id: makes an id that nobody else has.
    """

    connection: Connection
    now: dt.datetime
    process: ProcessIdentity
    new_id: Callable[[], str]

    def insert_missing(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Begin an INSERT that passes over rows that are there already."""
        make = postgresql.insert if self.connection.dialect.name == "postgresql" else sqlite.insert
        return make(table).on_conflict_do_nothing()


def chunks(items: Sequence[Item], size: int = CHUNK) -> Iterator[Sequence[Item]]:
    """Cut a sequence into parts of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
