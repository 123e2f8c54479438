"""Tokens: secrets of a connection, encrypted, and renewed by one worker for all."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import select, update

from airflow_provider_asperion.ledger import sessions
from airflow_provider_asperion.ledger.hashing import IdentityHasher
from airflow_provider_asperion.ledger.lease import ledger_session, seconds_since_boot
from airflow_provider_asperion.ledger.tables import tokens
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from airflow_provider_asperion.ledger.ledger import Ledger
    from airflow_provider_asperion.ledger.sessions import WorkSession
    from airflow_provider_asperion.ledger.work import Work

Tokens = Mapping[str, Any]
IDENTITY_SECRET = "identity-secret"  # noqa: S105 - the name of it


class Cipher(Protocol):
    """What ``cryptography``'s Fernet and MultiFernet offer."""

    def encrypt(self, msg: bytes) -> bytes:
        """Encrypt and sign."""

    def decrypt(self, msg: bytes) -> bytes:
        """Undo :meth:`encrypt`; raises when the key is another one or the content was touched."""


class TokenVault:
    """Keeps JSON-able secrets by name.

    :param cipher: a Fernet, or a MultiFernet while keys are changed.
    :param sleep: waits between two tries for a lock.
    """

    def __init__(
        self,
        ledger: Ledger,
        cipher: Cipher,
        *,
        monotonic: Callable[[], float] = seconds_since_boot,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._cipher = cipher
        self._monotonic = monotonic
        self._sleep = sleep

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the secrets of that name, None when there are none.

        :raises ProblemError: they were encrypted with another key.
        """
        body = self._ledger.run(_load, name)
        if body is None:
            return None
        try:
            content: dict[str, Any] = json.loads(self._cipher.decrypt(body))
        except Exception as error:  # each kind of cipher has its own; none may carry the secret outward
            raise ProblemError(_unreadable(name)) from error
        return content

    def save(self, name: str, content: Tokens) -> None:
        """Keep secrets under a name, in place of those before."""
        self._ledger.run(_save, name, self._cipher.encrypt(json.dumps(dict(content)).encode()))

    @asynccontextmanager
    async def exclusive(self, name: str, *, wait_seconds: float = 120.0) -> AsyncIterator[None]:
        """Be the only one, of all processes, who works on this name; wait for whoever does now.

        The lock ends with its holder, at once when its process is killed on this machine.

        :raises ProblemError: others held it for all of ``wait_seconds``; trying later helps.
        """
        give_up = self._monotonic() + wait_seconds
        async with ledger_session(self._ledger, f"tokens {name}") as live:
            pause = 0.05
            while not await asyncio.to_thread(self._ledger.run, _lock, live.session, name):
                if self._monotonic() >= give_up:
                    raise ProblemError(_taking_too_long(name))
                await self._sleep(pause)
                pause = min(pause * 2, 1.0)
            yield  # the end of the session is the end of the lock

    def identity_hasher(self, *, keep: bool = True) -> IdentityHasher:
        """Return the maker of keyed hashes of this ledger; the first call ever makes its secret.

        The secret is its own, not the cipher's key: that one may be changed without hashes changing.

        :param keep: False: write nothing. A ledger without a secret has no hash with which to compare.
        """
        secret = secrets.token_hex(32)
        if keep:
            fresh = self._cipher.encrypt(json.dumps({"secret": secret}).encode())
            self._ledger.run(_save_first, IDENTITY_SECRET, fresh)
        kept = self.load(IDENTITY_SECRET)
        return IdentityHasher(bytes.fromhex(kept["secret"] if kept else secret))


def _load(work: Work, name: str) -> bytes | None:
    body: bytes | None = work.connection.execute(select(tokens.c.body).where(tokens.c.name == name)).scalar()
    return None if body is None else bytes(body)


def _save(work: Work, name: str, body: bytes) -> None:
    work.connection.execute(work.insert_missing(tokens).values(name=name, updated_at=work.now))
    work.connection.execute(
        update(tokens).where(tokens.c.name == name).values(body=body, updated_at=work.now)
    )


def _save_first(work: Work, name: str, body: bytes) -> None:
    work.connection.execute(work.insert_missing(tokens).values(name=name, body=body, updated_at=work.now))


def _lock(work: Work, session: WorkSession, name: str) -> bool:
    sessions.close_dead_sessions(work)
    work.connection.execute(work.insert_missing(tokens).values(name=name, updated_at=work.now))
    statement = (
        update(tokens)
        .where(tokens.c.name == name, sessions.is_unheld(tokens.c.session_id))
        .values(session_id=session.id)
    )
    return bool(work.connection.execute(statement).rowcount)


def _unreadable(name: str) -> Problem:
    # Nobody can log in to get the secret of the hashes again.
    again = "" if name == IDENTITY_SECRET else ", or authorize again"
    return Problem(
        rule="tokens.unreadable",
        message=f"what is kept as {name} was encrypted with another key",
        remedy=f"put the former key behind the new one in [core] fernet_key, with a comma between{again}",
    )


def _taking_too_long(name: str) -> Problem:
    return Problem(
        rule="tokens.busy",
        message=f"another worker has been renewing the tokens of {name} for too long",
        remedy="nothing: it is tried again",
        transient=True,
    )
