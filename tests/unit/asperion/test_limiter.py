"""The adaptive limit: never above, halved once per trouble, grown back, fair, and safe to cancel."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_asperion.asperion.limiter import AdaptiveLimiter


@pytest.fixture
def make(time):
    def limiter(maximum=8, **options):
        return AdaptiveLimiter(maximum, clock=time.clock, sleep=time.sleep, **options)

    return limiter


async def test_never_more_in_flight_than_the_limit(make):
    limiter, most = make(3), 0

    async def work():
        nonlocal most
        async with limiter.slot():
            most = max(most, limiter.in_flight)
            await asyncio.sleep(0)

    await asyncio.gather(*(work() for _ in range(50)))
    assert (most, limiter.in_flight) == (3, 0)


async def test_requests_that_fail_together_halve_it_once(make, time):
    limiter = make(8)
    slots = [limiter.slot() for _ in range(8)]
    entered = [await slot.__aenter__() for slot in slots]
    time.seconds += 0.5
    for slot in entered:
        slot.struggled()
    assert limiter.limit == 4
    for slot in slots:
        await slot.__aexit__(None, None, None)
    async with limiter.slot() as later:
        later.struggled()
    assert limiter.limit == 2


async def test_it_never_falls_below_its_minimum(make, time):
    limiter = make(8, minimum=2)
    for _ in range(10):
        async with limiter.slot() as slot:
            slot.struggled()
        time.seconds += 0.1
    assert limiter.limit == 2


async def test_it_grows_by_one_each_quiet_window_up_to_its_maximum(make, time):
    limiter = make(4, window=1.0)
    async with limiter.slot() as slot:
        slot.struggled()
    assert limiter.limit == 2
    time.seconds += 1
    async with limiter.slot():
        assert limiter.limit == 3
    time.seconds += 100
    async with limiter.slot():
        assert limiter.limit == 4


async def test_whoever_came_first_goes_first(make):
    limiter, order = make(1), []

    async def work(number):
        async with limiter.slot():
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(number) for number in range(10)))
    assert order == list(range(10))


async def test_a_cancelled_waiter_leaves_no_gap(make):
    limiter = make(1)
    async with limiter.slot():
        waiting = asyncio.create_task(limiter.slot().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert limiter.in_flight == 0
    async with asyncio.timeout(1), limiter.slot():
        pass


async def test_a_place_given_in_the_moment_of_cancelling_is_passed_on(make):
    limiter = make(1)
    first = limiter.slot()
    await first.__aenter__()
    waiting = asyncio.create_task(limiter.slot().__aenter__())
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)  # gives the place to the waiter ...
    waiting.cancel()  # ... which is cancelled before it wakes
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert limiter.in_flight == 0
    async with asyncio.timeout(1), limiter.slot():
        pass


async def test_all_keep_still_while_the_server_asks_for_it(make, time):
    limiter = make(8)
    async with limiter.slot() as slot:
        slot.struggled(hold=5)
    async with limiter.slot():
        pass
    assert time.slept == [5]


@pytest.mark.parametrize(("maximum", "minimum"), [(0, 1), (1, 2), (1, 0)])
def test_a_senseless_range_is_refused(maximum, minimum):
    with pytest.raises(ValueError, match="minimum"):
        AdaptiveLimiter(maximum, minimum=minimum)
