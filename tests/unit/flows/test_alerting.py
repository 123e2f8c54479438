"""When people are told of something, when again, when not, and when of its end. The clock is the test's."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.alerting import Seen, Watched, silent_until, take_note
from airflow_provider_asperion.ledger import Ledger, alerts, letters
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.schema import ensure_schema
from airflow_provider_asperion.records import Problem, ProblemGroup
from airflow_provider_asperion.settings import Notifications, Silence

pytestmark = pytest.mark.feature("W4")
AMSTERDAM = "Europe/Amsterdam"
PROBLEM = Problem(rule="article.missing", field="lines.1.sku", message="not there", remedy="add it")


class Desk:
    """The alerts of one flow, and what was handed in for its channel."""

    def __init__(self, ledger, clock, **rules):
        self.ledger, self.clock, self.runs = ledger, clock, 0
        rules = {"channels": {"desk": {"notifier": "http"}}, **rules}
        self.watched = Watched("default", "orders_to_asperion", Notifications.model_validate(rules))

    def see(self, *counts, end=None, kind="state", adds=False, run=None):
        """Let a run see causes, one per count; return what is told, and let it be sent."""
        self.runs += 1
        seen = [Seen(kind, a_group(number, count), adds) for number, count in enumerate(counts) if count]
        run = run or f"dag/run{self.runs}"
        told = self.ledger.run(take_note, self.watched, run, seen, lambda alert: end)
        self.send()
        return sorted(letter.kind for letter in told)

    def send(self):
        found = self.ledger.run(letters.take, "default", ["desk"])
        self.ledger.run(letters.sent, [one.number for one in found])
        return found


def a_group(number=0, count=1):
    problem = PROBLEM.model_copy(update={"rule": f"rule.number{number}"})
    return ProblemGroup(problem=problem, count=count, records=("4711",))


class Clock:
    def __init__(self):
        self.now = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)

    def __call__(self):
        return self.now

    def forward(self, **time):
        self.now += dt.timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    ensure_schema(engine, create=True)
    opened = Ledger(engine, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def desk(ledger, clock):
    return Desk(ledger, clock)


def test_a_cause_is_told_once_and_its_end_once(desk):
    assert desk.see(3) == ["new"]
    assert desk.see(3) == []
    assert desk.see(5) == [], "not twice as many"
    assert desk.see(end="over") == ["resolved"]
    assert desk.see(end="over") == []
    assert desk.see(1) == ["new"], "it is back"


def test_it_is_told_again_when_it_has_grown_and_not_when_it_shrinks(desk):
    told = [desk.see(count) for count in (3, 5, 6, 7, 11, 12, 2, 24)]
    assert told == [["new"], [], ["grown"], [], [], ["grown"], [], ["grown"]]


def test_it_is_told_again_after_the_time_of_the_settings(desk, clock):
    desk.see(3)
    clock.forward(hours=23, minutes=59)
    assert desk.see(3) == []
    clock.forward(minutes=1)
    assert desk.see(3) == ["reminder"]
    assert desk.see(3) == []


def test_without_reminders_it_is_told_once_for_all_time(ledger, clock):
    desk = Desk(ledger, clock, remind_after_hours=None)
    desk.see(3)
    clock.forward(days=100)
    assert desk.see(3) == []


def test_each_cause_has_a_life_of_its_own(desk):
    assert desk.see(1, 1) == ["new", "new"]
    assert desk.see(1, 0, end="over") == ["resolved"]
    assert desk.see(1, 0, 1, end="over") == ["new"]


def test_what_adds_is_added_over_runs_and_not_over_the_tries_of_one(desk):
    assert desk.see(2, kind="incident", adds=True, run="dag/a") == ["new"]
    assert desk.see(2, kind="incident", adds=True, run="dag/a") == [], "the same two, settled once more"
    assert desk.see(2, kind="incident", adds=True, run="dag/b") == ["grown"]
    (alert,) = desk.ledger.run(alerts.open_alerts)
    assert alert.group.count == 4


def test_what_is_forgotten_ends_without_a_word(desk):
    desk.see(1, kind="incident")
    assert desk.see(end="forgotten") == []
    assert desk.ledger.run(alerts.open_alerts) == []


def test_what_nobody_was_told_of_yet_ends_without_a_word(desk):
    run = desk.ledger.run
    run(take_note, desk.watched, "dag/1", [Seen("state", a_group())])
    run(take_note, desk.watched, "dag/2", [], lambda alert: "over")
    assert run(letters.waiting) == []


def test_what_is_back_before_its_end_was_told_never_ended(desk):
    run = desk.ledger.run
    desk.see(1)
    run(take_note, desk.watched, "dag/2", [], lambda alert: "over")
    run(take_note, desk.watched, "dag/3", [Seen("state", a_group())])
    assert run(letters.waiting) == []


def test_a_letter_that_waits_tells_how_it_is_when_it_is_sent(desk):
    run = desk.ledger.run
    for count in (1, 2, 4):
        run(take_note, desk.watched, f"dag/{count}", [Seen("state", a_group(count=count))])
    (waiting,) = run(letters.waiting)
    assert (waiting.letter.kind, waiting.letter.group.count) == ("new", 4)


def test_a_letter_is_in_the_hands_of_one_sender_until_that_one_is_dead(desk, clock):
    run = desk.ledger.run
    run(take_note, desk.watched, "dag/1", [Seen("state", a_group())])
    assert len(run(letters.take, "default", ["desk"])) == 1
    assert run(letters.take, "default", ["desk"]) == []
    clock.forward(seconds=letters.SEND_SECONDS)
    assert len(run(letters.take, "default", ["desk"])) == 1


def test_a_letter_that_was_replaced_while_it_was_sent_is_sent_too(desk):
    run = desk.ledger.run
    desk.see(1)
    run(take_note, desk.watched, "dag/2", [Seen("state", a_group(count=2))])
    sending = run(letters.take, "default", ["desk"])
    run(take_note, desk.watched, "dag/3", [], lambda alert: "over")
    run(letters.sent, [one.number for one in sending])
    assert [one.letter.kind for one in run(letters.waiting)] == ["resolved"]


def test_channels_take_what_they_want(ledger, clock):
    channels = {
        "all": {"notifier": "http"},
        "stock": {"notifier": "http", "flows": ["stock_to_sap"]},
        "bad_news": {"notifier": "http", "resolved": False},
        "off": {"notifier": "http", "enabled": False},
    }
    desk = Desk(ledger, clock, channels=channels)
    run = ledger.run

    def told():
        found = run(letters.take, "default", list(channels))
        run(letters.sent, [one.number for one in found])
        return sorted(one.channel for one in found)

    run(take_note, desk.watched, "dag/1", [Seen("state", a_group())])
    assert told() == ["all", "bad_news"]
    run(take_note, desk.watched, "dag/2", [], lambda alert: "over")
    assert told() == ["all"]


def at(text, zone=AMSTERDAM):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


NIGHT = Silence(begin="22:00", end="07:00")
WEEKEND = Silence(days=("sat", "sun"))
NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-11-26T21:59", None),
        ("2026-11-26T22:00", "2026-11-27T07:00"),
        ("2026-11-27T06:59", "2026-11-27T07:00"),
        ("2026-11-27T07:00", None),
        ("2026-11-27T23:00", "2026-11-30T07:00"),  # Friday night, the weekend, Sunday night: one silence
        ("2026-11-28T12:00", "2026-11-30T07:00"),
        ("2026-03-28T23:00", "2026-03-30T07:00"),  # over the change to summer time
    ],
)
def test_silences(moment, until):
    expected = None if until is None else at(until)
    assert silent_until((NIGHT, WEEKEND), AMSTERDAM, at(moment)) == expected


@given(
    st.integers(0, 525_600).map(lambda minutes: NEW_YEAR + dt.timedelta(minutes=minutes)),
    st.integers(0, 23),
    st.integers(1, 24),
)
def test_a_silence_ends_after_the_moment_and_not_within_itself(moment, begin, end):
    silence = Silence(days=("mon", "wed", "sat"), begin=f"{begin:02}:00", end=f"{end:02}:00")
    until = silent_until((silence,), AMSTERDAM, moment)
    if until is not None:
        assert moment < until <= moment + dt.timedelta(days=3)
        assert silent_until((silence,), AMSTERDAM, until) is None


def test_a_silence_of_all_hours_does_not_ask_for_ever():
    assert silent_until((Silence(),), "UTC", at("2026-11-26T10:00")) > at("2027-11-26T10:00")


def test_a_time_without_quotes_is_what_the_eye_sees():
    """YAML reads 22:30 as the number 1350."""
    assert Silence.model_validate({"begin": 1350, "end": "06:15"}).begin == "22:30"
