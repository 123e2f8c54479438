"""Brings an effect about exactly once: intent first, then the post; an unclear answer is read back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from airflow_provider_asperion.asperion.errors import AnswerLost, AsperionError, LookupUnsupported
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_asperion.ledger import Claim, DocumentKey, Grip, LedgerQueue, LiveSession
    from airflow_provider_asperion.settings.tasks import PostRules

Thing = TypeVar("Thing")
How = Literal["created", "adopted"]
POSTS = 3


class HeldError(ProblemError):
    """Nobody but a person can tell whether the effect happened: the API cannot be asked."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what is not there yet.

    :param looks: how often to look for a thing whose answer never came.
    :param first_wait: seconds before the first of these looks; doubles with each.
    :param busy_seconds: how long to wait for what another worker holds.
    :param post_seconds: longest time that one post may take; shorter than the lease of a session.
    """

    looks: int = 4
    first_wait: float = 1.0
    busy_seconds: float = 30.0
    post_seconds: float = 60.0


def patience_of(rules: PostRules, post_seconds: float) -> Patience:
    """Return how long to wait for what is not there yet, by the settings."""
    return Patience(
        looks=rules.unclear_looks,
        first_wait=rules.unclear_wait_seconds,
        busy_seconds=rules.busy_wait_seconds,
        post_seconds=post_seconds,
    )


class ExactlyOnce:
    """Takes hold of documents in the ledger and brings them about, whoever was killed meanwhile.

    :param queue: the ledger, for many coroutines.
    :param live: the work session, under heartbeat.
    :param sleep: waits a number of seconds.
    """

    def __init__(
        self,
        queue: LedgerQueue,
        live: LiveSession,
        patience: Patience,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.queue = queue
        self.live = live
        self.patience = patience
        self._sleep = sleep

    async def hold(self, claim: Claim, grip: Grip | None = None) -> Grip:
        """Take a document; one that another worker holds is waited for, ``busy_seconds`` at most.

        :param grip: the answer to an earlier claim, where there was one.
        """
        waited, pause = 0.0, 0.25
        if grip is None:
            (grip,) = await self.queue.take(self.live.session, [claim])
        while grip.status == "busy" and waited < self.patience.busy_seconds:
            await self._sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 4.0)
            (grip,) = await self.queue.take(self.live.session, [claim])
        return grip

    async def bring_about(
        self,
        key: DocumentKey,
        *,
        effect: str,
        find: Callable[[], Awaitable[Thing | None]],
        post: Callable[[], Awaitable[Thing]],
        intended_before: bool,
    ) -> tuple[Thing, How]:
        """Post, unless it is there. The caller holds ``key`` and has looked once itself.

        :param effect: what is done, for the ledger: ``POST sales_order``.
        :param find: looks for the thing; raises LookupUnsupported when the API cannot be asked.
        :param intended_before: an earlier try may have posted already.
        :raises HeldError: an unclear post cannot be read back.
        :raises AsperionError: the post was refused, or stayed unclear.
        """
        unclear = intended_before
        for attempt in range(1, POSTS + 1):
            if unclear:
                found = await self._look(key, find)
                if found is not None:
                    return found, "created"
            await self.queue.intend(self.live.session, key, effect)
            self.live.ensure_alive(self.patience.post_seconds)
            try:
                return await self._post(post), "created"
            except AsperionError as error:
                if not error.unclear or attempt == POSTS:
                    raise
                unclear = True
        raise AssertionError("unreachable")

    async def _post(self, post: Callable[[], Awaitable[Thing]]) -> Thing:
        # The fence counts on this bound: after it, nothing more leaves this worker in the name of the post.
        try:
            async with asyncio.timeout(self.patience.post_seconds):
                return await post()
        except TimeoutError:
            raise AnswerLost("no answer within the time that a post may take", unclear=True) from None

    async def _look(self, key: DocumentKey, find: Callable[[], Awaitable[Thing | None]]) -> Thing | None:
        """Look for the result of an unclear post, more than once: reading may lag behind writing."""
        wait = self.patience.first_wait
        try:
            for _ in range(self.patience.looks):
                await self._sleep(wait)
                found = await find()
                if found is not None:
                    return found
                wait *= 2
        except LookupUnsupported as error:
            raise HeldError(
                Problem(
                    rule="order.unclear",
                    message="a post had no answer, and the API cannot be asked whether it was stored",
                    remedy="set lookup in names.habits to filter or recent, and the next run goes on; until "
                    "then see in Asperion by hand whether it is there",
                    record=key.key,
                )
            ) from error
        return None
