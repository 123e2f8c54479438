"""A complete file is told of once; one that stays is told of again after a back-off that doubles."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from airflow_provider_asperion.sap.announcing import Announcer
from airflow_provider_asperion.sap.drop_folder import RemoteFile

pytestmark = pytest.mark.feature("X8")

LANDED = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def file(name="a.xml", size=10):
    return RemoteFile(folder="in", name=name, size=size, modified=LANDED)


class Day:
    """A clock, and when within it a file that never leaves is told of."""

    def __init__(self, again=60.0):
        self.now = 0.0
        self.announcer = Announcer(again, lambda: self.now)

    def told(self, *files, limit=1000):
        return [one.name for one in self.announcer.due(files, limit)]


def test_a_file_that_stays_is_told_after_a_minute_then_two_then_four_up_to_an_hour():
    day, moments = Day(), []
    for second in range(0, 6 * 3600, 2):
        day.now = float(second)
        if day.told(file()):
            moments.append(second)
    assert moments[:7] == [0, 60, 180, 420, 900, 1860, 3780]
    assert [later - earlier for earlier, later in pairwise(moments[6:])] == [3600] * 4


def test_a_file_that_changed_is_another_file():
    day = Day()
    assert day.told(file(size=10)) == ["a.xml"]
    assert day.told(file(size=11)) == ["a.xml"]
    assert day.told(file(size=11)) == []


def test_a_file_that_a_claim_gave_back_waits_for_its_back_off():
    day = Day()
    assert day.told(file()) == ["a.xml"]
    day.now = 5
    assert day.told() == []
    day.now = 10
    assert day.told(file()) == [], "else claiming and giving back would start run after run"
    day.now = 60
    assert day.told(file()) == ["a.xml"]


def test_what_has_gone_for_good_is_forgotten():
    day = Day()
    day.told(file())
    day.now = 61
    day.told()
    assert day.announcer._told == {}
    assert day.told(file()) == ["a.xml"]


def test_more_than_the_limit_follow_with_the_next_look():
    day, files = Day(), [file(f"{number}.xml") for number in range(5)]
    assert [day.told(*files, limit=2) for _ in range(4)] == [
        ["0.xml", "1.xml"],
        ["2.xml", "3.xml"],
        ["4.xml"],
        [],
    ]
