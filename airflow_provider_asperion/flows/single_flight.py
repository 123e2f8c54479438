"""One look-up per key, however many orders ask for it at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """Remembers the answer per key and lets later callers wait for the first one's call.

    A failure is handed to all who wait, and forgotten, so that the next caller tries again.
    """

    def __init__(self, call: Callable[[Key], Awaitable[Value]]) -> None:
        self._call = call
        self._flights: dict[Key, asyncio.Future[Value]] = {}

    async def get(self, key: Key) -> Value:
        """Return the value of a key, calling for it at most once at a time."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(self._fly(key))
        # Shielded: one caller that is cancelled must not take the answer from the others.
        return await asyncio.shield(flight)

    async def _fly(self, key: Key) -> Value:
        try:
            return await self._call(key)
        except BaseException:
            self._flights.pop(key, None)
            raise
