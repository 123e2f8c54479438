"""Why records are refused, each cause once: what a person has to mend, and how many records wait for it."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - dataclass field
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.sql.functions import func

from airflow_provider_asperion.ledger.search import Hit, of_refused
from airflow_provider_asperion.ledger.tables import documents, files, snapshots
from airflow_provider_asperion.records.groups import field_of_cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.records import Problem

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

    :param sample: how many of the newest records each cause shows.
    """
    statement = (
        select(documents, files.c.name.label("file_name"))
        .outerjoin(files, files.c.id == documents.c.file_id)
        .where(documents.c.state.in_(STATES))
        .order_by(documents.c.updated_at.desc())
        .limit(MOST)
    )
    if administration is not None:
        statement = statement.where(documents.c.administration == administration)
    if kinds is not None:
        statement = statement.where(documents.c.kind.in_(kinds))
    groups: dict[tuple[str, str | None], list[Hit]] = {}
    for hit in of_refused(work.connection.execute(statement).all()):
        reason = hit.problems[0] if hit.problems else None
        groups.setdefault((reason.rule if reason else "unknown", _field(reason)), []).append(hit)
    found = [_cause(rule, field, hits, sample) for (rule, field), hits in groups.items()]
    return sorted(found, key=lambda cause: (-cause.count, cause.rule, cause.field or ""))


def waiting(work: Work) -> dict[tuple[str, str, str], int]:
    """Count the documents that are not done, by administration, kind and state."""
    statement = (
        select(documents.c.administration, documents.c.kind, documents.c.state, func.count())
        .where(documents.c.state.in_(("open", "intended", *STATES)))
        .group_by(documents.c.administration, documents.c.kind, documents.c.state)
    )
    return {(row[0], row[1], row[2]): row[3] for row in work.connection.execute(statement)}


def _field(problem: Problem | None) -> str | None:
    return None if problem is None else field_of_cause(problem.field)


def _cause(rule: str, field: str | None, hits: list[Hit], sample: int) -> Cause:
    problem = hits[0].problems[0] if hits[0].problems else None
    return Cause(
        rule=rule,
        field=field,
        message=problem.message if problem else "no reason was put down",
        remedy=problem.remedy if problem else "see its trail",
        count=len(hits),
        newest=hits[0].updated_at,
        kinds=dict(Counter(hit.kind for hit in hits)),
        sample=tuple(hits[:sample]),
    )


def unposted(work: Work) -> dict[tuple[str, str], int]:
    """Count the records that SAP was sent and did not post, by administration and flow."""
    statement = (
        select(snapshots.c.administration, snapshots.c.flow, func.count())
        .where(snapshots.c.posted == "failed")
        .group_by(snapshots.c.administration, snapshots.c.flow)
    )
    return {(row[0], row[1]): row[2] for row in work.connection.execute(statement)}
