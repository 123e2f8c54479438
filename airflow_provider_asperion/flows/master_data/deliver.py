"""Brings what files say into Asperion: many records in flight, one change and one outcome for each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Generic

from airflow_provider_asperion.asperion.errors import AsperionError, Rejected, to_problem
from airflow_provider_asperion.flows.exactly_once import HeldError
from airflow_provider_asperion.flows.master_data.prepare import Master
from airflow_provider_asperion.flows.orders_to_asperion.plan import Change, PlanEntry
from airflow_provider_asperion.ledger import DocumentKey, GripLost, SessionLost
from airflow_provider_asperion.records import Outcome, Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from airflow_provider_asperion.flows.master_data.desk import Decision, Desk
    from airflow_provider_asperion.flows.master_data.prepare import Said
    from airflow_provider_asperion.ledger import LedgerQueue, LiveSession
    from airflow_provider_asperion.records import State

_DONE: dict[str, State] = {"create": "created", "update": "updated", "skip": "skipped"}


@dataclass(frozen=True, slots=True)
class Delivering(Generic[Master]):
    """With what records are delivered.

    :param administration: id of the administration, part of the key of the trail.
    """

    desk: Desk[Master]
    queue: LedgerQueue
    live: LiveSession
    administration: str
    in_flight: int

    async def deliver(self, batch: Sequence[Said[Master]]) -> list[Outcome]:
        """Deliver what a batch says; return an outcome for each of its records.

        What is said of one thing, in several documents, becomes one change: later words replace earlier ones.
        """
        return await _each(batch, self.desk, self._one, self.in_flight)

    async def _one(self, said: Said[Master], together: int) -> Outcome:
        try:
            decision = await self.desk.decide(said)
            asperion_id = decision.asperion_id
            if decision.action != "skip":
                asperion_id = await self.desk.carry_out(said, decision)
        except (GripLost, SessionLost):
            return _outcome(said, "pending", _taken_over())
        except HeldError as error:
            return await self._failed(said, error.problems, refused=False)
        except AsperionError as error:
            return await self._failed(said, (to_problem(error),), refused=isinstance(error, Rejected))
        except ProblemError as error:
            return await self._failed(said, error.problems, refused=not error.transient)
        await self._note(said, decision, asperion_id, together)
        return _outcome(said, _DONE[decision.action], asperion_id=asperion_id)

    async def _note(
        self, said: Said[Master], decision: Decision, asperion_id: str | None, together: int
    ) -> None:
        """Leave a trail: which file, which fields; no values."""
        detail = {
            "asperion_id": asperion_id,
            "file": said.file,
            "position": said.position,
            "fields": ", ".join(sorted(decision.changes)) or None,
            "documents": together,
        }
        await self._event(said, _DONE[decision.action], detail)

    async def _failed(self, said: Said[Master], problems: Sequence[Problem], *, refused: bool) -> Outcome:
        state: State = "refused" if refused else "pending"
        if refused:
            detail = {"file": said.file, "position": said.position}
            await self._event(said, state, detail, problems)
        return _outcome(said, state, *problems)

    async def _event(
        self, said: Said[Master], name: str, detail: dict[str, Any], problems: Sequence[Problem] = ()
    ) -> None:
        key = DocumentKey(self.administration, self.desk.kind, _ledger_name(self.desk, said))
        await self.queue.event(self.live.session, key, name, detail, problems)


async def plan(batch: Sequence[Said[Master]], desk: Desk[Master], *, in_flight: int) -> list[PlanEntry]:
    """Say what delivering a batch would do; reads only."""

    async def one(said: Said[Master], together: int) -> PlanEntry:
        try:
            decision = await desk.decide(said)
        except AsperionError as error:
            return _entry(said, "refuse", problems=(to_problem(error),))
        except ProblemError as error:
            return _entry(said, "refuse", problems=error.problems)
        changes = tuple(
            Change(field=name, now=now, then=then) for name, (now, then) in decision.changes.items()
        )
        return _entry(said, decision.action, changes=changes, asperion_id=decision.asperion_id)

    return await _each(batch, desk, one, in_flight)


async def _each(
    batch: Sequence[Said[Master]],
    desk: Desk[Master],
    act: Callable[[Said[Master], int], Awaitable[Any]],
    in_flight: int,
) -> list[Any]:
    """Act once on each thing that a batch is about; return what came of it for each record."""
    things: dict[str, list[int]] = {}
    for index, said in enumerate(batch):
        things.setdefault(_name(desk, said, index), []).append(index)
    found: dict[int, Any] = {}
    flying = asyncio.Semaphore(in_flight)

    async def one(indexes: list[int]) -> None:
        async with flying:
            came = await act(_together(batch[index] for index in indexes), len(indexes))
        for index in indexes:
            found[index] = came.model_copy(
                update={"file": batch[index].file, "position": batch[index].position}
            )

    async with asyncio.TaskGroup() as group:
        for indexes in things.values():
            group.create_task(one(indexes))
    return [found[index] for index in range(len(batch))]


def _together(several: Iterable[Said[Master]]) -> Said[Master]:
    return reduce(lambda before, said: before.then(said), several)


def _name(desk: Desk[Master], said: Said[Master], index: int) -> str:
    try:
        return desk.name_of(said)
    except ProblemError:
        return f"#{index}"  # refused for that, when its turn comes


def _ledger_name(desk: Desk[Master], said: Said[Master]) -> str:
    try:
        return desk.ledger_name(said)
    except ProblemError:
        return f"{said.file}#{said.position}"


def _outcome(said: Said[Master], state: State, *problems: Problem, asperion_id: str | None = None) -> Outcome:
    return Outcome(
        record=said.key,
        state=state,
        file=said.file,
        position=said.position,
        asperion_id=asperion_id,
        problems=tuple(problem.at(**said.places) for problem in problems),
    )


def _entry(said: Said[Master], action: Any, *, problems: Sequence[Problem] = (), **more: Any) -> PlanEntry:
    return PlanEntry(
        record=said.key,
        file=said.file,
        position=said.position,
        action=action,
        problems=tuple(problem.at(**said.places) for problem in problems),
        **more,
    )


def _taken_over() -> Problem:
    return Problem(
        rule="order.taken_over",
        message="the lease of this worker ran out, and another one may have taken the record over",
        remedy="nothing to do: the next run goes on with it",
        transient=True,
    )
