"""The drop folder against a real OpenSSH server: nothing half, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
import os
import time

import pytest

from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.dropbox import Dropbox, DropFolder

pytestmark = pytest.mark.feature("O1", "X2")


def quick(inbox, **changes):
    return DropFolder(
        inbox=str(inbox), **{"look_interval_seconds": 0.05, "minimum_age_seconds": 0, **changes}
    )


@pytest.fixture
def hook(sap_connection):
    return SapSftpHook(sap_connection)


async def names(box, pattern=None):
    files, _ = await box.complete_files(pattern)
    return [file.name for file in files]


async def test_lists_files_oldest_first_and_leaves_the_unfinished(hook, inbox):
    for age, name in ((30, "b.xml"), (60, "a.xml"), (10, "c.tmp"), (10, ".hidden"), (10, "d.XML.PART")):
        (inbox / name).write_text("x")
        os.utime(inbox / name, (time.time() - age, time.time() - age))
    (inbox / "folder.xml").mkdir()
    (inbox / "link.xml").symlink_to(inbox / "a.xml")
    async with hook.dropbox(quick(inbox)) as box:
        assert await names(box) == ["a.xml", "b.xml"]
        assert await names(box, "b*") == ["b.xml"]


@pytest.mark.pain(2)
async def test_a_growing_file_is_left_alone(hook, inbox):
    growing = inbox / "growing.xml"
    growing.write_text("begin")
    (inbox / "still.xml").write_text("done")

    async def write():
        while True:
            with growing.open("a") as file:
                file.write("more")
            await asyncio.sleep(0.01)

    writer = asyncio.create_task(write())
    try:
        async with hook.dropbox(quick(inbox, stable_looks=3)) as box:
            assert await names(box) == ["still.xml"]
        async with hook.dropbox(quick(inbox, stable_looks=1)) as box:
            assert "growing.xml" in await names(box), "with the protection off it would have been taken"
    finally:
        writer.cancel()


async def test_minimum_age_and_done_file(hook, inbox):
    (inbox / "new.xml").write_text("x")
    async with hook.dropbox(quick(inbox, minimum_age_seconds=60)) as box:
        assert await names(box) == []
    async with hook.dropbox(quick(inbox, done_file="{name}.done")) as box:
        assert await names(box) == []
        (inbox / "new.xml.done").touch()
        assert await names(box) == ["new.xml"]


async def test_a_claim_has_one_winner(hook, sap_connection, inbox):
    (inbox / "order.xml").write_text("x")
    folder = quick(inbox)
    async with hook.dropbox(folder) as one, SapSftpHook(sap_connection).dropbox(folder) as two:
        (file,), _ = await one.complete_files()
        claims = await asyncio.gather(one.claim(file, "claim1"), two.claim(file, "claim2"))
        assert sum(claim is not None for claim in claims) == 1
        assert len(list((inbox / "work").iterdir())) == 1
        winner = next(claim for claim in claims if claim is not None)
        # The winner's task is killed and runs again: it gets its file back.
        again = await one.claim(file, winner.name.partition("__")[0])
        assert again == winner


async def test_a_file_that_changed_since_the_look_is_put_back(hook, inbox):
    (inbox / "order.xml").write_text("half")
    async with hook.dropbox(quick(inbox)) as box:
        (file,), _ = await box.complete_files()
        (inbox / "order.xml").write_text("half and the rest")
        assert await box.claim(file, "claim1") is None
    assert (inbox / "order.xml").read_text() == "half and the rest"


async def test_archiving_is_repeatable_and_never_overwrites(hook, inbox):
    day = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    async with hook.get_managed_conn() as client:
        box = Dropbox(client, quick(inbox), clock=lambda: day)
        paths = []
        for claim in ("claim1aaa", "claim2bbb"):
            (inbox / "order.xml").write_text(claim)
            claimed = await box.claim(await box.look_at(f"{inbox}/order.xml"), claim)
            assert claimed is not None
            paths.append(await box.archive(claimed, claim))
            assert await box.archive(claimed, claim) == paths[-1]
    archive = inbox / "archive" / "20260301"
    assert {path.name: path.read_text() for path in archive.iterdir()} == {
        "order.xml": "claim1aaa",
        "order.xml~claim2bb": "claim2bbb",
    }


async def test_archived_files_are_found_by_the_time_they_landed(hook, inbox):
    landed = dt.datetime(2026, 2, 27, 23, 30, tzinfo=dt.UTC)
    async with hook.get_managed_conn() as client:
        box = Dropbox(client, quick(inbox), clock=lambda: dt.datetime(2026, 2, 28, 1, tzinfo=dt.UTC))
        (inbox / "order.xml").write_text("x")
        os.utime(inbox / "order.xml", (landed.timestamp(), landed.timestamp()))
        claimed = await box.claim(await box.look_at(f"{inbox}/order.xml"), "claim1")
        await box.archive(claimed, "claim1")
        day = dt.timedelta(days=1)
        start = dt.datetime(2026, 2, 27, tzinfo=dt.UTC)
        assert [file.name for file in await box.archived_files(start, start + day)] == ["order.xml"]
        assert await box.archived_files(start + day, start + 2 * day) == []


async def test_reject_leaves_a_readable_reason(hook, inbox):
    (inbox / "broken.xml").write_text("x")
    async with hook.dropbox(quick(inbox)) as box:
        claimed = await box.claim(await box.look_at(f"{inbox}/broken.xml"), "claim1")
        path = await box.reject(claimed, "claim1", "this is why")
        assert await box.reject(claimed, "claim1", "this is why") == path
    assert (inbox / "error" / "broken.xml.err").read_text() == "this is why\n"


async def test_names_never_leave_the_folder(hook, inbox):
    (inbox / "fine.xml").write_text("x")
    (inbox / "tab\there.xml").write_text("x")
    (inbox / "back\\slash.xml").write_text("x")
    os.close(os.open(os.fsencode(str(inbox)) + b"/bad\xff.xml", os.O_CREAT))
    async with hook.dropbox(quick(inbox)) as box:
        files, problems = await box.complete_files()
        assert [file.name for file in files] == ["fine.xml"]
        assert {problem.rule for problem in problems} == {"file.name"}
        assert len(problems) == 3
        with pytest.raises(ValueError, match="leave"):
            await box.publish("../out.xml", [b"x"])


async def test_missing_folder_says_what_exists(hook, inbox):
    async with hook.dropbox(quick(inbox / "not" / "there")) as box:
        with pytest.raises(ProblemError, match=f"{inbox} does"):
            await box.complete_files()


async def test_streams_a_large_file_in_bounded_memory(hook, inbox):
    content = os.urandom(1 << 20) * 40
    (inbox / "large.bin").write_bytes(content)
    async with hook.dropbox(quick(inbox)) as box:
        file = await box.look_at(f"{inbox}/large.bin")
        most = 0

        def read(stream):
            nonlocal most
            with io.BufferedReader(stream) as reader:
                total = 0
                while block := reader.read(1 << 16):
                    total += len(block)
                    most = max(most, stream._blocks.qsize())
                return total

        async with box.open(file) as stream:
            assert await asyncio.to_thread(read, stream) == len(content)
            assert stream.sha256 == hashlib.sha256(content).hexdigest()
    assert most <= 16


async def test_leaving_early_stops_the_transfer(hook, inbox):
    (inbox / "large.bin").write_bytes(bytes(1 << 25))
    async with hook.dropbox(quick(inbox)) as box:
        file = await box.look_at(f"{inbox}/large.bin")
        async with box.open(file) as stream:
            assert await asyncio.to_thread(stream.read, 10) == bytes(10)
        with pytest.raises(ConnectionAbortedError):
            await asyncio.to_thread(stream.readall)


@pytest.mark.pain(2)
async def test_a_file_cut_while_it_is_read_is_no_whole_file(hook, inbox):
    (inbox / "order.xml").write_bytes(b"x" * 1000)
    async with hook.dropbox(quick(inbox)) as box:
        file = await box.look_at(f"{inbox}/order.xml")
        for size in (900, 1100):
            (inbox / "order.xml").write_bytes(b"x" * size)
            async with box.open(file) as stream:
                with pytest.raises(ProblemError, match=r"file\.changed"):
                    await asyncio.to_thread(stream.readall)


async def watch(path, stop):
    sizes = set()
    while not stop.is_set():
        if path.exists():
            sizes.add(path.stat().st_size)
        await asyncio.sleep(0)
    return sizes


@pytest.mark.parametrize("protected", [True, False])
async def test_nobody_ever_sees_half_a_published_file(hook, inbox, protected):
    chunks = [bytes(1 << 18)] * 20
    stop = asyncio.Event()
    path = inbox / "out.xml"
    async with hook.dropbox(quick(inbox)) as box:
        watcher = asyncio.create_task(watch(path, stop))
        if protected:
            published = await box.publish("out.xml", chunks)
            assert published.size == 20 << 18
        else:
            async with box._client.open(str(path), "wb") as remote:
                for chunk in chunks:
                    await remote.write(chunk)
        await asyncio.sleep(0.01)
        stop.set()
        sizes = await watcher
    assert (sizes == {20 << 18}) is protected


async def test_publishing_again_replaces(hook, inbox):
    async with hook.dropbox(quick(inbox, done_file="{name}.done")) as box:
        await box.publish("out.xml", [b"one"], done_file=True)
        await box.publish("out.xml", [b"two"], done_file=True)
    assert sorted(path.name for path in inbox.iterdir()) == ["out.xml", "out.xml.done"]
    assert (inbox / "out.xml").read_bytes() == b"two"
