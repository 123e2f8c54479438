"""Statements in the ledger on both databases: kept once per interval, found, purged; and the upgrade."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, select, text

from airflow_provider_asperion.ledger import Claim, DocumentKey, Ledger, purge, schema, statements
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.tables import documents
from airflow_provider_asperion.ledger.tables import statements as table
from tests.support.ledger_databases import ledger_url, postgres_server  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.feature("X5")
DAY = dt.timedelta(days=1)
BEFORE = "0004"
START = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:  # noqa: F811
    opened = Ledger.open(ledger_url, create=True)
    yield opened
    opened.close()


def keep(ledger: Ledger, *, start: dt.datetime = START, differences: int = 0, **changes: str) -> str:
    names = {"integration": "default", "administration": "1", "flow": "orders_to_asperion", **changes}
    return ledger.run(
        statements.keep,
        **names,
        start=start,
        end=start + DAY,
        run_id="asperion_reconcile/1",
        differences=differences,
        body={"amount": "10.10"},
    )


def test_a_statement_replaces_the_one_of_the_same_flow_and_interval(ledger: Ledger) -> None:
    first = keep(ledger, differences=3)
    assert keep(ledger, differences=0) == first
    found = ledger.run(statements.find, first)
    assert found is not None
    assert (found.differences, found.body, found.starts_at) == (0, {"amount": "10.10"}, START)
    other_zone = START.astimezone(dt.timezone(dt.timedelta(hours=1)))
    assert keep(ledger, start=other_zone) == first
    others = {keep(ledger, start=START + DAY), keep(ledger, flow="x"), keep(ledger, administration="2")}
    assert len(others | {first}) == 4
    assert ledger.run(statements.find, "0" * 40) is None


def test_the_newest_come_first_and_only_those_of_ones_own(ledger: Ledger) -> None:
    old, new = keep(ledger), keep(ledger, start=START + DAY)
    other = keep(ledger, integration="retail", administration="2")
    assert [one.id for one in ledger.run(statements.newest, ["default"])] == [new, old]
    assert {one.id for one in ledger.run(statements.newest, ["default", "retail"])} == {new, old, other}
    assert ledger.run(statements.newest, []) == []
    assert [one.id for one in ledger.run(statements.newest, ["default"], limit=1)] == [new]
    assert all(one.body == {} for one in ledger.run(statements.newest, ["default"]))


@pytest.mark.feature("W6")
def test_statements_are_purged_with_the_rest(ledger: Ledger) -> None:
    id_ = keep(ledger)
    (kind,) = [name for name, parts in purge.kinds().items() if any(p.table is table for p in parts)]
    assert purge.purge(ledger, {kind: dt.datetime(2000, 1, 1, tzinfo=dt.UTC)}) == {kind: 0}
    assert ledger.run(statements.find, id_) is not None
    assert purge.purge(ledger, {kind: dt.datetime(9999, 1, 1, tzinfo=dt.UTC)}) == {kind: 1}
    assert ledger.run(statements.find, id_) is None


def test_a_ledger_of_before_is_brought_up_to_date_with_what_it_holds(ledger_url: str) -> None:  # noqa: F811
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    ledger = Ledger.open(ledger_url, create=True)
    session = ledger.open_session("dag/run-1/deliver/0/1", "run-1")
    key = DocumentKey("1", "sales_order", "4711")
    ledger.take(session, [Claim(key, "f")])
    ledger.finish(session, key, "done", asperion_id="9")
    with ledger.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
    ledger.close()

    engine = make_engine(ledger_url)
    assert schema.current_version(engine) == BEFORE
    assert "asperion_statements" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM asperion_documents")).scalar() == 1
    engine.dispose()

    ledger = Ledger.open(ledger_url, create=True)
    with ledger.transaction(reading=True) as work:
        (row,) = work.connection.execute(select(documents)).all()
    assert (row.key, row.state, row.asperion_id) == ("4711", "done", "9")
    assert ledger.run(statements.find, keep(ledger)) is not None
    ledger.close()
