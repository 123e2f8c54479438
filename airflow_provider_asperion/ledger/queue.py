"""Many small writes of one event loop become few transactions: each ``await`` returns after its commit.

A commit costs one write through to the disk whatever it holds. While one is on its way, what comes in waits,
and goes into the next one together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

from airflow_provider_asperion.ledger import documents, trail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal
    from types import TracebackType

    from airflow_provider_asperion.ledger.keys import Claim, DocumentKey, EndState, Grip
    from airflow_provider_asperion.ledger.ledger import Ledger
    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.work import Work
    from airflow_provider_asperion.records import Problem

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
# A deadlock, a full disk, a lost connection: these concern the transaction as a whole. All else is about the
# one entry that met it.
_COMMON_ERRORS = (OperationalError, InterfaceError)


_Answered = tuple[Any, Exception | None]


@dataclass(slots=True)
class _Entry:
    do: Callable[[Work], Any]
    answer: asyncio.Future[Any]


class LedgerQueue:
    """Writes to a ledger from many coroutines. Use as ``async with LedgerQueue(ledger) as queue``.

    :param largest: most entries in one transaction.
    :ivar calls: entries written.
    :ivar transactions: transactions that took; ``calls / transactions`` is what the grouping saves.
    """

    def __init__(self, ledger: Ledger, *, largest: int = 128) -> None:
        self.calls = 0
        self.transactions = 0
        self._ledger = ledger
        self._largest = largest
        self._waiting: deque[_Entry] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LedgerQueue:
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Write what waits, then stop. Calls from now on raise RuntimeError."""
        self._closing = True
        self._arrived.set()
        if self._writer is not None:
            await self._writer

    async def run(
        self,
        operation: Callable[Concatenate[Work, Given], Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        """Do one operation of the ledger; return after it was committed.

        A caller that is cancelled meanwhile does not know whether it was.

        :raises RuntimeError: the queue is closed.
        """
        if self._closing or self._writer is None:
            raise RuntimeError("the ledger queue is closed")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(lambda work: operation(work, *args, **kwargs), answer))
        self._arrived.set()
        return await answer

    async def take(self, session: WorkSession, claims: Sequence[Claim]) -> list[Grip]:
        """See :func:`documents.take`."""
        return await self.run(documents.take, session, claims)

    async def intend(self, session: WorkSession, key: DocumentKey, effect: str) -> None:
        """See :func:`documents.intend`."""
        await self.run(documents.intend, session, key, effect)

    async def finish(
        self,
        session: WorkSession,
        key: DocumentKey,
        state: EndState,
        *,
        asperion_id: str | None = None,
        amount: Decimal | None = None,
        problems: Sequence[Problem] = (),
        note: str | None = None,
        facts: trail.Detail | None = None,
    ) -> None:
        """See :func:`documents.finish`."""
        await self.run(
            documents.finish,
            session,
            key,
            state,
            asperion_id=asperion_id,
            amount=amount,
            problems=problems,
            note=note,
            facts=facts,
        )

    async def release(self, session: WorkSession, keys: Iterable[DocumentKey]) -> None:
        """See :func:`documents.release`."""
        await self.run(documents.release, session, list(keys))

    async def event(
        self,
        session: WorkSession,
        key: DocumentKey,
        name: str,
        detail: trail.Detail | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        """See :func:`trail.add_event`."""
        await self.run(trail.add_event, session, key, name, detail, problems)

    async def _write(self) -> None:
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    await self._write_group()
                if self._closing:
                    return
        finally:
            self._closing = True
            for entry in self._waiting:
                entry.answer.cancel()

    async def _write_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
        try:
            answers = await asyncio.to_thread(self._do, [entry.do for entry in group])
        except asyncio.CancelledError:
            for entry in group:
                entry.answer.cancel()
            raise
        except Exception as error:
            for entry in group:
                if not entry.answer.done():
                    entry.answer.set_exception(error)
            return
        self.calls += len(group)
        self.transactions += 1
        for entry, (answer, failure) in zip(group, answers, strict=True):
            if entry.answer.done():
                continue
            if failure is None:
                entry.answer.set_result(answer)
            else:
                entry.answer.set_exception(failure)

    def _do(self, operations: Sequence[Callable[[Work], Any]]) -> list[_Answered]:
        # Savepoints cost as much as the operations, and errors are rare: so first without.
        try:
            return self._ledger.run(_together, operations)
        except _COMMON_ERRORS:
            raise
        except Exception:
            return self._ledger.run(_each_by_itself, operations)


def _together(work: Work, operations: Sequence[Callable[[Work], Any]]) -> list[_Answered]:
    """Do all in this transaction; the first that fails undoes it whole."""
    return [(operation(work), None) for operation in operations]


def _each_by_itself(work: Work, operations: Sequence[Callable[[Work], Any]]) -> list[_Answered]:
    """Do all in this transaction; one that fails is undone alone, and its error returned."""
    answers: list[_Answered] = []
    for operation in operations:
        savepoint = work.connection.begin_nested()
        try:
            answers.append((operation(work), None))
        except _COMMON_ERRORS:
            raise
        except Exception as error:
            savepoint.rollback()
            answers.append((None, error))
        else:
            savepoint.commit()
    return answers
