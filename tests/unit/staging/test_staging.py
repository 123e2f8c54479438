"""Batches: whole, unreadable to others, bounded in memory, and gone when thrown away."""

from __future__ import annotations

import datetime as dt
import gc
import os
import tracemalloc
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.staging import BatchRef, Staging, Swept, frames
from airflow_provider_asperion.staging import staging as staging_module

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.feature("W6")
CANARY = b"canary-3f9c@example.org"
CIPHER = Fernet(Fernet.generate_key())


@pytest.fixture(params=["path", "file", "memory"])
def staging(request, tmp_path) -> Staging:
    roots = {
        "path": lambda: tmp_path,
        "file": lambda: UPath(f"file://{tmp_path}"),
        "memory": lambda: UPath(f"memory://{tmp_path.name}"),
    }
    return Staging(roots[request.param](), CIPHER)


@pytest.fixture
def local(tmp_path) -> Staging:
    return Staging(tmp_path, CIPHER)


@pytest.fixture
def small_frames(monkeypatch) -> None:
    real = frames.frames
    monkeypatch.setattr(staging_module, "frames", lambda records, cipher: real(records, cipher, 10))


def test_records_come_back_as_they_were(staging) -> None:
    records = [b'{"a":1}', b"", '{"ü":"€"}'.encode()]
    reference = staging.write("run/file/0001", records)
    assert list(staging.read(reference)) == records
    assert reference.count == 3
    staging.discard([reference])
    staging.discard([reference])
    with pytest.raises(ProblemError, match="gone") as caught:
        list(staging.read(reference))
    assert not caught.value.transient


def test_all_of_a_run_is_thrown_away_and_the_others_stay(staging) -> None:
    first, second = staging.write("run-1/a/1", [b"1"]), staging.write("run-1/b", [b"2"])
    other = staging.write("run-2/a", [b"3"])
    staging.discard("run-1")
    staging.discard("run-1")
    for reference in (first, second):
        with pytest.raises(ProblemError):
            list(staging.read(reference))
    assert list(staging.read(other)) == [b"3"]


def test_a_task_that_runs_again_overwrites_its_own(staging) -> None:
    staging.write("run/1", [b"1", b"2"])
    assert list(staging.read(staging.write("run/1", [b"3"]))) == [b"3"]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(st.binary(max_size=40).filter(lambda record: b"\n" not in record), max_size=30))
def test_any_lines_come_back(local, small_frames, records) -> None:
    reference = local.write("run/1", records)
    assert reference.count == len(records)
    assert list(local.read(reference)) == records


def test_nothing_can_be_read_from_the_disk_and_no_draft_stays(local, tmp_path) -> None:
    reference = local.write("run/1", [CANARY] * 50)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["1"]
    assert not [path for path in files if CANARY in path.read_bytes() or b"canary" in path.read_bytes()]
    assert CANARY.decode() not in reference.model_dump_json()
    assert len(reference.model_dump_json()) < 1000


def test_without_encryption_the_canary_is_found(tmp_path) -> None:
    class Open:
        encrypt = decrypt = staticmethod(lambda content: content)

    class Stored:
        compress = staticmethod(lambda content, level: content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "zlib", Stored)
        Staging(tmp_path, Open()).write("1", [CANARY])
    assert CANARY in (tmp_path / "1").read_bytes()


def stored(local: Staging, tmp_path: Path, count: int = 5) -> tuple[Path, BatchRef]:
    return tmp_path / "run/1", local.write("run/1", [b"%08d" % number for number in range(count)])


def split(content: bytes) -> list[bytes]:
    parts, at = [], 4
    while at < len(content):
        length = 4 + int.from_bytes(content[at : at + 4], "big")
        parts.append(content[at : at + length])
        at += length
    return parts


DAMAGES = {
    "one byte less": lambda content: content[:-1],
    "last frame gone": lambda content: content[:4] + b"".join(split(content)[:-1]),
    "first frame gone": lambda content: content[:4] + b"".join(split(content)[1:]),
    "frames swapped": lambda content: content[:4] + b"".join([*split(content)[1::-1], *split(content)[2:]]),
    "frame doubled": lambda content: content[:4] + b"".join([*split(content)[:1], *split(content)]),
    "one bit": lambda content: content[:50] + bytes([content[50] ^ 1]) + content[51:],
    "something added": lambda content: content + b"x",
    "frame added": lambda content: content + split(content)[0],
    "empty": lambda content: b"",
    "another beginning": lambda content: b"XXXX" + content[4:],
    "length out of bounds": lambda content: content[:4] + b"\xff" * 4 + content[8:],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("hash_checked", [True, False], ids=["hash", "frames alone"])
def test_a_damaged_batch_is_noticed(local, tmp_path, small_frames, monkeypatch, damage, hash_checked) -> None:
    path, reference = stored(local, tmp_path)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    if not hash_checked:  # the form of the frames must notice by itself
        monkeypatch.setattr(local, "_sha256", lambda path: reference.sha256)
    with pytest.raises(ProblemError, match="cannot be read") as caught:
        list(local.read(reference))
    assert (caught.value.problem.rule, caught.value.transient) == ("staging.broken", False)
    assert "again from the file" in caught.value.problem.remedy


def test_an_older_batch_under_the_name_yields_nothing(local, tmp_path) -> None:
    path, _ = stored(local, tmp_path, 3)
    old = path.read_bytes()
    _, reference = stored(local, tmp_path, 4)
    path.write_bytes(old)
    with pytest.raises(ProblemError):
        next(local.read(reference))


def test_without_the_hash_an_older_batch_goes_through(local, tmp_path, monkeypatch) -> None:
    path, _ = stored(local, tmp_path, 3)
    old = path.read_bytes()
    _, reference = stored(local, tmp_path, 4)
    path.write_bytes(old)
    monkeypatch.setattr(local, "_sha256", lambda path: reference.sha256)
    assert len(list(local.read(reference))) == 3


def test_another_key_reads_nothing(local, tmp_path) -> None:
    _, reference = stored(local, tmp_path)
    with pytest.raises(ProblemError, match="another key"):
        list(Staging(tmp_path, Fernet(Fernet.generate_key())).read(reference))


@pytest.mark.parametrize("name", ["../1", "/etc/1", "a/../../1", "", "a//b", ".", "a\\b", "a\0b"])
def test_no_name_leaves_the_folder(local, name) -> None:
    with pytest.raises(ValueError, match="stays in its folder"):
        local.write(name, [b"1"])


def test_no_reference_leads_out_of_the_folder(local, tmp_path) -> None:
    reference = local.write("1", [b"1"])
    for uri in ("/etc/passwd", f"{tmp_path}/../1", f"{tmp_path}-2/1"):
        wrong = reference.model_copy(update={"uri": uri})
        with pytest.raises(ValueError, match="folder"):
            list(local.read(wrong))
        with pytest.raises(ValueError, match="folder"):
            local.discard([wrong])


def test_a_write_that_fails_leaves_nothing_and_the_former_batch_stays(local, tmp_path) -> None:
    reference = local.write("1", [b"1"])

    def fails():
        yield b"2"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        local.write("1", fails())
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert list(local.read(reference)) == [b"1"]


def test_a_line_end_inside_a_record_is_refused(local) -> None:
    with pytest.raises(ValueError, match="line end"):
        local.write("1", [b"a\nb"])


def test_memory_does_not_grow_with_the_batch(local) -> None:
    def peak(count: int) -> int:
        records = (b"%0999d" % number for number in range(count))
        gc.collect()
        tracemalloc.start()
        try:
            reference = local.write("1", records)
            assert sum(1 for _ in local.read(reference)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(24_000) < 1.5 * peak(4_000)


def test_what_was_left_behind_is_swept_and_nothing_else(staging) -> None:
    old, young = staging.write("claim/run1/00000", [b"a"]), staging.write("claim/run2/00000", [b"b"])
    staging.write("run1/part/00001", [b"c"])

    def goes(parts, written):
        assert abs((dt.datetime.now(dt.UTC) - written).total_seconds()) < 60
        return "run1" in parts

    assert staging.sweep(goes, dry_run=True) == Swept(gone=2, left=1)
    assert list(staging.read(old)) == [b"a"]
    assert staging.sweep(goes) == Swept(gone=2, left=1)
    assert list(staging.read(young)) == [b"b"]
    with pytest.raises(ProblemError, match="it is gone"):
        list(staging.read(old))


def test_a_sweep_by_age_leaves_no_empty_folders(local, tmp_path) -> None:
    local.write("claim/run1/00000", [b"a"])
    local.write("claim/run2/00000", [b"b"])
    os.utime(tmp_path / "claim/run1/00000", (0, 10))
    day_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    assert local.sweep(lambda parts, written: written < day_ago) == Swept(gone=1, left=1)
    assert [path.name for path in (tmp_path / "claim").iterdir()] == ["run2"]
    assert local.sweep(lambda parts, written: True) == Swept(gone=1, left=0)
    assert list(tmp_path.iterdir()) == []
    assert Staging(tmp_path / "nowhere", CIPHER).sweep(lambda parts, written: True) == Swept(0, 0)


class _Stored(dict):
    st_mtime = 0


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"last_modified": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        ({"updated": "2026-01-01T00:00:00Z"}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        ({"created": dt.datetime(2026, 1, 1)}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),  # noqa: DTZ001
        ({"created": 1767225600.0}, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_when_a_batch_was_written_by_what_its_store_tells(told, expected) -> None:
    path = SimpleNamespace(stat=lambda: _Stored(told))
    assert staging_module._written_at(path) == expected


def test_a_batch_of_unknown_age_counts_as_young() -> None:
    """Of a store that tells no times nothing goes by age: a batch in use must not."""
    path = SimpleNamespace(stat=_Stored)
    assert dt.datetime.now(dt.UTC) - staging_module._written_at(path) < dt.timedelta(minutes=1)
