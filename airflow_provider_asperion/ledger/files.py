"""Files of a drop folder: who has claimed one, what became of it, and where it lies now.

A file belongs to a run, not to one task: reading, delivering and settling are different tasks, perhaps on
different workers. So its lease is the run's, extended by whichever task is busy with it.

``claiming`` (the rename is about to happen) -> ``claimed`` -> ``archived``, ``rejected``, or ``open``
(settled with documents that have no end state yet: the next run goes on with it).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from airflow_provider_asperion.ledger.errors import GripLost
from airflow_provider_asperion.ledger.tables import documents, files, sightings
from airflow_provider_asperion.records import Problem, ProblemError, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select

    from airflow_provider_asperion.ledger.work import Work

FileState = Literal["claiming", "claimed", "open", "archived", "rejected"]
CLAIM_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class SeenFile:
    """What tells a file from every other.

    :param folder: server and folder, as one text that stays the same over runs.
    :param size: bytes.
    :param landed_at: its modification time on the server, aware.
    """

    folder: str
    name: str
    size: int
    landed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class FileClaim:
    """A file as the ledger knows it.

    :param path: where it lies, or while ``claiming`` is about to lie: in the work, archive or error folder.
    :param sha256: of its content, once it was read to the end.
    :param documents: how many documents were read from it.
    :param until: end of the claim unless extended; None when nobody claims it.
    """

    id: str
    seen: SeenFile
    state: FileState
    path: str
    sha256: str | None
    documents: int | None
    run_id: str
    until: dt.datetime | None
    problems: tuple[Problem, ...]


def claim_file(
    work: Work, seen: SeenFile, run_id: str, path: str, claim_seconds: float = CLAIM_SECONDS
) -> FileClaim | None:
    """Put down that the run is about to move a file to ``path``; None when another run has a living claim.

    A file that was archived or rejected and is put back is claimed anew. A run may claim twice: a task that
    was killed and runs again gets its claim back.
    """
    values = {
        "state": "claiming",
        "path": path,
        "run_id": run_id,
        "until": work.now + dt.timedelta(seconds=claim_seconds),
        "updated_at": work.now,
    }
    identity = {
        "folder": seen.folder,
        "name": seen.name,
        "size": seen.size,
        "landed_at": seen.landed_at,
    }
    row = {**identity, **values, "id": work.new_id(), "problems": [], "created_at": work.now}
    inserted = work.insert_missing(files).values(row).returning(files.c.id)
    if work.connection.execute(inserted).first() is None:
        same = and_(*(files.c[name] == value for name, value in identity.items()))
        statement = update(files).where(same, _is_free(work, run_id)).values(**values, problems=[])
        if not work.connection.execute(statement).rowcount:
            return None
    found = select(files)
    for name, value in identity.items():
        found = found.where(files.c[name] == value)
    return to_claim(work.connection.execute(found).one())


def take_over_file(
    work: Work, file_id: str, run_id: str, claim_seconds: float = CLAIM_SECONDS
) -> FileClaim | None:
    """Claim a file that another run left behind; None when somebody else was faster."""
    statement = (
        update(files)
        .where(files.c.id == file_id, _is_free(work, run_id))
        .values(run_id=run_id, until=work.now + dt.timedelta(seconds=claim_seconds), updated_at=work.now)
        .returning(*files.c)
    )
    row = work.connection.execute(statement).first()
    return None if row is None else to_claim(row)


def extend_claim(work: Work, file_id: str, run_id: str, claim_seconds: float = CLAIM_SECONDS) -> None:
    """Say that the run is still busy with a file.

    :raises GripLost: another run has taken it over.
    """
    _change(work, file_id, run_id, until=work.now + dt.timedelta(seconds=claim_seconds))


def file_claimed(work: Work, file_id: str, run_id: str) -> None:
    """Put down that the file lies in the work folder now.

    :raises GripLost: another run has taken it over.
    """
    _change(work, file_id, run_id, state="claimed")


def drop_claim(work: Work, file_id: str, run_id: str) -> None:
    """Forget a claim whose rename did not happen, because somebody else was faster."""
    work.connection.execute(
        delete(files).where(files.c.id == file_id, files.c.run_id == run_id, files.c.state == "claiming")
    )


def file_read(work: Work, file_id: str, run_id: str, sha256: str, count: int) -> list[FileClaim]:
    """Put down what was read, and return other files with the very same content.

    :param count: documents read, refused ones included.
    :raises GripLost: another run has taken it over.
    """
    _change(work, file_id, run_id, sha256=sha256, documents=count)
    same = select(files).where(files.c.sha256 == sha256, files.c.id != file_id)
    return _claims(work, same.order_by(files.c.created_at, files.c.id))


def leave_open(work: Work, file_id: str, run_id: str) -> None:
    """End the claim of a file that has documents without an end state; the next run goes on with it.

    :raises GripLost: another run has taken it over.
    """
    _change(work, file_id, run_id, state="open", until=None)


def archive_file(work: Work, file_id: str, run_id: str, path: str) -> None:
    """Put down that the file lies in the archive.

    :raises GripLost: another run has taken it over.
    :raises ProblemError: a document of it has no end state yet, so it must not leave the work folder.
    """
    name = _change(work, file_id, run_id, state="archived", path=path, until=None)
    waiting = open_documents(work, file_id)
    if waiting:
        raise ProblemError(
            Problem(
                rule="file.open_documents",
                message=f"{waiting} documents of the file have no end state yet, so it is not archived",
                remedy="let the next run go on with the file",
                file=name,
                transient=True,
            )
        )


def reject_file(work: Work, file_id: str, run_id: str, path: str, problems: Sequence[Problem]) -> None:
    """Put down that the file as a whole was refused, and lies in the error folder.

    :raises GripLost: another run has taken it over.
    """
    found = [problem.model_dump(mode="json", exclude_defaults=True) for problem in problems]
    _change(work, file_id, run_id, state="rejected", path=path, until=None, problems=found)


def open_claims(work: Work, folder: str) -> list[FileClaim]:
    """Return the files that a run left behind: crashed (its claim is over) or with open documents."""
    left = or_(
        files.c.state == "open", files.c.state.in_(("claiming", "claimed")) & (files.c.until <= work.now)
    )
    statement = select(files).where(files.c.folder == folder, left).order_by(files.c.landed_at, files.c.name)
    return _claims(work, statement)


def claims_of(work: Work, run_id: str) -> list[FileClaim]:
    """Return the files that a run has claimed and not yet settled."""
    statement = select(files).where(files.c.run_id == run_id, files.c.state.in_(("claiming", "claimed")))
    return _claims(work, statement.order_by(files.c.landed_at, files.c.name))


def archived_between(work: Work, folder: str, start: dt.datetime, end: dt.datetime) -> list[FileClaim]:
    """Return the archived files that landed from ``start`` until before ``end``, for a backfill."""
    statement = (
        select(files)
        .where(files.c.folder == folder, files.c.state == "archived")
        .where(files.c.landed_at >= start, files.c.landed_at < end)
        .order_by(files.c.landed_at, files.c.name)
    )
    return _claims(work, statement)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came. ``at``: when a run took it first."""

    name: str
    at: dt.datetime


def arrivals(work: Work, folder: str, since: dt.datetime) -> list[Arrival]:
    """Return the files of a folder that were taken since a moment."""
    statement = select(files.c.name, files.c.created_at).where(
        files.c.folder == folder, files.c.created_at >= since
    )
    return [Arrival(row.name, row.created_at) for row in work.connection.execute(statement)]


def find_file(work: Work, seen: SeenFile) -> FileClaim | None:
    """Return what is known of a file, None when it was never claimed."""
    statement = select(files).where(
        files.c.folder == seen.folder,
        files.c.name == seen.name,
        files.c.size == seen.size,
        files.c.landed_at == seen.landed_at,
    )
    return next(iter(_claims(work, statement)), None)


def get_file(work: Work, file_id: str) -> FileClaim | None:
    """Return a file by its id."""
    return next(iter(_claims(work, select(files).where(files.c.id == file_id))), None)


def paths_at_work(work: Work, folder: str) -> set[str]:
    """Return where the files of a folder lie that some run has claimed or left open."""
    at_work = files.c.state.in_(("claiming", "claimed", "open"))
    return set(
        work.connection.execute(select(files.c.path).where(files.c.folder == folder, at_work)).scalars()
    )


def same_content(work: Work, sha256: str) -> list[FileClaim]:
    """Return the files with this content, oldest first."""
    statement = select(files).where(files.c.sha256 == sha256).order_by(files.c.created_at, files.c.id)
    return _claims(work, statement)


def open_documents(work: Work, file_id: str) -> int:
    """Count the documents of a file that have no end state yet."""
    statement = (
        select(documents.c.id)
        .join(sightings, sightings.c.document_id == documents.c.id)
        .where(sightings.c.file_id == file_id, documents.c.state.in_(("open", "intended")))
    )
    return len(work.connection.execute(statement).all())


def tally_of(work: Work, file_id: str) -> Tally:
    """Add up the documents of a file by their state in the ledger.

    A document that stands in two files counts in both: each file is accounted for by itself.
    """
    statement = (
        select(documents.c.state, documents.c.amount, documents.c.problems)
        .join(sightings, sightings.c.document_id == documents.c.id)
        .where(sightings.c.file_id == file_id)
    )
    counts: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    amounts: dict[str, Decimal] = {}
    for state, amount, found in work.connection.execute(statement):
        counts[state] += 1
        amounts[state] = amounts.get(state, Decimal(0)) + (amount or 0)
        problems.update(
            f"{problem['rule']} {problem['field']}" if problem.get("field") else problem["rule"]
            for problem in found
        )
    return Tally(counts=dict(counts), amounts=amounts, problems=dict(problems))


def _is_free(work: Work, run_id: str) -> ColumnElement[bool]:
    """Condition: no other run has a living claim. This condition is the lock."""
    return or_(
        files.c.run_id == run_id,
        files.c.state.in_(("open", "archived", "rejected")),
        files.c.until <= work.now,
    )


def _change(work: Work, file_id: str, run_id: str, **values: Any) -> str:
    statement = (
        update(files)
        .where(files.c.id == file_id, files.c.run_id == run_id)
        .values(**values, updated_at=work.now)
        .returning(files.c.name)
    )
    name: str | None = work.connection.execute(statement).scalar()
    if name is None:
        raise GripLost(f"file {file_id} is not claimed by {run_id}: another run has taken it over")
    return name


def _claims(work: Work, statement: Select[Any]) -> list[FileClaim]:
    return [to_claim(row) for row in work.connection.execute(statement)]


def to_claim(row: Row[Any]) -> FileClaim:
    """Return a row as a claim."""
    return FileClaim(
        id=row.id,
        seen=SeenFile(row.folder, row.name, row.size, row.landed_at),
        state=row.state,
        path=row.path,
        sha256=row.sha256,
        documents=row.documents,
        run_id=row.run_id,
        until=row.until,
        problems=tuple(Problem.model_validate(problem) for problem in row.problems),
    )
