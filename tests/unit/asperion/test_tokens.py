"""Tokens in a vault of secrets: what goes in comes out, and one login is kept by all who share the vault."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError

from airflow_provider_asperion.asperion.tokens import Tokens, VaultTokenStore


class JsonVault:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.lock = asyncio.Lock()

    def load(self, name):
        return json.loads(self.kept[name]) if name in self.kept else None

    def save(self, name, content):
        self.kept[name] = json.dumps(dict(content))

    @asynccontextmanager
    async def exclusive(self, name):
        async with self.lock:
            yield


async def test_tokens_survive_the_vault():
    vault = JsonVault()
    tokens = Tokens(
        access_token="a", refresh_token="r", renew_at=dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    )
    assert await VaultTokenStore(vault).load("c") is None
    await VaultTokenStore(vault).save("c", tokens)
    assert await VaultTokenStore(vault).load("c") == tokens
    async with VaultTokenStore(vault).exclusive("c"):
        assert vault.lock.locked()


def test_a_damaged_token_is_not_repeated_in_the_error():
    with pytest.raises(ValidationError) as caught:
        Tokens.model_validate({"access_token": "", "refresh_token": ["secret-value"]})
    assert "secret-value" not in str(caught.value)
