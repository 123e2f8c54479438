"""The trigger as the triggerer runs it, on a real OpenSSH server: complete files, one poll, faults."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import asyncssh
import pytest

from airflow_provider_asperion.sap import lookout
from airflow_provider_asperion.sap.completeness import Completeness
from airflow_provider_asperion.sap.drop_folder import DropFolder, RemoteFile
from airflow_provider_asperion.triggers.sap_files import SapFileTrigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

try:
    from airflow.triggers.shared_stream import SharedStreamManager
except ImportError:  # Airflow before 3.3
    SharedStreamManager = None

pytestmark = pytest.mark.feature("X8")

POLL = 0.2


def folder(inbox, **changes):
    quick = {"look_interval_seconds": POLL, "minimum_age_seconds": 0}
    return DropFolder(inbox=str(inbox), **quick | changes)


def trigger(inbox, connection, **changes):
    arguments = {name: changes.pop(name) for name in ("pattern", "again_seconds", "once") if name in changes}
    return SapFileTrigger(
        folder=folder(inbox, **changes), sap_sftp_conn_id=connection, poll_seconds=POLL, **arguments
    )


class Triggerer:
    """Runs triggers the way Airflow's triggerer does, shared or each by itself."""

    def __init__(self, *, shared):
        self.manager = SharedStreamManager() if shared else None
        self._ids = itertools.count(1)

    @asynccontextmanager
    async def running(self, one) -> AsyncIterator[asyncio.Queue]:
        """Yield the payloads that a trigger fires."""
        fired = asyncio.Queue()
        number, key = next(self._ids), one.shared_stream_key()

        async def run():
            events = (
                one.run()
                if self.manager is None
                else one.filter_shared_stream(self.manager.subscribe(trigger_id=number, trigger=one, key=key))
            )
            try:
                async for event in events:
                    fired.put_nowait(event.payload)
            finally:
                if self.manager is not None:
                    await self.manager.unsubscribe(number, key)
                await one.cleanup()

        task = asyncio.create_task(run())
        try:
            yield fired
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(params=["shared", "alone"])
def triggerer(request):
    if request.param == "shared" and SharedStreamManager is None:
        pytest.skip("this Airflow has no shared streams")
    return Triggerer(shared=request.param == "shared")


async def event(fired, seconds=15):
    payload = await asyncio.wait_for(fired.get(), seconds)
    return [file["name"] for file in payload["files"]] or payload["problem"]["rule"]


async def silence(fired, seconds=6 * POLL):
    with suppress(TimeoutError):
        payload = await asyncio.wait_for(fired.get(), seconds)
        raise AssertionError(f"fired {payload}")


async def test_a_growing_file_fires_when_it_has_stopped_growing(triggerer, inbox, sap_connection):
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        with (inbox / "orders.xml").open("w") as file:
            for _ in range(12):
                file.write("more")
                file.flush()
                await asyncio.sleep(POLL / 2)
            assert fired.empty(), "it is being written"
        assert await event(fired) == ["orders.xml"]
        await silence(fired)


async def test_without_the_rule_a_growing_file_would_fire(triggerer, inbox, sap_connection, monkeypatch):
    """Takes the protection away: what the test above holds true depends on it."""
    monkeypatch.setattr(Completeness, "_times", lambda *_: 99)
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        with (inbox / "orders.xml").open("w") as file:
            for _ in range(40):
                file.write("more")
                file.flush()
                await asyncio.sleep(POLL / 2)
                if not fired.empty():
                    break
        assert not fired.empty()


async def test_a_done_file_says_that_a_file_is_complete(triggerer, inbox, sap_connection):
    async with triggerer.running(trigger(inbox, sap_connection, done_file="{name}.done")) as fired:
        (inbox / "orders.xml").write_text("x")
        await silence(fired)
        (inbox / "orders.xml.done").touch()
        assert await event(fired) == ["orders.xml"]


async def test_a_file_that_is_renamed_into_place_fires_under_its_name(triggerer, inbox, sap_connection):
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        (inbox / "orders.xml.tmp").write_text("x")
        await silence(fired)
        (inbox / "orders.xml.tmp").rename(inbox / "orders.xml")
        assert await event(fired) == ["orders.xml"]


async def test_the_payload_opens_the_file(triggerer, inbox, sap_connection):
    (inbox / "orders.xml").write_text("content")
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        payload = await asyncio.wait_for(fired.get(), 15)
    (file,) = (RemoteFile(**one) for one in payload["files"])
    assert file.path == str(inbox / "orders.xml")
    assert file.size == 7
    assert json.loads(json.dumps(payload)) == payload


async def test_what_lies_there_after_a_restart_fires_anew(triggerer, inbox, sap_connection):
    (inbox / "before.xml").write_text("x")
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        assert await event(fired) == ["before.xml"]
    (inbox / "meanwhile.xml").write_text("x")
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        assert await event(fired) == ["before.xml", "meanwhile.xml"]


async def test_a_file_that_stays_fires_again_after_its_back_off_only(triggerer, inbox, sap_connection):
    (inbox / "stuck.xml").write_text("x")
    async with triggerer.running(trigger(inbox, sap_connection, again_seconds=2)) as fired:
        assert await event(fired) == ["stuck.xml"]
        await silence(fired, 1.5)
        assert await event(fired, 5) == ["stuck.xml"]
        await silence(fired, 3)


@pytest.mark.skipif(SharedStreamManager is None, reason="this Airflow has no shared streams")
async def test_watchers_of_a_connection_share_one_session_and_a_folder_one_look(
    sshd, inbox, sap_connection, monkeypatch
):
    looks = []
    real = lookout.Dropbox.look

    async def counted(box, kept, pattern=None):
        looks.append(box.folder.inbox)
        return await real(box, kept, pattern)

    monkeypatch.setattr(lookout.Dropbox, "look", counted)
    other = inbox.with_name(f"{inbox.name}_other")
    other.mkdir()
    before, triggerer = sshd.sessions(), Triggerer(shared=True)
    async with (
        triggerer.running(trigger(inbox, sap_connection, pattern="a*")) as one,
        triggerer.running(trigger(inbox, sap_connection, pattern="b*")) as two,
        triggerer.running(trigger(other, sap_connection)) as three,
    ):
        for name in (inbox / "a.xml", inbox / "b.xml", other / "c.xml"):
            name.write_text("x")
        assert (await event(one), await event(two), await event(three)) == (["a.xml"], ["b.xml"], ["c.xml"])
        looks.clear()
        await asyncio.sleep(10 * POLL)
        assert sshd.sessions() - before == 1
        assert 3 <= looks.count(str(inbox)) <= 10, "not twice, for two watchers"
        assert abs(looks.count(str(inbox)) - looks.count(str(other))) <= 1
    for _ in range(100):
        if sshd.sessions() == before:
            break
        await asyncio.sleep(0.1)
    assert sshd.sessions() == before, "nobody watches, nothing stays open"
    assert SapFileTrigger._watched == {}


@pytest.mark.skipif(SharedStreamManager is None, reason="this Airflow has no shared streams")
async def test_who_leaves_does_not_blind_who_stays(inbox, sap_connection):
    triggerer = Triggerer(shared=True)
    async with triggerer.running(trigger(inbox, sap_connection)) as stays:
        async with triggerer.running(trigger(inbox, sap_connection, once=True)) as leaves:
            (inbox / "a.xml").write_text("x")
            assert await event(leaves) == ["a.xml"]
        assert await event(stays) == ["a.xml"]
        (inbox / "b.xml").write_text("x")
        assert await event(stays) == ["b.xml"]


@pytest.fixture
def logins(monkeypatch):
    """Count the attempts to connect."""
    made = []
    real = asyncssh.connect

    def connect(*arguments, **more):
        made.append(more["port"])
        return real(*arguments, **more)

    monkeypatch.setattr(asyncssh, "connect", connect)
    return made


@pytest.mark.feature("W4")
async def test_another_host_key_is_told_once_and_the_server_is_left_alone(
    triggerer, sshd, inbox, monkeypatch, logins
):
    monkeypatch.setenv("AIRFLOW_CONN_SAP_TEST", json.dumps(sshd.connection(host_key=sshd.other_key)))
    (inbox / "a.xml").write_text("x")
    async with triggerer.running(trigger(inbox, "sap_test")) as fired:
        assert await event(fired) == "sftp.host_key"
        await silence(fired, 4)
    assert len(logins) == 1


async def test_without_the_long_wait_a_refusing_server_would_be_hammered(
    triggerer, sshd, inbox, monkeypatch, logins
):
    """Takes the protection away: what the test above holds true depends on it."""
    monkeypatch.setattr(lookout, "REFUSED_WAIT", (0.1, 0.1))
    monkeypatch.setenv("AIRFLOW_CONN_SAP_TEST", json.dumps(sshd.connection(host_key=sshd.other_key)))
    async with triggerer.running(trigger(inbox, "sap_test")) as fired:
        assert await event(fired) == "sftp.host_key"
        await silence(fired, 4)
    assert len(logins) > 3


async def test_a_broken_connection_is_made_anew_and_no_file_is_missed(
    triggerer, sshd, inbox, sap_connection, logins
):
    async with triggerer.running(trigger(inbox, sap_connection)) as fired:
        (inbox / "a.xml").write_text("x")
        assert await event(fired) == ["a.xml"]
        for pid in sshd.session_processes():
            os.kill(pid, signal.SIGKILL)
        (inbox / "b.xml").write_text("x")
        assert await event(fired) == ["b.xml"]
    assert len(logins) == 2


async def test_a_missing_folder_is_told_and_seen_when_it_is_made(triggerer, inbox, sap_connection):
    missing = inbox / "later"
    async with triggerer.running(trigger(missing, sap_connection)) as fired:
        assert await event(fired) == "sftp.folder"
        missing.mkdir()
        (missing / "a.xml").write_text("x")
        assert await event(fired) == ["a.xml"]


async def test_a_connection_that_does_not_exist_is_told(triggerer, inbox):
    async with triggerer.running(trigger(inbox, "nobody_made_it")) as fired:
        assert await event(fired) == "sftp.connection"
