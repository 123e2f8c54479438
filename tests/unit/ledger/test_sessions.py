"""Who is alive: leases, processes, and the fence of a live session."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_asperion.ledger import Claim, DocumentKey, Ledger, SessionLost, ledger_session
from airflow_provider_asperion.ledger.processes import ProcessIdentity, is_gone, this_process

pytestmark = pytest.mark.feature("X2")
KEY = DocumentKey("1", "sales_order", "1")


@pytest.fixture
def other():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def identity_of(pid: int) -> ProcessIdentity:
    text = Path(f"/proc/{pid}/stat").read_text()
    return ProcessIdentity(this_process().host, pid, text.rpartition(")")[2].split()[19])


def test_a_process_is_there_until_it_is_killed(other) -> None:
    me = this_process()
    assert not is_gone(me, me)
    its = identity_of(other.pid)
    assert not is_gone(its, me)
    os.kill(other.pid, signal.SIGKILL)
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # a zombie: nobody has collected it
    assert is_gone(its, me)
    other.wait()
    assert is_gone(its, me)


def test_a_number_that_is_used_again_is_another_process(other) -> None:
    its = identity_of(other.pid)
    assert is_gone(its._replace(start="1"), this_process())


def test_of_other_hosts_nothing_is_known(other) -> None:
    other.kill()
    other.wait()
    its = ProcessIdentity("another host", other.pid, "1")
    assert not is_gone(its, this_process())
    assert not is_gone(its._replace(host=""), this_process()._replace(host=""))


def test_a_session_of_a_gone_process_is_succeeded_at_once_but_only_from_its_own_host(ledger, clock) -> None:
    gone = ProcessIdentity("here", 2**22 + 1, "1")  # above the largest number Linux gives
    victim = Ledger(ledger.engine, clock=clock, process=lambda: gone)
    ledger.take(victim.open_session("victim", lease_seconds=3600), [Claim(KEY, "f")])
    status = {}
    for host in ("there", "here"):
        alive = this_process()._replace(host=host)
        worker = Ledger(ledger.engine, clock=clock, process=lambda alive=alive: alive)
        status[host] = worker.take(worker.open_session(host), [Claim(KEY, "f")])[0].status
    assert status == {"there": "busy", "here": "resumed"}


def test_closing_twice_does_no_harm_and_nothing_opens_again(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    ledger.close_session(session)
    ledger.close_session(session)
    with pytest.raises(SessionLost):
        ledger.heartbeat(session)


class Sleeper:
    """A sleep that moves the clock, one step at a time on demand."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.steps: asyncio.Queue[None] = asyncio.Queue()
        self.slept = 0

    async def __call__(self, seconds: float) -> None:
        await self.steps.get()
        self.clock.forward(seconds)
        self.slept += 1


async def until(condition) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def test_a_live_session_is_kept_alive_and_closed_in_the_end(ledger: Ledger, clock) -> None:
    sleep = Sleeper(clock)
    async with ledger_session(
        ledger, "one", lease_seconds=60, monotonic=clock.monotonic, sleep=sleep
    ) as live:
        begin = live.valid_until
        live.ensure_alive(59)
        with pytest.raises(SessionLost):
            live.ensure_alive(60)
        sleep.steps.put_nowait(None)
        await until(lambda: live.valid_until > begin)
        assert live.valid_until == begin + 20
        live.ensure_alive(59)
    with pytest.raises(SessionLost):
        ledger.heartbeat(live.session)


async def test_the_lease_is_a_setting_of_the_ledger(url: str, clock) -> None:
    ledger = Ledger.open(url, create=True, clock=clock, lease_seconds=7)
    async with ledger_session(ledger, "one", monotonic=clock.monotonic) as live:
        live.ensure_alive(6)
        with pytest.raises(SessionLost):
            live.ensure_alive(7)
        assert (live.session.until - clock.now).total_seconds() == 7


async def test_a_session_that_the_ledger_gave_up_closes_the_fence(ledger: Ledger, clock) -> None:
    sleep = Sleeper(clock)
    async with ledger_session(
        ledger, "one", lease_seconds=60, monotonic=clock.monotonic, sleep=sleep
    ) as live:
        ledger.close_session(live.session)  # as another worker does that thinks it dead
        live.ensure_alive()
        sleep.steps.put_nowait(None)
        await until(lambda: live._lost is not None)
        with pytest.raises(SessionLost):
            live.ensure_alive()


async def test_a_frozen_worker_finds_its_fence_closed(ledger: Ledger, clock) -> None:
    async with ledger_session(
        ledger, "one", lease_seconds=60, monotonic=clock.monotonic, sleep=Sleeper(clock)
    ) as live:
        clock.forward(60)
        with pytest.raises(SessionLost):
            live.ensure_alive()


async def test_a_ledger_that_is_away_for_a_moment_is_asked_again(ledger: Ledger, clock, monkeypatch) -> None:
    from sqlalchemy.exc import OperationalError

    sleep = Sleeper(clock)
    real = ledger.heartbeat
    fails = [OperationalError("", {}, Exception("away"))]

    def heartbeat(session):
        if fails:
            raise fails.pop()
        return real(session)

    monkeypatch.setattr(ledger, "heartbeat", heartbeat)
    async with ledger_session(
        ledger, "one", lease_seconds=60, monotonic=clock.monotonic, sleep=sleep
    ) as live:
        begin = live.valid_until
        sleep.steps.put_nowait(None)
        sleep.steps.put_nowait(None)
        await until(lambda: live.valid_until > begin)
        assert live.valid_until == begin + 40
