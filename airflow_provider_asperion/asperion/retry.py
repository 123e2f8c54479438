"""When a call is tried again, and how long to wait before: exponential, with jitter, as the server asks."""

from __future__ import annotations

import asyncio
import datetime as dt
import random as random_module
import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_asperion.asperion.errors import AsperionError

Result = TypeVar("Result")
Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], float]
Now = Callable[[], dt.datetime]


class RetryPolicy(BaseModel):
    """How often and how long. All times in seconds.

    :param attempts: times a call is made at most, the first included.
    :param first_wait: longest wait after the first failure; doubles with each further one.
    :param longest_wait: the doubling stops here.
    :param longest_retry_after: a server that asks for more than this is not waited for: the error is raised
        with its ``retry_after``, so that the task can be rescheduled instead of holding a worker.
    :param deadline: no new attempt begins later than this after the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(5, ge=1)
    first_wait: float = Field(0.5, gt=0)
    longest_wait: float = Field(30, gt=0)
    longest_retry_after: float = Field(120, ge=0)
    deadline: float = Field(300, gt=0)


def utc_now() -> dt.datetime:
    """Return the time, in UTC."""
    return dt.datetime.now(dt.UTC)


def parse_retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Read a ``Retry-After`` header: seconds or an HTTP date (RFC 9110). None when absent or unreadable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())


class Retrier:
    """Makes a call until it succeeds, may not be made again, or time is up."""

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        sleep: Sleep = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        clock: Clock = time.monotonic,
    ) -> None:
        self.policy = policy or RetryPolicy()
        self._sleep = sleep
        self._random = random
        self._clock = clock

    async def run(
        self,
        attempt: Callable[[], Awaitable[Result]],
        *,
        on_wait: Callable[[float, AsperionError], None] = lambda seconds, error: None,
    ) -> Result:
        """Call ``attempt`` again while its error is transient and not unclear.

        An unclear error (a write that may have been stored) is never answered by a second attempt: the caller
        reads back first.

        :param on_wait: told the seconds before each wait, and what it is for.
        :raises AsperionError: the error of the last attempt.
        """
        started = self._clock()
        for number in range(1, self.policy.attempts + 1):
            try:
                return await attempt()
            except AsperionError as error:
                wait = self._wait(number, error)
                late = wait is not None and self._clock() - started + wait > self.policy.deadline
                if wait is None or late or number == self.policy.attempts:
                    raise
                on_wait(wait, error)
            await self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, number: int, error: AsperionError) -> float | None:
        """Return the seconds before the next attempt; None when there must be none."""
        if not error.transient or error.unclear:
            return None
        ceiling = min(self.policy.longest_wait, self.policy.first_wait * 2.0 ** (number - 1))
        jitter = self._random() * ceiling
        if error.retry_after is None:
            return jitter
        if error.retry_after > self.policy.longest_retry_after:
            return None
        # Everybody was told the same moment: spread the calls after it, never before.
        return error.retry_after + jitter
