"""When something happened, by a date of the wire: what it says exactly, and an interval to hold it against.

The notation of dates in answers is not proven: RFC 3339, ``YYYY-MM-DD`` and a date-time without zone are all
read [go, inherited]. The zone of one that names none is a setting (``habits.time_zone``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """The stretch of time that a date of the wire may mean, in UTC: ``start`` up to but without ``end``.

    A day is 24 hours or so, a time without fractions a second. A time without zone may mean either of two
    hours when the clock is put back.
    """

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time from ``start`` up to but without ``end``; None: without bound on that side.

    :raises ValueError: a bound has no time zone, or the end lies before the start.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Check the bounds."""
        for bound in (self.start, self.end):
            if bound is not None and bound.utcoffset() is None:
                raise ValueError("the bounds of an interval need a time zone")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("the interval ends before it starts")

    def may_hold(self, moment: Moment) -> bool:
        """Whether a moment may lie within: in doubt it does, for what is let through twice is only work."""
        return (self.start is None or moment.end > self.start) and (
            self.end is None or moment.start < self.end
        )

    def widened(self, by: dt.timedelta) -> Self:
        """Return the interval with an earlier start, so that two neighbours overlap."""
        return type(self)(None if self.start is None else self.start - by, self.end)


def read_moment(text: str | None, zone: dt.tzinfo) -> Moment | None:
    """Read a date of the wire; None where it cannot be read.

    :param zone: of a date that names none.
    """
    text = (text or "").strip()
    try:
        written = dt.datetime.fromisoformat(text)
        if len(text) <= len("2026-01-31"):
            return Moment(_utc(written.replace(tzinfo=zone)), _utc((written + _DAY).replace(tzinfo=zone)))
        length = dt.timedelta(microseconds=1) if written.microsecond else _SECOND
        if written.tzinfo is not None:
            return Moment(_utc(written), _utc(written) + length)
        either = sorted(_utc(written.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
        return Moment(either[0], either[1] + length)
    except (ValueError, OverflowError):
        # .NET writes year 1 for no date at all, which has no place in UTC.
        return None


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC)
