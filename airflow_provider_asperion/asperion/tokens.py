"""Tokens, and where they are kept: one store for all workers, in which only one renews at a time."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping


class Tokens(BaseModel):
    """What a login gave. Its text shows no token.

    :param renew_at: when to renew (UTC), some time before the access token ends; None: when it is refused.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: str = Field(min_length=1, repr=False)
    refresh_token: str | None = Field(default=None, repr=False)
    renew_at: dt.datetime | None = None

    def fresh(self, now: dt.datetime) -> bool:
        """Whether the access token can still be used."""
        return self.renew_at is None or now < self.renew_at


class TokenStore(Protocol):
    """Keeps the tokens of each login under a name. All workers of a deployment share one store."""

    async def load(self, name: str) -> Tokens | None:
        """Return the newest tokens, None when there are none."""

    async def save(self, name: str, tokens: Tokens) -> None:
        """Replace the tokens; durable when this returns."""

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Keep every other task and worker out of its own ``exclusive`` of this name until left."""


class Vault(Protocol):
    """Keeps JSON-able secrets by name, as the ledger does. Its calls may block."""

    def load(self, name: str) -> Mapping[str, Any] | None:
        """Return the secrets of that name, None when there are none."""

    def save(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep secrets under a name, in place of those before."""

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Keep every other task and worker out until left."""


class VaultTokenStore:
    """A store of tokens in a vault of secrets, shared by all workers that share the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def load(self, name: str) -> Tokens | None:
        """Return the newest tokens, None when there are none."""
        content = await asyncio.to_thread(self._vault.load, name)
        return None if content is None else Tokens.model_validate(content)

    async def save(self, name: str, tokens: Tokens) -> None:
        """Replace the tokens."""
        await asyncio.to_thread(self._vault.save, name, tokens.model_dump(mode="json"))

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Keep every other task and worker out until left."""
        return self._vault.exclusive(name)


class MemoryTokenStore:
    """A store for one process: tests, trying out, commands that end."""

    def __init__(self, **tokens: Tokens) -> None:
        self._tokens = dict(tokens)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, name: str) -> Tokens | None:
        """Return the newest tokens, None when there are none."""
        return self._tokens.get(name)

    async def save(self, name: str, tokens: Tokens) -> None:
        """Replace the tokens."""
        self._tokens[name] = tokens

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncGenerator[None, None]:
        """Keep other tasks out."""
        async with self._locks[name]:
            yield
