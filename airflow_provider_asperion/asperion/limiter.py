"""An adaptive limit on requests in flight: halved when the server struggles, else grown by one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from airflow_provider_asperion.asperion.retry import Clock, Sleep


class Slot:
    """One request in flight."""

    def __init__(self, limiter: AdaptiveLimiter, started: float) -> None:
        self._limiter = limiter
        self._started = started

    def struggled(self, hold: float = 0.0) -> None:
        """Tell that the server was too busy for this request (429, 503, no answer in time).

        :param hold: seconds in which no request should start (``Retry-After``).
        """
        self._limiter._struggled(self._started, hold)


class AdaptiveLimiter:
    """Lets at most ``limit`` requests fly at a time, in the order they came.

    :param maximum: the limit is never above.
    :param minimum: nor below.
    :param window: seconds without trouble after which the limit grows by one.
    """

    def __init__(
        self,
        maximum: int = 8,
        *,
        minimum: int = 1,
        window: float = 1.0,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        if not 1 <= minimum <= maximum:
            raise ValueError(f"need 1 <= minimum <= maximum, got {minimum} and {maximum}")
        self.limit = maximum
        self.in_flight = 0
        self._maximum = maximum
        self._minimum = minimum
        self._window = window
        self._clock = clock
        self._sleep = sleep
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._changed = clock()
        self._halved = float("-inf")
        self._held_until = float("-inf")

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[Slot, None]:
        """Wait for a place, hold it, give it back, also when cancelled."""
        await self._acquire()
        try:
            while (rest := self._held_until - self._clock()) > 0:
                await self._sleep(rest)
            yield Slot(self, self._clock())
        finally:
            self._release()

    async def _acquire(self) -> None:
        self._grow()
        if not self._waiters and self.in_flight < self.limit:
            self.in_flight += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                # The place was given to us in the same moment: pass it on.
                self._release()
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def _release(self) -> None:
        self.in_flight -= 1
        self._grow()
        self._wake()

    def _wake(self) -> None:
        while self._waiters and self.in_flight < self.limit:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self.in_flight += 1
                waiter.set_result(None)

    def _grow(self) -> None:
        windows = int((self._clock() - self._changed) / self._window)
        if windows > 0:
            self._changed += windows * self._window
            self.limit = min(self._maximum, self.limit + windows)

    def _struggled(self, started: float, hold: float) -> None:
        now = self._clock()
        self._changed = now
        self._held_until = max(self._held_until, now + hold)
        # Requests that were in flight together fail together: they count as one sign of trouble.
        if started >= self._halved:
            self.limit = max(self._minimum, self.limit // 2)
            self._halved = now
