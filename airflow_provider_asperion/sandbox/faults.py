"""Faults on order: what goes wrong, at which calls, how often; counted, repeatable by seed."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

FaultKind = Literal[
    "latency",
    "too_many_requests",
    "error_before_saving",
    "error_after_saving",
    "lost_answer",
    "hang",
    "hang_after_saving",
    "cut_body",
    "broken_json",
    "token_expiry",
    "read_back_lag",
    "page_shift",
]

KINDS: dict[FaultKind, str] = {
    "latency": "waits `ms` plus up to `jitter_ms` before answering",
    "too_many_requests": "answers 429 and saves nothing; with Retry-After when `retry_after` is set",
    "error_before_saving": "answers `status` (500) and saves nothing",
    "error_after_saving": "saves, then answers `status` (500)",
    "lost_answer": "saves, then closes the connection without a word",
    "hang": "saves nothing and keeps silent for `seconds`, then closes the connection",
    "hang_after_saving": "saves, keeps silent for `seconds`, then closes the connection",
    "cut_body": "saves, announces the whole answer and breaks off in the middle of it",
    "broken_json": "saves, answers with a whole body that is not JSON",
    "token_expiry": "ends every access token and answers 401",
    "read_back_lag": "what this call creates is shown by look-ups only after `seconds`",
    "page_shift": "since page one an entry came in front of the list (`entry_came`), or its first one went",
}
"""Every kind of fault and what it does."""


class FaultRule(BaseModel):
    """What shall go wrong, and when.

    Of the calls that match, it fires at the ``nth``, or at each one of ``every``, or with ``probability``.

    :param method: of the call; ``*`` is any.
    :param path: pattern in the manner of a shell, in lower case, such as ``/v1/debtors*``.
    :param count: fires so often at most.
    :param retry_after: value of the header: seconds, or an HTTP date.
    """

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    method: str = "*"
    path: str = "/v1/*"
    nth: int | None = Field(None, ge=1)
    every: int = Field(1, ge=1)
    probability: float | None = Field(None, ge=0, le=1)
    seed: int = 0
    count: int | None = Field(None, ge=0)
    ms: float = Field(0, ge=0)
    jitter_ms: float = Field(0, ge=0)
    status: int = Field(500, ge=400, le=599)
    retry_after: str | int | None = None
    seconds: float = Field(60, ge=0)
    entry_came: bool = True

    _seen: int = PrivateAttr(0)
    _fired: int = PrivateAttr(0)
    _chance: random.Random = PrivateAttr(default_factory=random.Random)

    def model_post_init(self, context: Any, /) -> None:
        """Start the sequence of chances."""
        self._chance.seed(self.seed)

    @property
    def fired(self) -> int:
        """How often it has fired."""
        return self._fired

    def fires(self, method: str, path: str) -> bool:
        """Whether it fires at this call; counts the call."""
        if self.method not in ("*", method) or not fnmatchcase(path, self.path.lower()):
            return False
        self._seen += 1
        if self.count is not None and self._fired >= self.count:
            return False
        if self.nth is not None:
            due = self._seen == self.nth
        elif self.probability is not None:
            due = self._chance.random() < self.probability
        else:
            due = self._seen % self.every == 0
        self._fired += due
        return due

    def wait_seconds(self, chance: random.Random) -> float:
        """Return how long a latency lasts."""
        return (self.ms + chance.uniform(0, self.jitter_ms)) / 1000


class Faults:
    """The rules in force."""

    def __init__(self, rules: list[FaultRule] | None = None) -> None:
        self.rules: list[FaultRule] = list(rules or [])

    def clear(self) -> None:
        """Lift all rules."""
        self.rules.clear()

    def at(self, method: str, path: str) -> dict[FaultKind, FaultRule]:
        """Return what goes wrong with this call; of one kind only the first rule."""
        due: dict[FaultKind, FaultRule] = {}
        for rule in self.rules:
            if rule.kind not in due and rule.fires(method, path):
                due[rule.kind] = rule
        return due

    def report(self) -> list[dict[str, Any]]:
        """Return the rules, each with how often it fired."""
        return [{**rule.model_dump(), "fired": rule.fired} for rule in self.rules]
