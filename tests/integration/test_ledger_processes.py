"""The ledger under several real processes that race, start at once and are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_asperion.ledger import Claim, Ledger
from tests.support import ledger_workers
from tests.support.ledger_databases import ledger_url, postgres_server  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.feature("X2")]
spawn = multiprocessing.get_context("spawn")
WORKERS = 3


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:  # noqa: F811
    opened = Ledger.open(ledger_url, create=True)
    yield opened
    opened.close()


def race(url: str, count: int, batch: int, **options: Any) -> Counter[str]:
    barrier = spawn.Barrier(WORKERS)
    answers = spawn.Queue()
    workers = [
        spawn.Process(
            target=ledger_workers.take_all, args=(url, barrier, answers, count, batch), kwargs=options
        )
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    got: Counter[str] = Counter()
    for _ in workers:
        got.update(answers.get(timeout=90))
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    return got


def test_of_many_processes_one_gets_each_document(ledger: Ledger, ledger_url: str) -> None:  # noqa: F811
    got = race(ledger_url, 300, 10)
    assert set(got) == {key.key for key in ledger_workers.keys(300)}
    assert set(got.values()) == {1}


def test_documents_that_were_open_before_are_got_once_too(ledger: Ledger, ledger_url: str) -> None:  # noqa: F811
    before = ledger.open_session("before")
    ledger.take(before, [Claim(key, "f") for key in ledger_workers.keys(300)])
    ledger.close_session(before)
    got = race(ledger_url, 300, 10)
    assert set(got.values()) == {1}
    assert len(got) == 300


def test_the_race_is_real_without_the_condition_several_get_a_document(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
) -> None:
    got = race(ledger_url, 300, 10, unprotected=True)
    assert max(got.values()) > 1


def test_tables_are_made_once_when_all_start_at_once(ledger_url: str) -> None:  # noqa: F811
    barrier = spawn.Barrier(WORKERS)
    answers = spawn.Queue()
    workers = [
        spawn.Process(target=ledger_workers.open_at_once, args=(ledger_url, barrier, answers))
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    assert [answers.get(timeout=90) for _ in workers] == ["ok"] * WORKERS
    for worker in workers:
        worker.join(30)


@pytest.mark.parametrize("intended", [False, True])
def test_a_killed_holder_is_succeeded_at_once_on_the_same_machine(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
    intended: bool,
) -> None:
    ready = spawn.Event()
    victim = spawn.Process(target=ledger_workers.hold, args=(ledger_url, intended, ready))
    victim.start()
    assert ready.wait(60)
    session = ledger.open_session("successor")
    claims = [Claim(key, "f") for key in ledger_workers.keys(3)]
    assert {grip.status for grip in ledger.take(session, claims)} == {"busy"}

    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    # Not joined: what its parent has not looked at yet is a zombie, and as dead as can be.
    deadline = time.monotonic() + 5
    grips = ledger.take(session, claims)
    while any(grip.status == "busy" for grip in grips) and time.monotonic() < deadline:
        grips = ledger.take(session, claims)
    victim.join(10)

    assert [grip.status for grip in grips] == ["resumed"] * 3
    assert [grip.intended for grip in grips] == [intended, False, False]


def deliver_with_a_death(url: str, sent: Path, point: str, **options: Any) -> Counter[str]:
    """Have a worker die at a point, and another one go on; return how often each document was sent."""
    sent.touch()
    victim = spawn.Process(target=ledger_workers.deliver, args=(url, sent, 5, point), kwargs=options)
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    ledger_workers.deliver(url, sent, 5, **options)
    return Counter(sent.read_text().split())


@pytest.mark.parametrize("point", ["taken", "intended", "sent", "finished"])
def test_killed_at_any_point_each_document_is_sent_once(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
    tmp_path: Path,
    point: str,
) -> None:
    keys = ledger_workers.keys(5)
    assert deliver_with_a_death(ledger_url, tmp_path / "sent", point) == {key.key: 1 for key in keys}
    assert {document.state for document in ledger.look_up(keys).values()} == {"done"}


def test_without_intents_a_death_after_sending_sends_twice(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    assert max(deliver_with_a_death(ledger_url, tmp_path / "sent", "sent", intend=False).values()) == 2
