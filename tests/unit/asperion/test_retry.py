"""When to wait and how long: exponential with jitter, Retry-After in both forms, a deadline."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.errors import ConnectFailed, NotFound, ServerFault
from airflow_provider_asperion.asperion.retry import Retrier, RetryPolicy, parse_retry_after

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 17 ", 17),
        (format_datetime(NOW + dt.timedelta(seconds=30), usegmt=True), 30),
        (format_datetime(NOW - dt.timedelta(seconds=30), usegmt=True), 0),
        ("Mon, 23 Nov 2026 12:00:05", 5),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("9" * 400, None),
        ("Mon, 99 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_retry_after_in_both_forms(header, seconds):
    assert parse_retry_after(header, NOW) == seconds


@given(st.text())
def test_no_header_makes_it_fall_over(header):
    seconds = parse_retry_after(header, NOW)
    assert seconds is None or seconds >= 0


def failing(error, times):
    left = [error] * times

    async def attempt():
        if left:
            raise left.pop()
        return "done"

    return attempt


async def test_waits_double_up_to_a_ceiling(time):
    policy = RetryPolicy(attempts=6, first_wait=1, longest_wait=4)
    retrier = Retrier(policy, sleep=time.sleep, random=lambda: 1.0, clock=time.clock)
    assert await retrier.run(failing(ConnectFailed("x"), 5)) == "done"
    assert time.slept == [1, 2, 4, 4, 4]


@pytest.mark.parametrize("error", [NotFound("x"), ServerFault("x", unclear=True)])
async def test_what_cannot_be_repeated_is_not(time, error):
    with pytest.raises(type(error)):
        await Retrier(sleep=time.sleep, clock=time.clock).run(failing(error, 1))
    assert time.slept == []


async def test_no_attempt_begins_after_the_deadline(time):
    policy = RetryPolicy(attempts=50, first_wait=10, longest_wait=10, deadline=25)
    retrier = Retrier(policy, sleep=time.sleep, random=lambda: 1.0, clock=time.clock)
    with pytest.raises(ConnectFailed):
        await retrier.run(failing(ConnectFailed("x"), 50))
    assert time.slept == [10, 10]


async def test_the_server_is_never_asked_before_the_moment_it_named(time):
    retrier = Retrier(sleep=time.sleep, random=lambda: 0.0, clock=time.clock)
    await retrier.run(failing(ServerFault("x", retry_after=3), 2))
    assert time.slept == [3, 3]
