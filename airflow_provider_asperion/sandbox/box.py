"""One sandbox in memory: state, switches, faults, tokens and request log, and how it all starts anew."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow_provider_asperion.sandbox.changes import Change, make_changes
from airflow_provider_asperion.sandbox.faults import FaultRule, Faults
from airflow_provider_asperion.sandbox.oauth import Credentials, OAuthServer
from airflow_provider_asperion.sandbox.seed import Seed, seeded_state
from airflow_provider_asperion.sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_asperion.sandbox.state import State

LOGGED_REQUESTS = 20_000


def dutch_time() -> dt.datetime:
    """Return now as a Dutch clock shows it: zone-less dates of the API are local [inferred]."""
    return dt.datetime.now(ZoneInfo("Europe/Amsterdam"))


@dataclass
class Box:
    """What the emulator works on.

    :param clock: seconds, never going back.
    :param now: date and time for ``dateAdded`` and ``dateLastChange``.
    :param seed: how much is in it from the start.
    """

    switches: Switches = field(default_factory=Switches)
    faults: Faults = field(default_factory=Faults)
    credentials: Credentials = field(default_factory=Credentials)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], dt.datetime] = dutch_time
    chance: random.Random = field(default_factory=random.Random)
    seed: Seed = field(default_factory=Seed)

    def __post_init__(self) -> None:
        self._first_switches = self.switches.model_dump()
        self._first_rules = [rule.model_dump() for rule in self.faults.rules]
        self.requests: deque[tuple[str, str, int, float]] = deque(maxlen=LOGGED_REQUESTS)
        self.state: State = seeded_state(self.seed, self.now())
        self.oauth = OAuthServer(self.credentials, self.switches, self.clock)

    def change(self, changes: Iterable[Change]) -> int:
        """Change or remove entries as somebody in Asperion's screens would; return how many.

        :raises ValueError: one cannot be made; then none was.
        """
        with self.state.lock:
            dates = self.switches.stock_changes_date
            return make_changes(self.state, changes, self.now(), stock_changes_date=dates)

    def reset(self, seed: Seed | None = None) -> None:
        """Go back to the start: data, tokens, switches, faults and request log.

        :param seed: how much shall be in it; as much as at the start when absent.
        """
        with self.state.lock:
            for name, value in self._first_switches.items():
                setattr(self.switches, name, value)
            self.faults.rules = [FaultRule(**rule) for rule in self._first_rules]
            self.requests.clear()
            self.state.administrations = seeded_state(seed or self.seed, self.now()).administrations
            self.oauth = OAuthServer(self.credentials, self.switches, self.clock)
