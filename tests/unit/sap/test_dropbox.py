"""Which files of a drop folder are complete: looks, age, markers, order and bounds, with a clock of ours."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from airflow_provider_asperion.sap.dropbox import Dropbox, DropFolder

pytestmark = pytest.mark.feature("O1")

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
REGULAR, FOLDER, LINK = 1, 2, 3


class Listings:
    """A client whose folder looks as told, look after look; the last one stays."""

    def __init__(self, *looks):
        self.looks = list(looks)

    async def readdir(self, folder):
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return [
            SimpleNamespace(
                filename=name.encode(),
                attrs=SimpleNamespace(type=kind, size=size, mtime=NOW.timestamp() - age),
            )
            for name, (size, age, *rest) in look.items()
            for kind in (rest or [REGULAR])
        ]


async def found(*looks, **settings):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    box = Dropbox(Listings(*looks), DropFolder(inbox="in", **settings), clock=lambda: NOW, sleep=sleep)
    files, problems = await box.complete_files()
    return [file.name for file in files], [problem.rule for problem in problems], slept


async def test_two_looks_two_seconds_apart():
    assert await found({"a": (1, 60)}) == (["a"], [], [2])


async def test_no_look_is_wasted_on_nothing():
    assert await found({"a.tmp": (1, 60)}) == ([], [], [])


@pytest.mark.parametrize("second", [{"a": (2, 60)}, {"a": (1, 59)}, {}, {"b": (1, 60)}])
async def test_what_changes_between_looks_is_being_written(second):
    assert (await found({"a": (1, 60)}, second))[0] == []


async def test_what_comes_between_looks_waits_for_the_next_run():
    assert (await found({"a": (1, 60)}, {"a": (1, 60), "b": (1, 60)}))[0] == ["a"]


@pytest.mark.parametrize(
    ("age", "taken"),
    [(0, False), (4, False), (5, True), (3600, True), (-1, True), (-7200, True)],
    ids=["now", "young", "of age", "old", "server's clock ahead", "server in another time zone"],
)
async def test_minimum_age(age, taken):
    assert bool((await found({"a": (1, age)}))[0]) is taken


async def test_a_marker_makes_looks_and_age_needless():
    look = {"a": (1, 0), "a.done": (0, 0), "b": (1, 0), "c.done": (0, 0)}
    assert await found(look, done_file="{name}.done") == (["a"], [], [])


async def test_a_folder_of_the_markers_name_is_no_marker():
    look = {"a": (1, 60), "a.done": (0, 60, FOLDER)}
    assert (await found(look, done_file="{name}.done"))[0] == []


@pytest.mark.parametrize(("policy", "names"), [("reject", ["empty"]), ("skip", [])])
async def test_empty_files(policy, names):
    assert (await found({"empty": (0, 60)}, zero_bytes=policy))[0] == names


async def test_only_files():
    look = {"a": (1, 60), "b": (1, 60, FOLDER), "c": (1, 60, LINK), ".d": (1, 60), "e.OK": (1, 60)}
    assert (await found(look))[0] == ["a"]


async def test_order_and_bound():
    look = {"a": (1, 60), "b": (1, 90), "c": (1, 60)}
    assert (await found(look))[0] == ["b", "a", "c"]
    assert (await found(look, maximum_files=2))[0] == ["b", "a"]
    assert (await found(look, order="name"))[0] == ["a", "b", "c"]


async def test_a_file_too_large_is_reported_and_left():
    assert (await found({"a": (100, 60), "b": (101, 60)}, maximum_bytes=100))[:2] == (
        ["a"],
        ["file.too_large"],
    )


@pytest.mark.parametrize(
    "settings",
    [{"inbox": ""}, {"done_file": "fixed.done"}, {"stable_looks": 0}, {"stall_seconds": 0}, {"typo": 1}],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(ValidationError):
        DropFolder(**{"inbox": "in", **settings})


def test_folders_are_below_the_inbox_unless_absolute():
    folder = DropFolder(inbox="/in", archive="/elsewhere/archive")
    assert (folder.work_path, folder.archive_path, folder.error_path) == (
        "/in/work",
        "/elsewhere/archive",
        "/in/error",
    )
