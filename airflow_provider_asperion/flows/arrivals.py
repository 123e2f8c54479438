"""Files that should have come: one that is late, and a gap in numbered ones. Pure; the clock comes in."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from croniter import croniter

from airflow_provider_asperion.flows.alerting import End, Seen
from airflow_provider_asperion.records import Problem, ProblemGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_asperion.ledger.alerts import Alert
    from airflow_provider_asperion.ledger.files import Arrival
    from airflow_provider_asperion.settings.watching import Expectation

# Files of so many days are looked at: a number that is missing longer is forgotten.
WINDOW = dt.timedelta(days=30)
# For so long it is told that the numbers have begun anew.
TOLD = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watching:
    """What is expected of the files of a flow.

    :param timezone: in which the moments of the settings are.
    :param since: since when it is watched: moments before count for nothing.
    :param folder: in which they should come, for people.
    """

    expected: Expectation
    timezone: str
    since: dt.datetime
    folder: str

    def look(
        self, arrived: Sequence[Arrival], now: dt.datetime
    ) -> tuple[list[Seen], Callable[[Alert], End | None]]:
        """Return what is wrong, and what tells of an earlier alert whether it is over.

        :param arrived: the files of the last 30 days, in any order.
        """
        numbers = self._numbers(arrived)
        late = self._late(arrived, now)
        seen = ([late] if late is not None else []) + self._gaps(numbers, now)

        def ended(alert: Alert) -> End | None:
            if alert.kind == "late":
                return "over"
            if alert.kind != "gap":
                return None
            missing = alert.group.apart
            return "over" if missing.isdigit() and int(missing) in numbers else "forgotten"

        return seen, ended

    def _late(self, arrived: Sequence[Arrival], now: dt.datetime) -> Seen | None:
        expected = self.expected
        if expected.cron is None:
            return None
        zone = ZoneInfo(self.timezone)
        due: dt.datetime = croniter(expected.cron, now.astimezone(zone)).get_prev(dt.datetime)
        if due < self.since:
            return None
        begin = due - dt.timedelta(hours=expected.within_hours)
        came = sum(1 for file in arrived if file.at > begin)
        if came >= expected.files:
            return None
        last = max((file.at for file in arrived), default=None)
        ever = f"the last one came at {last.astimezone(zone):%Y-%m-%d %H:%M}" if last else "none in 30 days"
        return Seen(
            "late",
            ProblemGroup.of(
                Problem(
                    rule="file.late",
                    message=f"{came} of {expected.files} files have come by {due:%Y-%m-%d %H:%M} to "
                    f"{self.folder}; {ever}",
                    remedy="ask the sender; see that the DAG of the flow runs, and that names and age of the "
                    "files fit its folder's settings",
                )
            ),
        )

    def _numbers(self, arrived: Sequence[Arrival]) -> dict[int, dt.datetime]:
        """Return when each number came first."""
        if self.expected.number is None:
            return {}
        pattern = re.compile(self.expected.number)
        found: dict[int, dt.datetime] = {}
        for file in sorted(arrived, key=lambda one: one.at):
            match = pattern.search(file.name)
            if match is not None and match["number"] and match["number"].isdecimal():
                found.setdefault(int(match["number"]), file.at)
        return found

    def _gaps(self, numbers: dict[int, dt.datetime], now: dt.datetime) -> list[Seen]:
        seen = []
        grace = dt.timedelta(minutes=self.expected.grace_minutes)
        for before, after in pairwise(sorted(numbers)):
            missing = range(before + 1, after)
            if not missing or now - numbers[after] < grace:
                continue
            if len(missing) > self.expected.largest_gap:
                newer = max(numbers[before], numbers[after])
                if now - newer < TOLD:
                    seen.append(self._anew(before, after))
                continue
            seen += [self._gap(number, after) for number in missing]
        return seen

    def _gap(self, number: int, after: int) -> Seen:
        problem = Problem(
            rule="file.gap",
            message=f"file number {number} has not come to {self.folder}; number {after} has",
            remedy="have the sender send it again; it is told when it comes",
        )
        return Seen("gap", ProblemGroup.of(problem, apart=str(number)))

    def _anew(self, before: int, after: int) -> Seen:
        problem = Problem(
            rule="file.numbering",
            message=f"the numbers of files in {self.folder} jump between {before} and {after}",
            remedy="nothing to do when the sender has begun to count anew; else ask for the files between",
        )
        return Seen("gap", ProblemGroup.of(problem, apart=f"until {after}"))
