"""Connections to the ledger's database, set so that a commit is on the disk and waiting is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

# How long one writer of a SQLite file waits for another: many workers, each done in milliseconds.
BUSY_SECONDS = 60
# Serialization failure, deadlock: PostgreSQL undid the transaction, to be tried again.
_RETRY_STATES = frozenset({"40001", "40P01"})


def make_engine(url: str) -> Engine:
    """Make the engine of a ledger.

    :param url: ``sqlite:////path/to/ledger.db`` or ``postgresql://user:password@host/name``; the driver for
        PostgreSQL is psycopg unless the URL names another one.
    :raises ProblemError: the URL names no file of SQLite and no PostgreSQL, or the driver is not installed.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        # No parameters in error texts: they end in logs.
        engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
        _prepare_sqlite(engine)
        return engine
    try:
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise ProblemError(_no_driver(error.name)) from error


def is_undone(error: DBAPIError) -> bool:
    """Return True when the database undid the transaction for reasons of others: the same again may succeed.

    A lost connection is not among them: whether that transaction was committed is unknown.
    """
    if getattr(error.orig, "sqlstate", None) in _RETRY_STATES:
        return True
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def empty_log(engine: Engine) -> bool:
    """Empty the write-ahead log of a SQLite file, in which deleted rows may still stand.

    Elsewhere there is nothing to do: PostgreSQL's own log is the matter of its archive and backups.

    :returns: False when others read or wrote for all of a minute; the log is emptied another time then.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        (busy, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
        return not busy
    finally:
        connection.close()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ProblemError(_bad_url("it is no database URL")) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or ":memory:" in parsed.database:
            raise ProblemError(_bad_url("a ledger in memory would be forgotten"))
        return parsed
    if backend not in ("postgresql", "postgres"):
        raise ProblemError(_bad_url(f"{backend} is not supported"))
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _no_driver(name: str | None) -> Problem:
    return Problem(
        rule="ledger.driver",
        message=f"the driver of the ledger's database is not installed: {name}",
        remedy="pip install 'airflow-provider-asperion[postgres]'",
    )


def _bad_url(reason: str) -> Problem:
    return Problem(
        rule="ledger.url",
        message=f"the URL of the ledger cannot be used: {reason}",
        remedy="set it to sqlite:////absolute/path/ledger.db or postgresql://user:password@host/database",
    )


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver's own idea of when to begin a transaction leaves DDL and SELECT outside of it.
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL, not NORMAL: with NORMAL a power cut may lose the last commits, and with them an intent whose
        # order was already sent. The price is one fsync a commit, which LedgerQueue shares between orders.
        cursor.execute("PRAGMA synchronous=FULL")
        # What is deleted or replaced is overwritten in the file, not only let go of.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: wait for the writer's lock at the beginning. A transaction that reads first and writes
        # later would fail at once when another one wrote in between.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
