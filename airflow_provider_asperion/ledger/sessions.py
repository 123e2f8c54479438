"""Work sessions: who is at work, and when one counts as dead so that its documents can be taken over.

Death is one row's ``closed_at``, set once and never undone. Whoever finds a session out of lease, or its
process gone from this machine, closes it first; only then are its documents free. A heartbeat fails on a
closed session. So a session is never alive for one worker and dead for another.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, exists, insert, or_, select, update

from airflow_provider_asperion.ledger.errors import SessionLost
from airflow_provider_asperion.ledger.processes import ProcessIdentity, is_gone
from airflow_provider_asperion.ledger.tables import sessions

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger.work import Work

LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class WorkSession:
    """One task at work.

    :param id: unlike any other.
    :param owner: ``dag/run/task/map/try``, for people.
    :param run_id: run to which documents and events are put down.
    :param until: moment at which the lease ends unless a heartbeat comes, by the ledger's clock.
    :param lease_seconds: how long each heartbeat lasts.
    """

    id: str
    owner: str
    run_id: str
    until: dt.datetime
    lease_seconds: float


def open_session(
    work: Work, owner: str, run_id: str = "", lease_seconds: float = LEASE_SECONDS
) -> WorkSession:
    """Begin a session of the calling process."""
    until = work.now + dt.timedelta(seconds=lease_seconds)
    session = WorkSession(work.new_id(), owner, run_id, until, lease_seconds)
    work.connection.execute(
        insert(sessions).values(
            id=session.id,
            owner=owner,
            run_id=run_id,
            host=work.process.host,
            pid=work.process.pid,
            process_start=work.process.start,
            opened_at=work.now,
            until=until,
        )
    )
    return session


def heartbeat(work: Work, session: WorkSession) -> dt.datetime:
    """Extend the lease from now on and return its new end.

    :raises SessionLost: it was over already; somebody may have taken its documents.
    """
    until = work.now + dt.timedelta(seconds=session.lease_seconds)
    statement = update(sessions).where(sessions.c.id == session.id, _alive(work)).values(until=until)
    if not work.connection.execute(statement).rowcount:
        raise SessionLost(f"the work session of {session.owner} is over: its lease ran out or it was closed")
    return until


def close_session(work: Work, session: WorkSession) -> None:
    """End a session; whatever it still holds is free. Closing twice does no harm."""
    statement = update(sessions).where(sessions.c.id == session.id, sessions.c.closed_at.is_(None))
    work.connection.execute(statement.values(closed_at=work.now))


def close_dead_sessions(work: Work) -> list[str]:
    """Close the sessions whose lease is over or whose process is gone from this machine; return their ids."""
    statement = (
        select(sessions.c.id, sessions.c.host, sessions.c.pid, sessions.c.process_start, sessions.c.until)
        .where(sessions.c.closed_at.is_(None))
        .where(or_(sessions.c.until <= work.now, sessions.c.host == work.process.host))
        .order_by(sessions.c.id)
        # Another worker may be closing the same ones, or a heartbeat be coming in: never wait for those.
        .with_for_update(skip_locked=True)
    )
    dead = [
        row.id
        for row in work.connection.execute(statement)
        if row.until <= work.now
        or is_gone(ProcessIdentity(row.host, row.pid, row.process_start), work.process)
    ]
    if dead:
        work.connection.execute(update(sessions).where(sessions.c.id.in_(dead)).values(closed_at=work.now))
    return dead


def require_alive(work: Work, session: WorkSession) -> None:
    """Raise :class:`SessionLost` when the session is over."""
    if work.connection.execute(select(sessions.c.id).where(is_alive(work, session))).first() is None:
        raise SessionLost(f"the work session of {session.owner} is over: its lease ran out or it was closed")


def is_alive(work: Work, session: WorkSession) -> ColumnElement[bool]:
    """Condition: this session is open and within its lease."""
    return exists().where(sessions.c.id == session.id, _alive(work))


def is_unheld(holder: ColumnElement[str | None]) -> ColumnElement[bool]:
    """Condition: nobody holds the row, or a session that is dead.

    It asks for proof of death. Asking which sessions live instead would let a statement that began before a
    session was opened take that session's rows.
    """
    return or_(holder.is_(None), holder.in_(select(sessions.c.id).where(sessions.c.closed_at.is_not(None))))


def _alive(work: Work) -> ColumnElement[bool]:
    return sessions.c.closed_at.is_(None) & (sessions.c.until > work.now)
