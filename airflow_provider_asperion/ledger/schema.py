"""Brings the tables of a ledger to the version this package needs, one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Text, column, inspect, select, table, text

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

# The newest file of migrations/versions; a test holds the two equal. Kept here so that opening a ledger
# that is up to date, which every task does, needs no Alembic.
HEAD = "0009"
VERSION_TABLE = "asperion_ledger_version"
MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_NUMBER = 0x61737065  # "aspe": PostgreSQL's advisory locks are numbers


def current_version(engine: Engine) -> str | None:
    """Return the version of the tables, None where there are none."""
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
        return None
    with engine.connect().execution_options(reading=True) as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        version = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
        return connection.execute(version).scalar()


def ensure_schema(engine: Engine, *, create: bool) -> None:
    """Bring the tables up to date, or with ``create=False`` only see whether they are.

    :raises ProblemError: they are not, or were made by a newer version of this package.
    """
    version = current_version(engine)
    if version == HEAD:
        return
    if not create:
        raise ProblemError(_not_up_to_date(version))
    with _one_at_a_time(engine):
        version = current_version(engine)  # somebody else may have done it while we waited
        if version != HEAD:
            _upgrade(engine, version)


def _upgrade(engine: Engine, version: str | None) -> None:
    # Here and not above: it takes a fifth of a second that only the first start has to pay.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        if version is not None:
            ScriptDirectory.from_config(config).get_revision(version)
    except CommandError:
        raise ProblemError(_not_up_to_date(version)) from None
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Kept in the file from now on: readers and the writer no longer wait for each other.
            connection.connection.cursor().execute("PRAGMA journal_mode=WAL")
        config.attributes["connection"] = connection
        # How Alembic goes about it is no part of a task's story.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        command.upgrade(config, "head")


@contextlib.contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    if engine.dialect.name == "sqlite":
        path = Path(f"{engine.url.database}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _LOCK_NUMBER})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _LOCK_NUMBER})


def _not_up_to_date(version: str | None) -> Problem:
    newer = version is not None and version > HEAD
    found = "has no tables yet" if version is None else f"has version {version}"
    return Problem(
        rule="ledger.version",
        message=f"the ledger {found}, and this package needs version {HEAD}",
        remedy="install the newer package again" if newer else "open the ledger once with create=True",
    )
