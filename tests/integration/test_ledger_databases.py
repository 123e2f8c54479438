"""The same ledger on SQLite and PostgreSQL: the life of a file and its documents, and what lies beneath."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from cryptography.fernet import Fernet
from sqlalchemy import inspect, text

from airflow_provider_asperion.ledger import (
    Claim,
    DocumentKey,
    GripLost,
    Ledger,
    LedgerQueue,
    SeenFile,
    TokenVault,
    files,
    ledger_session,
    purge,
    schema,
)
from airflow_provider_asperion.ledger.tables import metadata
from airflow_provider_asperion.records import Problem
from tests.support.ledger_databases import ledger_url, postgres_server  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.feature("X2")]
REFUSAL = Problem(rule="article.missing", field="lines.1.sku", message="not there", remedy="add it")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:  # noqa: F811
    opened = Ledger.open(ledger_url, create=True)
    yield opened
    opened.close()


def test_one_life_of_a_file(ledger: Ledger) -> None:
    landed = dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)
    seen = SeenFile("sftp://erp/inbox", "orders.xml", 10**10, landed)
    file = ledger.run(files.claim_file, seen, "run-1", "work/orders.xml")
    assert file is not None
    assert file.seen == seen
    assert ledger.run(files.claim_file, seen, "run-2", "work/orders.xml") is None
    ledger.run(files.file_claimed, file.id, "run-1")
    ledger.run(files.file_read, file.id, "run-1", "abc", 3)
    session = ledger.open_session("dag/run-1/deliver/0/1", "run-1")
    keys = [DocumentKey("1", "sales_order", number) for number in ("1", "2", "3")]
    claims = [Claim(key, "f", file.id, place) for place, key in enumerate(keys, 1)]
    assert [grip.status for grip in ledger.take(session, claims)] == ["new"] * 3
    ledger.intend(session, keys[0], "POST sales order")
    ledger.finish(session, keys[0], "done", asperion_id="9", amount=Decimal("10.10"), note="created")
    ledger.finish(session, keys[1], "refused", amount=Decimal("-0.30"), problems=[REFUSAL])
    ledger.intend(session, keys[2], "POST sales order")
    ledger.close_session(session)

    other = ledger.open_session("other")
    grips = ledger.take(other, [*claims, claims[0]])
    assert [grip.status for grip in grips] == ["done", "refused_before", "resumed", "done"]
    assert [grip.intended for grip in grips] == [False, False, True, False]
    assert str(grips[0].amount) == "10.10"
    with pytest.raises(GripLost):
        ledger.finish(session, keys[2], "done")
    ledger.finish(other, keys[1], "refused", problems=[REFUSAL])
    ledger.finish(other, keys[2], "held")
    tally = ledger.tally_of(file.id)
    assert tally.counts == {"done": 1, "refused": 1, "held": 1}
    assert tally.amounts["done"] + tally.amounts["refused"] == Decimal("9.80")
    assert tally.problems == {"article.missing lines.1.sku": 1}
    ledger.run(files.archive_file, file.id, "run-1", "archive/orders.xml")
    (archived,) = ledger.run(files.archived_between, seen.folder, landed, landed + dt.timedelta(seconds=1))
    assert archived.path == "archive/orders.xml"
    assert [event.name for event in ledger.trail(keys[2])] == ["taken", "intended", "taken", "held"]
    assert ledger.trail(keys[1])[-1].problems == (REFUSAL,)
    end = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
    gone = purge.purge(ledger, {"documents": end, "work": end, "details": end})
    assert gone == {"documents": 1, "work": 1, "details": 3}


def test_migrations_and_tables_agree_and_go_back(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with ledger.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with ledger.engine.connect() as connection:
        assert inspect(connection).get_table_names() == [schema.VERSION_TABLE]


@pytest.mark.parametrize("cut_off_at", ["asperion_sightings", "asperion_watermarks"])
def test_a_migration_that_is_cut_off_leaves_the_version_it_found(
    ledger_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    cut_off_at: str,
) -> None:
    from alembic import op

    real = op.create_table

    def create_table(name: str, *columns: object, **options: object) -> object:
        if name == cut_off_at:
            raise KeyboardInterrupt
        return real(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", create_table)
    with pytest.raises(KeyboardInterrupt):
        Ledger.open(ledger_url, create=True)
    monkeypatch.undo()
    ledger = Ledger.open(ledger_url, create=True)
    assert set(metadata.tables) <= set(inspect(ledger.engine).get_table_names())


async def test_group_commit(ledger: Ledger) -> None:
    keys = [DocumentKey("1", "sales_order", str(number)) for number in range(64)]
    async with ledger_session(ledger, "one") as live, LedgerQueue(ledger) as queue:

        async def deliver(key: DocumentKey) -> None:
            live.ensure_alive(30)
            await queue.take(live.session, [Claim(key, "f")])
            await queue.intend(live.session, key, "POST")
            with pytest.raises(GripLost):
                await queue.intend(live.session, DocumentKey("1", "x", "unknown"), "POST")
            await queue.finish(live.session, key, "done")

        await asyncio.gather(*(deliver(key) for key in keys))
    assert queue.transactions * 5 < queue.calls
    assert {document.state for document in ledger.look_up(keys).values()} == {"done"}


def test_workers_with_the_same_documents_in_another_order_do_not_stop_each_other(ledger: Ledger) -> None:
    keys = [DocumentKey("1", "sales_order", str(number)) for number in range(200)]
    before = ledger.open_session("before")
    ledger.take(before, [Claim(key, "f") for key in keys])
    ledger.close_session(before)
    got: list[DocumentKey] = []
    errors: list[Exception] = []

    def work(order: list[DocumentKey]) -> None:
        try:
            session = ledger.open_session("one")
            for _ in range(5):
                grips = ledger.take(session, [Claim(key, "f") for key in order])
                got.extend(grip.key for grip in grips if grip.held)
        except Exception as error:  # the test reports it
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(order,)) for order in (keys, keys[::-1], keys[50:] + keys[:50])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert sorted(got) == sorted(keys)


async def test_tokens_are_renewed_by_one(ledger: Ledger) -> None:
    vault = TokenVault(ledger, Fernet(Fernet.generate_key()))
    inside = []

    async def renew() -> None:
        async with vault.exclusive("asperion"):
            inside.append(1)
            assert len(inside) == 1
            known = await asyncio.to_thread(vault.load, "asperion") or {"times": 0}
            await asyncio.to_thread(vault.save, "asperion", {"times": known["times"] + 1})
            inside.pop()

    await asyncio.gather(*(renew() for _ in range(4)))
    assert vault.load("asperion") == {"times": 4}


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_on_postgresql_all_go_by_the_clock_of_the_server(ledger: Ledger) -> None:
    with ledger.transaction() as work:
        first = work.now
        server = work.connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert dt.timedelta(0) <= server - first < dt.timedelta(seconds=5)
    assert first.utcoffset() is not None
