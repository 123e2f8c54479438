"""Group commit: few transactions, each answer after its commit, each error to its own caller."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from airflow_provider_asperion.ledger import Claim, DocumentKey, GripLost, Ledger, LedgerQueue

pytestmark = pytest.mark.feature("X2")


def keys(count: int) -> list[DocumentKey]:
    return [DocumentKey("1", "sales_order", str(n)) for n in range(count)]


async def is_visible_after_await(ledger: Ledger, reader: Ledger) -> None:
    session = reader.open_session("one")
    async with LedgerQueue(ledger) as queue:
        for key in keys(5):
            await queue.take(session, [Claim(key, "f")])
            await queue.intend(session, key, "POST")
            assert reader.look_up([key])[key].state == "intended"


async def test_after_the_await_another_connection_sees_it(ledger: Ledger, url: str, clock) -> None:
    await is_visible_after_await(ledger, Ledger.open(url, clock=clock))


async def test_without_the_commit_the_test_above_fails(ledger: Ledger, url: str, clock, monkeypatch) -> None:
    real = ledger.transaction

    @contextmanager
    def undone():
        with real() as work:
            yield work
            work.connection.get_transaction().rollback()

    monkeypatch.setattr(ledger, "transaction", undone)
    with pytest.raises((AssertionError, KeyError, GripLost)):
        await is_visible_after_await(ledger, Ledger.open(url, clock=clock))


async def test_many_in_flight_share_few_transactions(ledger: Ledger) -> None:
    session = ledger.open_session("one")

    async def deliver(queue: LedgerQueue, key: DocumentKey) -> None:
        await queue.take(session, [Claim(key, "f")])
        await queue.event(session, key, "looked up")
        await queue.intend(session, key, "POST")
        await queue.finish(session, key, "done", amount=Decimal("1.10"))

    async with LedgerQueue(ledger) as queue:
        await asyncio.gather(*(deliver(queue, key) for key in keys(64)))
    assert queue.calls == 256
    assert queue.transactions <= 12
    assert {document.state for document in ledger.look_up(keys(64)).values()} == {"done"}


async def test_an_error_goes_to_its_caller_only(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    good, foreign, bad = keys(3)
    ledger.take(session, [Claim(key, "f") for key in (good, bad)])

    async with LedgerQueue(ledger) as queue:
        answers = await asyncio.gather(
            queue.intend(session, good, "POST"),
            queue.intend(session, foreign, "POST"),
            queue.finish(session, bad, "done", amount=1.5),  # type: ignore[arg-type]
            queue.event(session, good, "seen"),
            return_exceptions=True,
        )
    assert queue.transactions == 1
    assert answers[0] is None
    assert answers[3] is None
    assert isinstance(answers[1], GripLost)
    assert "finite Decimal" in str(answers[2])
    found = ledger.look_up([good, bad])
    assert (found[good].state, found[bad].state) == ("intended", "open")


async def test_a_failure_half_way_is_undone_alone(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    (key,) = keys(1)
    ledger.take(session, [Claim(key, "f")])

    def breaks(work):
        work.connection.execute(text("UPDATE asperion_documents SET state = 'spoilt'"))
        raise ZeroDivisionError

    async with LedgerQueue(ledger) as queue:
        answers = await asyncio.gather(
            queue.event(session, key, "before"),
            queue.run(breaks),
            queue.event(session, key, "after"),
            return_exceptions=True,
        )
    assert isinstance(answers[1], ZeroDivisionError)
    assert ledger.look_up([key])[key].state == "open"
    assert [event.name for event in ledger.trail(key)] == ["taken", "before", "after"]


async def test_a_failed_transaction_fails_all_in_it_and_the_queue_goes_on(
    ledger: Ledger, monkeypatch
) -> None:
    session = ledger.open_session("one")
    (key,) = keys(1)
    real = ledger.run
    fails = [OperationalError("", {}, Exception("the disk is full"))]

    def run(operation, *args):
        if fails:
            raise fails.pop()
        return real(operation, *args)

    monkeypatch.setattr(ledger, "run", run)
    async with LedgerQueue(ledger) as queue:
        answers = await asyncio.gather(
            queue.take(session, [Claim(key, "f")]),
            queue.event(session, key, "seen"),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [OperationalError, OperationalError]
        assert (await queue.take(session, [Claim(key, "f")]))[0].status == "new"


async def test_closing_writes_what_waits_and_then_refuses(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    async with LedgerQueue(ledger) as queue:
        waiting = [asyncio.create_task(queue.take(session, [Claim(key, "f")])) for key in keys(10)]
        await asyncio.sleep(0)
    assert {(await task)[0].status for task in waiting} == {"new"}
    with pytest.raises(RuntimeError, match="closed"):
        await queue.event(session, keys(1)[0], "late")


async def test_a_cancelled_caller_does_not_stop_the_others(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    async with LedgerQueue(ledger) as queue:
        tasks = [asyncio.create_task(queue.take(session, [Claim(key, "f")])) for key in keys(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[1], asyncio.CancelledError)
    assert answers[0][0].held
    assert answers[2][0].held
