"""Opening, versions of the tables, purging, and trying again what the database undid."""

from __future__ import annotations

import sqlite3
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from airflow_provider_asperion.ledger import Claim, DocumentKey, Ledger, schema
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.ledger import ATTEMPTS
from airflow_provider_asperion.ledger.tables import metadata
from airflow_provider_asperion.records import ProblemError


def test_a_ledger_is_made_in_a_folder_that_is_not_there_yet(tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/a/b/ledger.db"
    with pytest.raises(ProblemError, match="no tables yet"):
        Ledger.open(url)
    assert not (tmp_path / "a").exists()
    Ledger.open(url, create=True).close()
    Ledger.open(url).close()


def test_migrations_and_tables_agree(ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []


def test_a_column_more_is_noticed(ledger) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text("ALTER TABLE asperion_files ADD COLUMN surplus TEXT"))
    with pytest.raises(AssertionError):
        test_migrations_and_tables_agree(ledger)


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


@pytest.mark.parametrize("create", [False, True])
def test_tables_of_a_newer_package_are_left_alone(ledger, url, create) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ProblemError, match="version 9999") as caught:
        Ledger.open(url, create=create)
    assert "newer" in caught.value.problem.remedy


def test_commits_reach_the_disk_and_readers_do_not_wait(ledger) -> None:
    with ledger.transaction(reading=True) as work:
        assert work.connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
        assert work.connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        with ledger.transaction() as writing:
            writing.connection.execute(text("DELETE FROM asperion_files"))
        work.connection.execute(text("SELECT 1"))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://a:geheim@b/c", "no url: geheim"])
def test_other_databases_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Ledger.open(url, create=True)
    assert "geheim" not in str(caught.value)
    assert caught.value.problem.rule == "ledger.url"


def test_a_database_that_is_away_is_a_passing_problem_without_the_password(tmp_path) -> None:
    with pytest.raises(ProblemError) as caught:
        Ledger.open(f"postgresql://user:geheim@/ledger?host={tmp_path}", create=True)
    assert caught.value.transient
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database_and_a_folder_that_is_a_file_are_problems(tmp_path) -> None:
    (tmp_path / "text").write_text("no database" * 1000)
    for url in (f"sqlite:///{tmp_path}/text", f"sqlite:///{tmp_path}/text/ledger.db"):
        with pytest.raises(ProblemError) as caught:
            Ledger.open(url, create=True)
        assert caught.value.problem.rule == "ledger.unreachable"


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ProblemError, match=r"\[postgres\]"):
        make_engine("postgresql://u:p@h/d")


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@h/d", "postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"]
)
def test_postgresql_is_reached_by_psycopg(url: str) -> None:
    assert make_engine(url).url.drivername == "postgresql+psycopg"


def test_a_failed_transaction_leaves_nothing(ledger) -> None:
    key = DocumentKey("1", "sales_order", "1")
    session = ledger.open_session("one")
    with pytest.raises(ZeroDivisionError), ledger.transaction() as work:
        from airflow_provider_asperion.ledger import documents

        documents.take(work, session, [Claim(key, "f")])
        raise ZeroDivisionError
    assert ledger.look_up([key]) == {}


def busy() -> OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorname = "SQLITE_BUSY"
    return OperationalError("", {}, cause)


def test_what_the_database_undid_is_tried_again_a_bounded_number_of_times(ledger, url, clock) -> None:
    waits: list[float] = []
    patient = Ledger.open(url, clock=clock, sleep=waits.append)
    calls = []

    def locked_twice(work) -> str:
        calls.append(work)
        if len(calls) < 3:
            raise busy()
        return "done"

    assert patient.run(locked_twice) == "done"
    assert waits == [0.02, 0.04]

    def always(work) -> None:
        calls.append(work)
        raise busy()

    calls.clear()
    with pytest.raises(OperationalError):
        patient.run(always)
    assert len(calls) == ATTEMPTS


def test_a_lost_connection_is_not_tried_again(ledger) -> None:
    calls = []

    def lost(work) -> None:
        calls.append(work)
        raise OperationalError("", {}, Exception("connection lost"))

    with pytest.raises(OperationalError):
        ledger.run(lost)
    assert len(calls) == 1
