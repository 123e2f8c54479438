"""Purging by the settings: what is older than its kind is kept goes from the ledger and from staging.

And one person on demand: see :func:`erase_person`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from airflow_provider_asperion.asperion.matching import normal_form
from airflow_provider_asperion.flows.debtors import DEBTOR, debtor_name
from airflow_provider_asperion.ledger import erasure, purge
from airflow_provider_asperion.ledger.tables import documents, runs
from airflow_provider_asperion.staging import folder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_asperion.ledger import IdentityHasher, Ledger
    from airflow_provider_asperion.ledger.erasure import Erased, Person
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.settings import Retention
    from airflow_provider_asperion.settings.orders import IdentityField
    from airflow_provider_asperion.staging import Staging, Swept

# A dry run is in no account: its batches are taken for live ones for so long.
UNKNOWN_RUN = dt.timedelta(hours=1)
ABOUT = {
    "trail": "trail of records",
    "details": "texts of problems",
    "documents": "orders that were placed",
    "files": "files that were read",
    "runs": "runs",
    "statements": "statements of reconciliations",
    "work": "work sessions, publications",
    purge.KEPT_UNTIL: "kept values, encrypted",
    "staging": "batches left behind",
    "task_logs": "log files of tasks",
}


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one kind of data, or would.

    :param days: how long the kind is kept; None: for ever, or as each row says.
    :param gone: rows, batches or files that went.
    """

    kind: str
    days: int | None
    gone: int

    @property
    def about(self) -> str:
        """The kind in words."""
        return ABOUT.get(self.kind, self.kind.replace("_", " "))


def moments(retention: Retention, now: dt.datetime) -> dict[str, dt.datetime]:
    """Return before which moment each kind of rows of the ledger is old; kinds that are kept are absent."""
    found = {purge.KEPT_UNTIL: now}
    for kind in purge.kinds():
        days = None if kind == purge.KEPT_UNTIL else retention.days_of(kind)
        if days is not None:
            found[kind] = now - dt.timedelta(days=days)
    return found


def purge_old(
    ledger: Ledger,
    staging: Staging,
    retention: Retention,
    *,
    dry_run: bool = False,
    on_progress: Callable[[str, int], None] = lambda kind, gone: None,
) -> list[Line]:
    """Purge what is old from ledger and staging; tell what went, or would go, by kind."""
    now = now_of(ledger)
    before = moments(retention, now)
    gone = purge.count(ledger, before) if dry_run else purge.purge(ledger, before, on_progress=on_progress)
    staged_before = now - dt.timedelta(days=retention.staging_days)
    swept = staging.sweep(lambda parts, written: written < staged_before, dry_run=dry_run)
    return [*_lines(gone, retention), Line("staging", retention.staging_days, swept.gone)]


def now_of(ledger: Ledger) -> dt.datetime:
    """Return what time it is for the ledger."""
    with ledger.transaction(reading=True) as work:
        return work.now


def _lines(gone: Mapping[str, int], retention: Retention) -> list[Line]:
    return [
        Line(kind, None if kind == purge.KEPT_UNTIL else retention.days_of(kind), gone.get(kind, 0))
        for kind in purge.kinds()
    ]


def erase_person(
    ledger: Ledger,
    staging: Staging,
    hashed: IdentityHasher,
    identities: Mapping[IdentityField, str],
    *,
    also_hashes: bool = False,
    dry_run: bool = False,
) -> tuple[Erased, Swept]:
    """Erase one person from the ledger, and the batches that no run needs any more from staging.

    In a batch the records of a person cannot be told from those of others: all that was left behind goes.

    :param identities: value by field: ``email``, ``customer_number``.
    :param also_hashes: see :func:`erasure.erase`.
    :raises ValueError: an identity is empty.
    """
    person = ledger.run(person_of, hashed, identities)
    erased = ledger.run(erasure.erase, person, also_hashes=also_hashes, dry_run=dry_run)
    ended, at_work = ledger.run(_run_folders)
    settled_before = now_of(ledger) - UNKNOWN_RUN

    def goes(parts: tuple[str, ...], written: dt.datetime) -> bool:
        if not at_work.isdisjoint(parts):
            return False
        return not ended.isdisjoint(parts) or written < settled_before

    return erased, staging.sweep(goes, dry_run=dry_run)


def person_of(work: Work, hashed: IdentityHasher, identities: Mapping[IdentityField, str]) -> Person:
    """Return under which keyed hashes a person may be known: of orders, of a debtor and of what SAP got.

    :raises ValueError: an identity is empty.
    """
    hashes, keys = [], []
    for field, value in identities.items():
        normal = normal_form(field, value)
        if not normal:
            raise ValueError(f"there is no {field}")
        hashes.append(hashed(field, normal))
        keys += _debtor_keys(work, hashed, field, normal)
    return erasure.Person(tuple(hashes), tuple(keys))


def _debtor_keys(work: Work, hashed: IdentityHasher, field: str, value: str) -> list[str]:
    """Return the keys of a person's debtor, and of those that followed when it was deleted in Asperion."""
    keys = [hashed(debtor_name(field, value))]
    while work.connection.execute(
        select(documents.c.id).where(documents.c.kind == DEBTOR, documents.c.key == keys[-1])
    ).first():
        keys.append(hashed(debtor_name(field, value, keys[-1])))
    return keys


def _run_folders(work: Work) -> tuple[set[str], set[str]]:
    """Return the folders in which ended runs, and runs at work, have their batches."""
    ended: set[str] = set()
    at_work: set[str] = set()
    for run_id, ended_at in work.connection.execute(select(runs.c.run_id, runs.c.ended_at)):
        (at_work if ended_at is None else ended).add(folder_of(run_id))
    return ended, at_work
