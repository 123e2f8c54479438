"""A work session that keeps itself alive, and knows by itself when it must stop: the fence."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from airflow_provider_asperion.ledger.errors import SessionLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_provider_asperion.ledger.ledger import Ledger
    from airflow_provider_asperion.ledger.sessions import WorkSession


def seconds_since_boot() -> float:
    """Return a clock that never jumps and, where there is one, goes on while the machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(boottime)


class LiveSession:
    """A session under heartbeat.

    :ivar session: what the ledger's operations take.
    :ivar valid_until: by ``monotonic``; counted from before each heartbeat was sent, so it ends earlier than
        the lease in the ledger, never later.
    """

    def __init__(self, session: WorkSession, valid_until: float, monotonic: Callable[[], float]) -> None:
        self.session = session
        self.valid_until = valid_until
        self._monotonic = monotonic
        self._lost: SessionLost | None = None

    def ensure_alive(self, margin_seconds: float = 0.0) -> None:
        """Ask right before an effect that takes at most ``margin_seconds``.

        :raises SessionLost: the lease is over, or could run out meanwhile, and somebody else begin the same.
        """
        if self._lost is not None:
            raise self._lost
        if self._monotonic() + margin_seconds >= self.valid_until:
            raise SessionLost(
                f"the work session of {self.session.owner} could run out: no heartbeat came through"
            )

    def extended(self, valid_until: float) -> None:
        """Note a heartbeat that came through."""
        self.valid_until = valid_until

    def lost(self, error: SessionLost) -> None:
        """Note that the ledger has given the session up."""
        self._lost = error


@asynccontextmanager
async def ledger_session(
    ledger: Ledger,
    owner: str,
    run_id: str = "",
    *,
    lease_seconds: float | None = None,
    monotonic: Callable[[], float] = seconds_since_boot,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[LiveSession]:
    """Open a session, keep it alive by a heartbeat every third of the lease, and close it in the end.

    :param owner: ``dag/run/task/map/try``.
    :param lease_seconds: the ledger's unless given.
    """
    began = monotonic()
    session = await asyncio.to_thread(ledger.open_session, owner, run_id, lease_seconds)
    live = LiveSession(session, began + session.lease_seconds, monotonic)
    beating = asyncio.create_task(_beat(ledger, live, monotonic, sleep))
    try:
        yield live
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await asyncio.to_thread(ledger.close_session, session)


async def _beat(
    ledger: Ledger,
    live: LiveSession,
    monotonic: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    lease = live.session.lease_seconds
    while True:
        await sleep(lease / 3)
        began = monotonic()
        try:
            await asyncio.to_thread(ledger.heartbeat, live.session)
        except SessionLost as error:
            live.lost(error)
            return
        except SQLAlchemyError:
            continue  # a database that is away for a moment: the fence closes by itself if it stays away
        live.extended(began + lease)
