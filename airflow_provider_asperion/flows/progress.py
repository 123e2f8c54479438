"""How far long work is, said every ten seconds: done of total, rate, refused so far, when it will be over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EVERY_SECONDS = 10.0


class Progress:
    """Counts records and says now and then how far the work is. Short work says nothing.

    :param say: takes a line of text: counts only, no value.
    :param what: what is counted, such as ``orders``.
    :param total: how many there are; None: that is not known before the end.
    :param share: how much of the work is done, from 0 to 1, where the total is not known.
    :param clock: seconds, never going back.
    :param every: seconds between two lines.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        what: str,
        total: int | None = None,
        *,
        share: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
        every: float = EVERY_SECONDS,
    ) -> None:
        self.done = 0
        self.refused = 0
        self._say = say
        self._what = what
        self._total = total
        self._share = share
        self._clock = clock
        self._every = every
        self._began = self._last = clock()

    def step(self, *, refused: bool = False) -> None:
        """Count one record."""
        self.done += 1
        self.refused += refused
        now = self._clock()
        if now - self._last >= self._every:
            self._last = now
            self._say(self.line(now))

    def line(self, now: float) -> str:
        """Return how far it is."""
        seconds = max(now - self._began, 0.001)
        share = self._done_share()
        total = f" of {self._total:,}" if self._total else ""
        percent = "" if share is None else f" ({share:.0%})"
        words = [f"{self.done:,}{total} {self._what}{percent}", f"{self.done / seconds:,.1f}/s"]
        if self.refused:
            words.append(f"{self.refused:,} refused so far")
        if share:
            words.append(f"over in about {_lasting(seconds * (1 - share) / share)}")
        return ", ".join(words)

    def _done_share(self) -> float | None:
        if self._total:
            return min(1.0, self.done / self._total)
        return None if self._share is None else min(1.0, self._share())


def many(count: int, thing: str, plural: str = "") -> str:
    """Return how many of a thing: ``1 order``, ``10,000 orders``, ``2 batches``."""
    return f"{count:,} {thing if count == 1 else plural or thing + 's'}"


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return counts as people read them: ``1,200 created, 3 refused``; what is zero is left out."""
    return (
        ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        or "nothing"
    )


def _lasting(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
