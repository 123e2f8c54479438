"""Dates of the wire in every notation, and intervals that let through what may lie within."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion import Interval, read_moment

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "start", "seconds"),
    [
        ("2026-01-31T10:00:00", utc(2026, 1, 31, 9), 1),
        ("2026-07-31T10:00:00", utc(2026, 7, 31, 8), 1),
        ("2026-01-31 10:00:00", utc(2026, 1, 31, 9), 1),
        ("2026-01-31T10:00:00Z", utc(2026, 1, 31, 10), 1),
        ("2026-01-31T10:00:00+05:30", utc(2026, 1, 31, 4, 30), 1),
        ("2026-01-31T10:00:00.5", utc(2026, 1, 31, 9, 0, 0, 500_000), 0.000001),
        ("2026-01-31T10:00:00.1234567", utc(2026, 1, 31, 9, 0, 0, 123_456), 0.000001),
        ("2026-01-31", utc(2026, 1, 30, 23), 24 * 3600),
        ("2026-03-29", utc(2026, 3, 28, 23), 23 * 3600),
        ("2026-10-25", utc(2026, 10, 24, 22), 25 * 3600),
        # The clock is put back: 02:30 is twice.
        ("2026-10-25T02:30:00", utc(2026, 10, 25, 0, 30), 3601),
    ],
)
def test_a_date_is_the_stretch_of_time_it_may_mean(text, start, seconds):
    moment = read_moment(text, AMSTERDAM)
    assert moment.start == start
    assert (moment.end - moment.start).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", [None, "", "  ", "yesterday", "31-01-2026", "0001-01-01T00:00:00", "9999-12-31", "2026-13-01"]
)
def test_what_is_no_date_is_none(text):
    assert read_moment(text, AMSTERDAM) is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    moment = read_moment(text, AMSTERDAM)
    assert moment is None or moment.start < moment.end


MOMENTS = st.integers(1_577_836_800_000_000, 1_893_456_000_000_000).map(
    lambda micros: dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)
)
DAY = Interval(utc(2026, 1, 31), utc(2026, 2, 1))


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("2026-01-31T00:00:00Z", True),
        ("2026-01-31T23:59:59Z", True),
        ("2026-02-01T00:00:00Z", False),
        ("2026-01-30T23:59:58Z", False),
        ("2026-01-30", True),  # the last hour but one of that day in the Netherlands ends at 23:00 UTC
        ("2026-01-29", False),
        ("2026-02-02", False),
    ],
)
def test_an_interval_holds_its_start_and_not_its_end(text, within):
    zone = dt.timezone(dt.timedelta(hours=-1)) if text == "2026-01-30" else AMSTERDAM
    assert DAY.may_hold(read_moment(text, zone)) is within


@given(
    MOMENTS,
    st.sampled_from(["seconds", "microseconds", "day"]),
    st.lists(MOMENTS, min_size=1, max_size=5),
)
def test_neighbouring_intervals_lose_no_moment(happened, written_in, bounds):
    """Whatever happened, and however coarsely it is written down: the interval it lies in holds it."""
    local = happened.astimezone(AMSTERDAM).replace(tzinfo=None, fold=0)
    text = f"{local:%Y-%m-%d}" if written_in == "day" else local.isoformat(timespec=written_in)
    moment = read_moment(text, AMSTERDAM)
    cuts = [None, *sorted(bounds), None]
    for start, end in itertools.pairwise(cuts):
        if (start is None or start <= happened) and (end is None or happened < end):
            assert Interval(start, end).may_hold(moment)


def test_an_interval_is_widened_backwards():
    assert DAY.widened(dt.timedelta(hours=1)) == Interval(utc(2026, 1, 30, 23), utc(2026, 2, 1))
    assert Interval().widened(dt.timedelta(hours=1)) == Interval()


def test_intervals_that_are_none():
    with pytest.raises(ValueError, match="time zone"):
        Interval(utc(2026, 1, 1).replace(tzinfo=None))
    with pytest.raises(ValueError, match="before"):
        Interval(utc(2026, 1, 2), utc(2026, 1, 1))
