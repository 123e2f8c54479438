"""Files that do not come, and numbers that are missing: told in time, once, and told when they come."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.alerting import Watched, take_note
from airflow_provider_asperion.flows.arrivals import Watching
from airflow_provider_asperion.ledger import Ledger
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.files import Arrival
from airflow_provider_asperion.ledger.schema import ensure_schema
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.settings import Notifications, parse_settings
from airflow_provider_asperion.settings.watching import Expectation

pytestmark = pytest.mark.feature("W4")
ZONE = ZoneInfo("Europe/Amsterdam")
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(dt.UTC)


def look(moment, *arrived, since=LONG_AGO, **expected):
    watching = Watching(Expectation(**expected), "Europe/Amsterdam", since, "orders")
    return watching.look([Arrival(name, at(when)) for name, when in arrived], at(moment))


def late(moment, *arrived, **more):
    given = {"cron": "0 7 * * 1-5", **more}
    seen, _ = look(moment, *arrived, **given)
    return [one.group.problem.message for one in seen]


@pytest.mark.parametrize(
    ("moment", "came", "is_late"),
    [
        ("2026-11-26T06:59", "2026-11-24T06:30", True),  # nothing came by 7 on Wednesday either
        ("2026-11-26T06:59", "2026-11-24T20:00", False),  # Wednesday's came on Tuesday evening
        ("2026-11-26T07:01", "2026-11-25T06:00", True),
        ("2026-11-26T07:01", "2026-11-25T07:30", False),
        ("2026-11-26T09:00", "2026-11-26T08:59", False),  # late, but there
        ("2026-11-29T12:00", "2026-11-26T20:00", False),  # Sunday: Friday's was there
        ("2026-03-30T06:59", "2026-03-26T20:00", False),  # the clock was put forward on Sunday
        ("2026-03-30T07:01", "2026-03-26T20:00", True),
    ],
)
def test_a_file_is_late_at_the_moment_of_the_settings_in_their_time_zone(moment, came, is_late):
    assert bool(late(moment, ("a", came))) is is_late


def test_the_message_says_how_many_by_when_and_which_was_the_last():
    (message,) = late("2026-11-26T07:01", ("a", "2026-11-25T06:00"), files=2)
    assert message == (
        "0 of 2 files have come by 2026-11-26 07:00 to orders; the last one came at 2026-11-25 06:00"
    )


def test_a_moment_from_before_anybody_watched_is_no_reason_for_an_alarm():
    assert late("2026-11-26T09:00", since=at("2026-11-26T08:00")) == []
    assert late("2026-11-27T07:01", since=at("2026-11-26T08:00")) != []


class Place:
    """A folder with numbered files, looked at again and again."""

    def __init__(self, ledger, clock):
        self.ledger, self.clock, self.files = ledger, clock, []
        self.watched = Watched("default", "orders_to_asperion", Notifications())
        expected = Expectation(number=r"ORDERS_(?P<number>\d+)", largest_gap=10)
        self.watching = Watching(expected, "UTC", LONG_AGO, "orders")

    def come(self, *numbers):
        self.files += [Arrival(f"ORDERS_{number:06}.xml", self.clock.now) for number in numbers]

    def look(self, **time):
        self.clock.forward(**(time or {"minutes": 30}))
        month = self.clock.now - dt.timedelta(days=30)
        recent = [file for file in self.files if file.at > month]
        told = self.ledger.run(
            take_note, self.watched, "watch/1", *self.watching.look(recent, self.clock.now)
        )
        return sorted((letter.kind, letter.group.problem.rule, letter.group.apart) for letter in told)


class Clock:
    def __init__(self):
        self.now = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)

    def __call__(self):
        return self.now

    def forward(self, **time):
        self.now += dt.timedelta(**time)


@pytest.fixture
def place(tmp_path):
    clock = Clock()
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    ensure_schema(engine, create=True)
    ledger = Ledger(engine, clock=clock)
    yield Place(ledger, clock)
    ledger.close()


def test_a_missing_number_is_told_once_and_once_more_when_it_comes(place):
    place.come(5, 6, 9)
    assert place.look(minutes=29) == [], "the others may be on their way"
    assert place.look(minutes=1) == [("new", "file.gap", "7"), ("new", "file.gap", "8")]
    assert place.look(days=2) == [], "once"
    place.come(8, 10)
    assert place.look() == [("resolved", "file.gap", "8")]
    place.come(7)
    assert place.look() == [("resolved", "file.gap", "7")]
    assert place.look() == []


def test_a_number_that_never_came_is_forgotten_without_a_word_that_it_came(place):
    place.come(5)
    place.look()
    place.come(7)
    assert place.look() == [("new", "file.gap", "6")]
    place.clock.forward(days=20)
    place.come(8)
    assert place.look(days=20) == []


def test_a_sender_that_begins_anew_is_told_once(place):
    place.come(9_998, 9_999)
    place.look()
    place.come(1, 2)
    assert place.look() == [("new", "file.numbering", "until 9998")]
    place.come(3)
    assert place.look(hours=5) == []
    assert place.look(days=3) == []


@given(st.sets(st.integers(1, 60), min_size=2), st.integers(1, 100))
def test_every_number_between_is_there_or_told(numbers, largest):
    arrived = [(f"A{number}", "2026-11-26T06:00") for number in numbers]
    seen, _ = look("2026-11-26T07:00", *arrived, number=r"A(?P<number>\d+)", largest_gap=largest)
    told = {int(one.group.apart) for one in seen if one.group.problem.rule == "file.gap"}
    jumps = [one for one in seen if one.group.problem.rule == "file.numbering"]
    missing = set(range(min(numbers), max(numbers))) - numbers
    assert told <= missing
    assert told == missing or jumps


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("{cron: at seven}", "no cron expression"),
        ("{number: 'ORDERS_(\\d+)'}", "no group named number"),
        ("{number: '('}", "no regular expression"),
        ("{files: 2}", "say when files should come"),
    ],
)
def test_settings_that_say_nothing_are_refused_by_line(expected, told):
    text = f"integrations:\n  default:\n    flows:\n      answers_from_sap:\n        expect: {expected}\n"
    with pytest.raises(ProblemError, match=told) as raised:
        parse_settings(text)
    assert raised.value.problem.line == 5
