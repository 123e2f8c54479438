"""Creates debtors and articles in Asperion: each once, however many tasks, flows and workers ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_provider_asperion.asperion.errors import NotFound, Rejected
from airflow_provider_asperion.ledger import Claim, DocumentKey
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_asperion.asperion.models import Article, Debtor
    from airflow_provider_asperion.flows.exactly_once import ExactlyOnce, How
    from airflow_provider_asperion.ledger import Grip

Thing = TypeVar("Thing", bound="Debtor | Article")


@dataclass(frozen=True, slots=True)
class Creator(Generic[Thing]):
    """Creates things of one kind.

    :param kind: as the ledger knows it: ``debtor``, ``article``.
    :param get: reads a thing by its id of Asperion.
    """

    once: ExactlyOnce
    administration: str
    kind: str
    get: Callable[[str], Awaitable[Thing]]

    async def create(
        self,
        name_after: Callable[[str], str],
        *,
        find: Callable[[], Awaitable[Thing | None]],
        post: Callable[[], Awaitable[Thing]],
        predecessor: str = "",
    ) -> Thing:
        """Create a thing, unless another order, task or worker just did.

        :param name_after: gives the name under which the ledger knows the thing, by that of the thing that
            was deleted before it (empty: it is the first); free of personal data.
        :param find: looks for it.
        :raises ProblemError: another worker is at it.
        :raises AsperionError: Asperion refused it, or did not answer.
        """
        key = DocumentKey(self.administration, self.kind, name_after(predecessor))
        grip = await self.once.hold(Claim(key, fingerprint=key.key))
        if grip.status == "busy":
            raise ProblemError(_busy(self.kind))
        if grip.status == "done":
            known = await self._known(grip, find)
            if known is not None:
                return known
            # Deleted in Asperion. Its successor has a key of its own, so that it too is created once.
            return await self.create(name_after, find=find, post=post, predecessor=key.key)
        try:
            return await self._post(grip, find, post)
        finally:
            await self.once.queue.release(self.once.live.session, [key])

    async def _post(
        self,
        grip: Grip,
        find: Callable[[], Awaitable[Thing | None]],
        post: Callable[[], Awaitable[Thing]],
    ) -> Thing:
        session, queue = self.once.live.session, self.once.queue
        # Another worker may have created it between our look and our hold.
        there = await find()
        how: How = "adopted"
        if there is not None:
            thing = there
        else:
            try:
                thing, how = await self.once.bring_about(
                    grip.key,
                    effect=f"POST {self.kind}",
                    find=find,
                    post=post,
                    intended_before=grip.intended,
                )
            except Rejected:
                await queue.finish(session, grip.key, "refused")
                raise
        await queue.finish(session, grip.key, "done", asperion_id=str(thing.id), note=how)
        return thing

    async def _known(self, grip: Grip, find: Callable[[], Awaitable[Thing | None]]) -> Thing | None:
        """Return a thing that we created but could not find: reading lags, or it was changed by hand."""
        found = await find()
        if found is not None:
            return found
        try:
            return await self.get(grip.asperion_id or "")
        except NotFound:
            return None


def _busy(kind: str) -> Problem:
    return Problem(
        rule="record.busy",
        message=f"another worker is creating the same {kind} and has not finished",
        remedy="nothing to do: the next run goes on with it",
        transient=True,
    )
