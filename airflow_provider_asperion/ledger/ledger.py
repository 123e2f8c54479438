"""The ledger: one transaction a call. What was intended, done, refused; by whom; and the trail of it."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.functions import func

from airflow_provider_asperion.ledger import documents, files, sessions, trail
from airflow_provider_asperion.ledger.database import empty_log, is_undone, make_engine
from airflow_provider_asperion.ledger.processes import ProcessIdentity, this_process
from airflow_provider_asperion.ledger.schema import ensure_schema
from airflow_provider_asperion.ledger.work import Work
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal

    from sqlalchemy import Engine

    from airflow_provider_asperion.ledger.keys import Claim, Document, DocumentKey, EndState, Grip
    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.records import Tally

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
ATTEMPTS = 8


class Ledger:
    """Documents, files, sessions and their trail in SQLite or PostgreSQL.

    Made in each process that uses it; may be used from several threads. The operations on documents have
    methods here; all others (``files``, ``runs``, ...) are functions that take a transaction as their first
    argument, run by :meth:`run`: ``ledger.run(files.claim_file, seen, run_id, path)``. An operation that must
    be one with another goes into the same :meth:`transaction`.

    :param engine: see :func:`database.make_engine`.
    :param clock: tells the moment, aware. By default the clock of the PostgreSQL server, which all workers
        share, or this machine's with SQLite: leases are only as good as the agreement about time.
    :param process: who is at work; by default the process of each call.
    :param lease_seconds: how long a session lives without a heartbeat.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], dt.datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        process: Callable[[], ProcessIdentity] = this_process,
        lease_seconds: float = sessions.LEASE_SECONDS,
    ) -> None:
        self.engine = engine
        self.lease_seconds = lease_seconds
        self._clock = clock
        self._sleep = sleep
        self._new_id = new_id
        self._process = process

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = False,
        clock: Callable[[], dt.datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        lease_seconds: float = sessions.LEASE_SECONDS,
    ) -> Ledger:
        """Open a ledger.

        :param url: ``sqlite:////path/ledger.db`` or ``postgresql://user:password@host/database``.
        :param create: make the tables, or bring them up to date; any number of workers may do so at once.
        :raises ProblemError: it cannot be reached, or its tables do not fit this package.
        """
        engine = make_engine(url)
        try:
            ensure_schema(engine, create=create)
        except (DBAPIError, OSError) as error:
            engine.dispose()
            raise ProblemError(_unreachable(engine)) from error
        except ProblemError:
            engine.dispose()
            raise
        return cls(engine, clock=clock, sleep=sleep, lease_seconds=lease_seconds)

    def close(self) -> None:
        """Close its connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self, *, reading: bool = False) -> Iterator[Work]:
        """Begin a transaction, committed at the end of the block, undone on any exception.

        :param reading: True promises not to write; with SQLite it then waits for no writer.
        """
        with self.engine.connect().execution_options(reading=reading) as connection, connection.begin():
            if self._clock is not None:
                now = self._clock()
            elif connection.dialect.name == "postgresql":
                now = connection.execute(select(func.clock_timestamp())).scalar_one()
            else:
                now = dt.datetime.now(dt.UTC)
            yield Work(connection, now, self._process(), self._new_id)

    def run(
        self,
        operation: Callable[Concatenate[Work, Given], Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        """Do one operation in one transaction; again when the database undid it because of others' work."""
        for attempt in range(1, ATTEMPTS):
            try:
                with self.transaction() as work:
                    return operation(work, *args, **kwargs)
            except DBAPIError as error:
                if not is_undone(error):
                    raise
            self._sleep(0.01 * 2**attempt)
        with self.transaction() as work:
            return operation(work, *args, **kwargs)

    def open_session(self, owner: str, run_id: str = "", lease_seconds: float | None = None) -> WorkSession:
        """See :func:`sessions.open_session`; :func:`lease.ledger_session` also keeps it alive."""
        return self.run(sessions.open_session, owner, run_id, lease_seconds or self.lease_seconds)

    def heartbeat(self, session: WorkSession) -> dt.datetime:
        """See :func:`sessions.heartbeat`."""
        return self.run(sessions.heartbeat, session)

    def close_session(self, session: WorkSession) -> None:
        """See :func:`sessions.close_session`."""
        self.run(sessions.close_session, session)

    def take(self, session: WorkSession, claims: Sequence[Claim]) -> list[Grip]:
        """See :func:`documents.take`."""
        return self.run(documents.take, session, claims)

    def intend(self, session: WorkSession, key: DocumentKey, effect: str) -> None:
        """See :func:`documents.intend`."""
        self.run(documents.intend, session, key, effect)

    def finish(
        self,
        session: WorkSession,
        key: DocumentKey,
        state: EndState,
        *,
        asperion_id: str | None = None,
        amount: Decimal | None = None,
        problems: Sequence[Problem] = (),
        note: str | None = None,
        facts: trail.Detail | None = None,
    ) -> None:
        """See :func:`documents.finish`."""
        self.run(
            documents.finish,
            session,
            key,
            state,
            asperion_id=asperion_id,
            amount=amount,
            problems=problems,
            note=note,
            facts=facts,
        )

    def release(self, session: WorkSession, keys: Iterable[DocumentKey]) -> None:
        """See :func:`documents.release`."""
        self.run(documents.release, session, list(keys))

    def look_up(self, keys: Iterable[DocumentKey]) -> dict[DocumentKey, Document]:
        """See :func:`documents.look_up`."""
        with self.transaction(reading=True) as work:
            return documents.look_up(work, keys)

    def event(
        self,
        session: WorkSession,
        key: DocumentKey,
        name: str,
        detail: trail.Detail | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        """See :func:`trail.add_event`."""
        self.run(trail.add_event, session, key, name, detail, problems)

    def trail(self, key: DocumentKey) -> list[trail.Event]:
        """See :func:`trail.trail`."""
        with self.transaction(reading=True) as work:
            return trail.trail(work, key)

    def tally_of(self, file_id: str) -> Tally:
        """See :func:`files.tally_of`."""
        with self.transaction(reading=True) as work:
            return files.tally_of(work, file_id)

    def empty_log(self) -> bool:
        """See :func:`database.empty_log`."""
        return empty_log(self.engine)


def _unreachable(engine: Engine) -> Problem:
    return Problem(
        rule="ledger.unreachable",
        message=f"the ledger at {engine.url.render_as_string(hide_password=True)} cannot be opened",
        remedy="see that the database runs, the folder may be written, and user and password are right",
        transient=True,
    )
