"""What goes wrong between two servers: stalled, slow, cut, killed in between, names used again."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import time
import tracemalloc
from contextlib import asynccontextmanager

import asyncssh
import pytest

from airflow_provider_asperion.hooks import sap_sftp
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap import server, transfer
from airflow_provider_asperion.sap.dropbox import Dropbox, DropFolder
from tests.support.scripted_sftp import scripted_sftp
from tests.support.sshd import running_sshd

pytestmark = pytest.mark.feature("O1", "X2")

DONE = {"done_file": "{name}.done"}
DAY = dt.timedelta(days=1)


def quick(inbox, **changes):
    return DropFolder(
        inbox=str(inbox), **{"look_interval_seconds": 0.02, "minimum_age_seconds": 0, **changes}
    )


@pytest.fixture
def hook(sap_connection):
    return SapSftpHook(sap_connection)


@pytest.fixture
async def scripted(tmp_path, monkeypatch):
    """A server that misbehaves as its script says, its hook, and its folder."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for module in (sap_sftp, server):
        monkeypatch.setattr(module, "FAREWELL_SECONDS", 0.3)
    async with scripted_sftp(folder) as running:
        monkeypatch.setenv("AIRFLOW_CONN_SCRIPTED", json.dumps(running.connection()))
        yield running.script, SapSftpHook("scripted"), folder


async def claimed_of(box, name, claim="claim1aaa"):
    claimed = await box.claim(await box.look_at(f"{box.folder.inbox}/{name}"), claim)
    assert claimed is not None
    return claimed


@asynccontextmanager
async def opened(hook, folder, name):
    async with hook.dropbox(folder) as box, box.open(await box.look_at(f"{folder.inbox}/{name}")) as stream:
        yield stream


def read_whole(stream):
    with io.BufferedReader(stream) as reader:
        return sum(len(block) for block in iter(lambda: reader.read(1 << 16), b""))


# Stalled, slow, cut


@pytest.mark.pain(3)
async def test_a_stalled_transfer_is_ended(scripted):
    script, hook, folder = scripted
    (folder / "order.xml").write_bytes(bytes(1 << 20))
    script.stalls = frozenset({"read", "close"})
    async with asyncio.timeout(20):
        with pytest.raises(ProblemError) as caught:
            async with opened(hook, quick("/", stall_seconds=0.3), "order.xml") as stream:
                await asyncio.to_thread(read_whole, stream)
    assert (caught.value.problem.rule, caught.value.transient) == ("sftp.stalled", True)


async def test_without_the_watchdog_a_stalled_transfer_hangs(scripted):
    script, hook, folder = scripted
    (folder / "order.xml").write_bytes(bytes(1 << 20))
    script.stalls = frozenset({"read"})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            async with opened(hook, quick("/", stall_seconds=3600), "order.xml") as stream:
                await asyncio.to_thread(read_whole, stream)


@pytest.mark.parametrize("operation", ["list", "rename", "close"])
async def test_a_server_that_stops_answering_is_given_up(scripted, operation):
    script, hook, folder = scripted
    (folder / "order.xml").write_text("x")
    async with asyncio.timeout(20):
        with pytest.raises(ProblemError) as caught:
            async with hook.dropbox(quick("/", stall_seconds=0.3)) as box:
                file = await box.look_at("/order.xml")
                script.stalls = frozenset({operation})
                await {
                    "list": box.complete_files,
                    "rename": lambda: box.claim(file, "claim1"),
                    "close": lambda: box.publish("out.xml", [b"x"]),
                }[operation]()
    assert (caught.value.problem.rule, caught.value.transient) == ("sftp.stalled", True)


async def test_a_slow_link_is_not_a_stalled_one(scripted):
    script, hook, folder = scripted
    size = transfer.BLOCK * 12
    (folder / "order.xml").write_bytes(bytes(size))
    # Each answer takes its time, one after the other: the last one comes long after it was asked for.
    script.read_delay = 0.1
    began = time.monotonic()
    async with opened(hook, quick("/", stall_seconds=0.5), "order.xml") as stream:
        assert await asyncio.to_thread(read_whole, stream) == size
    assert time.monotonic() - began > 1, "too quick to prove anything"


async def test_a_reader_that_takes_its_time_is_not_a_stall(scripted):
    _, hook, folder = scripted
    (folder / "order.xml").write_bytes(bytes(transfer.BLOCK * 20))

    def slowly(stream):
        first = stream.read(10)
        time.sleep(0.8)
        return len(first) + len(stream.readall())

    async with opened(hook, quick("/", stall_seconds=0.3), "order.xml") as stream:
        assert await asyncio.to_thread(slowly, stream) == transfer.BLOCK * 20


async def test_a_cut_connection_is_transient_and_never_looks_like_the_end(tmp_path, monkeypatch):
    with running_sshd(tmp_path) as sshd:
        monkeypatch.setenv("AIRFLOW_CONN_CUT", json.dumps(sshd.connection()))
        (sshd.folder / "order.xml").write_bytes(bytes(1 << 25))
        hook = SapSftpHook("cut")
        async with asyncio.timeout(20):
            with pytest.raises(ProblemError) as caught:
                async with opened(hook, quick(sshd.folder), "order.xml") as stream:
                    await asyncio.to_thread(stream.read, 10)
                    hook._ssh.abort()
                    with pytest.raises(ProblemError):
                        await asyncio.to_thread(stream.readall)
                    # A parser that tries once more must not take the cut for the end of the file.
                    await asyncio.to_thread(stream.readall)
    assert (caught.value.problem.rule, caught.value.transient) == ("sftp.connection_lost", True)


@pytest.mark.pain(3)
async def test_fifty_megabytes_in_bounded_memory(hook, inbox):
    size = 50 << 20
    with (inbox / "large.bin").open("wb") as file:
        file.truncate(size)

    def slowly(stream):
        time.sleep(0.5)  # time enough to read far ahead
        return read_whole(stream)

    async with hook.dropbox(quick(inbox)) as box:
        file = await box.look_at(f"{inbox}/large.bin")
        tracemalloc.start()
        try:
            async with box.open(file) as stream:
                assert await asyncio.to_thread(slowly, stream) == size
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 16 << 20


# Refused by the server


@pytest.mark.parametrize(
    ("refusal", "rule", "transient"),
    [
        (asyncssh.SFTPPermissionDenied("no"), "sftp.permission", False),
        (asyncssh.SFTPFailure("No space left on device"), "sftp.refused", True),
        (asyncssh.SFTPFailure("?"), "sftp.refused", True),
    ],
)
async def test_refusals_are_told_apart(scripted, refusal, rule, transient):
    script, hook, _ = scripted
    script.refusal = refusal
    async with hook.dropbox(quick("/")) as box:
        with pytest.raises(ProblemError) as caught:
            await box.publish("out.xml", [b"x"])
    assert (caught.value.problem.rule, caught.value.transient) == (rule, transient)


async def test_publishes_where_a_rename_may_not_replace(hook, inbox, monkeypatch):
    async def unsupported(*paths):
        raise asyncssh.SFTPOpUnsupported("no such extension")

    (inbox / "out.xml").write_text("earlier")
    async with hook.dropbox(quick(inbox)) as box:
        monkeypatch.setattr(box._client, "posix_rename", unsupported)
        await box.publish("out.xml", [b"now"])
    assert {path.name: path.read_text() for path in inbox.iterdir()} == {"out.xml": "now"}


# Names that are used again


async def test_a_done_file_vouches_for_one_file_only(hook, inbox):
    (inbox / "orders.txt").write_text("first")
    (inbox / "orders.txt.done").touch()
    async with hook.dropbox(quick(inbox, **DONE)) as box:
        (file,), _ = await box.complete_files()
        claimed = await box.claim(file, "claim1aaa")
        # SAP begins to write the next file of the same name while the first one is in work.
        (inbox / "orders.txt").write_text("half of the sec")
        assert await box.complete_files() == ([], []), "its done-file is not there yet"
        (inbox / "orders.txt").write_text("second")
        (inbox / "orders.txt.done").touch()
        await box.archive(claimed, "claim1aaa")
        assert [file.name for file in (await box.complete_files())[0]] == ["orders.txt"]
    (day,) = (inbox / "archive").iterdir()
    assert sorted(path.name for path in day.iterdir()) == ["orders.txt", "orders.txt.done"]
    assert list((inbox / "work").iterdir()) == []


async def test_the_done_file_goes_where_its_file_goes(hook, inbox):
    async with hook.dropbox(quick(inbox, **DONE)) as box:
        for name in ("back.xml", "bad.xml"):
            (inbox / name).write_text("x")
            (inbox / f"{name}.done").touch()
        back, bad = [await claimed_of(box, f"{name}.xml", f"claim-{name}") for name in ("back", "bad")]
        assert set(await box.claimed_files()) == {"claim-back", "claim-bad"}
        assert await box.release(back)
        await box.reject(bad, "claim-bad", "why")
        assert [file.name for file in (await box.complete_files())[0]] == ["back.xml"]
    assert sorted(path.name for path in (inbox / "error").iterdir()) == [
        "bad.xml",
        "bad.xml.done",
        "bad.xml.err",
    ]


async def test_archived_again_under_a_name_it_is_still_found_by_pattern(hook, inbox):
    async with hook.get_managed_conn() as client:
        box = Dropbox(client, quick(inbox, pattern="*.xml"))
        for claim in ("claim1aaa", "claim2bbb"):
            (inbox / "order.xml").write_text(claim)
            await box.archive(await claimed_of(box, "order.xml", claim), claim)
        now = dt.datetime.now(dt.UTC)
        assert len(await box.archived_files(now - DAY, now + DAY)) == 2
        assert len(await box.archived_files(now - DAY, now + DAY, "order.xml")) == 2


# Killed between the rename and its entry in the ledger


@pytest.mark.parametrize("days", [0, 1, 40])
async def test_archiving_again_finds_the_file_where_it_is(hook, inbox, days):
    moments = [dt.datetime.now(dt.UTC)]
    async with hook.get_managed_conn() as client:
        box = Dropbox(client, quick(inbox), clock=lambda: moments[-1])
        (inbox / "order.xml").write_text("somebody else's")
        await box.archive(await claimed_of(box, "order.xml", "claim0"), "claim0")
        (inbox / "order.xml").write_text("x")
        claimed = await claimed_of(box, "order.xml")
        path = await box.archive(claimed, "claim1aaa")
        moments.append(moments[0] + days * DAY)
        assert await box.archive(claimed, "claim1aaa") == path


async def test_archiving_what_is_nowhere_is_no_success(hook, inbox):
    async with hook.dropbox(quick(inbox)) as box:
        for claim in ("claim0", "claim1aaa"):
            (inbox / "order.xml").write_text(claim)
            claimed = await claimed_of(box, "order.xml", claim)
            if claim == "claim0":
                await box.archive(claimed, claim)
        (inbox / "work" / claimed.name).unlink()
        with pytest.raises(FileNotFoundError):
            await box.archive(claimed, "claim1aaa")


async def test_giving_back_again_says_that_it_is_back(hook, inbox):
    (inbox / "order.xml").write_text("x")
    async with hook.dropbox(quick(inbox)) as box:
        claimed = await claimed_of(box, "order.xml")
        assert await box.release(claimed)
        assert await box.release(claimed)
        claimed = await claimed_of(box, "order.xml", "claim2")
        (inbox / "order.xml").write_text("the next one")
        assert not await box.release(claimed), "the name is taken: the file stays claimed"
    assert (inbox / "work" / claimed.name).read_text() == "x"


# Names


async def test_a_name_too_long_to_be_moved_is_refused_in_time(hook, inbox):
    fits, too_long = "a" * 180 + ".xml", "b" * 250 + ".xml"
    for name in (fits, too_long):
        (inbox / name).write_text("x")
    async with hook.dropbox(quick(inbox)) as box:
        (file,), (problem,) = await box.complete_files()
        assert (file.name, problem.rule) == (fits, "file.name")
        claimed = await box.claim(file, "0123456789abcdef0123456789abcdef")
        path = await box.reject(claimed, "0123456789abcdef0123456789abcdef", "why")
    assert path == f"{inbox}/error/{fits}"


async def test_symbolic_links_are_not_followed_even_when_put_there_late(hook, inbox, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (inbox / "order.xml").write_text("x")
    async with hook.dropbox(quick(inbox)) as box:
        (file,), _ = await box.complete_files()
        (inbox / "order.xml").unlink()
        (inbox / "order.xml").symlink_to(tmp_path / "secret")
        assert await box.claim(file, "claim1") is None
        assert await box.claimed_files() == {}
