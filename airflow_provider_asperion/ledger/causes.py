"""Why records are refused, each cause once: what a person has to mend, and how many records wait for it."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.sql.functions import func

from airflow_provider_asperion.ledger.search import Hit, of_refused
from airflow_provider_asperion.ledger.tables import documents, files, snapshots
from airflow_provider_asperion.ledger.work import chunks
from airflow_provider_asperion.records.groups import field_of_cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger.work import Work

STATES = ("refused", "held")
# So many of the newest are looked at: whoever has more has other things to mend first.
MOST = 20_000
SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why records wait for a person.

    :param message: of the newest record; others of the same rule and field differ in keys only.
    :param count: how many records; one with two problems counts with its first.
    :param kinds: records by kind.
    :param sample: the newest of them.
    """

    rule: str
    field: str | None
    message: str
    remedy: str
    count: int
    newest: dt.datetime
    kinds: dict[str, int]
    sample: tuple[Hit, ...]


def causes(
    work: Work,
    *,
    administration: str | None = None,
    kinds: Sequence[str] | None = None,
    sample: int = SAMPLE,
) -> list[Cause]:
    """Return the causes of all that is refused or held now, the most frequent first.

    :param sample: how many of the newest records each cause shows; at least 1.
    """
    statement = (
        select(documents.c.id, documents.c.kind, documents.c.problems, documents.c.updated_at)
        .where(documents.c.state.in_(STATES))
        .order_by(documents.c.updated_at.desc())
        .limit(MOST)
    )
    if administration is not None:
        statement = statement.where(documents.c.administration == administration)
    if kinds is not None:
        statement = statement.where(documents.c.kind.in_(kinds))
    groups: dict[tuple[str, str | None], list[Any]] = {}
    for row in work.connection.execute(statement):
        reason = row.problems[0] if row.problems else {}
        groups.setdefault((reason.get("rule", "unknown"), field_of_cause(reason.get("field"))), []).append(
            row
        )
    # Of thousands only the few that are shown are read in full.
    hits = _hits(work, [row.id for rows in groups.values() for row in rows[:sample]])
    found = [
        _cause(rule, field, rows, [hits[row.id] for row in rows[:sample]])
        for (rule, field), rows in groups.items()
    ]
    return sorted(found, key=lambda cause: (-cause.count, cause.rule, cause.field or ""))


def _hits(work: Work, ids: Sequence[str]) -> dict[str, Hit]:
    found = {}
    for part in chunks(ids):
        statement = (
            select(documents, files.c.name.label("file_name"))
            .outerjoin(files, files.c.id == documents.c.file_id)
            .where(documents.c.id.in_(part))
        )
        found.update({hit.id: hit for hit in of_refused(work.connection.execute(statement).all())})
    return found


def waiting(work: Work) -> dict[tuple[str, str, str], int]:
    """Count the documents that are not done, by administration, kind and state."""
    statement = (
        select(documents.c.administration, documents.c.kind, documents.c.state, func.count())
        .where(documents.c.state.in_(("open", "intended", *STATES)))
        .group_by(documents.c.administration, documents.c.kind, documents.c.state)
    )
    return {(row[0], row[1], row[2]): row[3] for row in work.connection.execute(statement)}


def _cause(rule: str, field: str | None, rows: Sequence[Any], sample: Sequence[Hit]) -> Cause:
    problem = sample[0].problems[0] if sample[0].problems else None
    return Cause(
        rule=rule,
        field=field,
        message=problem.message if problem else "no reason was put down",
        remedy=problem.remedy if problem else "see its trail",
        count=len(rows),
        newest=rows[0].updated_at,
        kinds=dict(Counter(row.kind for row in rows)),
        sample=tuple(sample),
    )


def unposted(work: Work) -> dict[tuple[str, str], int]:
    """Count the records that SAP was sent and did not post, by administration and flow."""
    statement = (
        select(snapshots.c.administration, snapshots.c.flow, func.count())
        .where(snapshots.c.posted == "failed")
        .group_by(snapshots.c.administration, snapshots.c.flow)
    )
    return {(row[0], row[1]): row[2] for row in work.connection.execute(statement)}
