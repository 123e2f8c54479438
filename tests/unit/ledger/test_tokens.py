"""Tokens: encrypted, renewed by one at a time, and the secret of the keyed hashes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import true

from airflow_provider_asperion.ledger import IdentityHasher, TokenVault, fingerprint, sessions
from airflow_provider_asperion.records import ProblemError

pytestmark = pytest.mark.feature("W6")
CANARY = "canary-7f3a"


@pytest.fixture
def vault(ledger) -> TokenVault:
    return TokenVault(ledger, Fernet(Fernet.generate_key()))


def test_tokens_come_back_and_are_replaced(vault) -> None:
    assert vault.load("asperion") is None
    vault.save("asperion", {"refresh": "1"})
    vault.save("asperion", {"refresh": "2", "until": 5})
    assert vault.load("asperion") == {"refresh": "2", "until": 5}


def test_no_secret_lies_open_in_the_file(ledger, vault) -> None:
    vault.save("asperion", {"refresh": CANARY})
    ledger.close()
    folder = Path(ledger.engine.url.database).parent
    assert not [path for path in folder.iterdir() if CANARY.encode() in path.read_bytes()]


def test_another_key_is_a_problem_and_an_added_one_is_none(ledger) -> None:
    old, new = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
    TokenVault(ledger, old).save("asperion", {"refresh": CANARY})
    with pytest.raises(ProblemError, match="another key") as caught:
        TokenVault(ledger, new).load("asperion")
    assert CANARY not in str(caught.value)
    assert TokenVault(ledger, MultiFernet([new, old])).load("asperion") == {"refresh": CANARY}


async def most_at_once(vault: TokenVault, workers: int = 4, *, stay: float = 0.02) -> int:
    """Return how many held the lock at once.

    :param stay: each keeps it for so long, or until another one has it too.
    """
    inside = most = 0

    async def renew() -> None:
        nonlocal inside, most
        async with vault.exclusive("asperion"):
            inside += 1
            most = max(most, inside)
            ends = time.monotonic() + stay
            while most == 1 and time.monotonic() < ends:
                await asyncio.sleep(0.005)
            inside -= 1

    await asyncio.gather(*(renew() for _ in range(workers)))
    return most


async def test_one_at_a_time_renews(vault) -> None:
    assert await most_at_once(vault) == 1


async def test_without_the_condition_several_renew(vault, monkeypatch) -> None:
    monkeypatch.setattr(sessions, "is_unheld", lambda holder: true())
    assert await most_at_once(vault, workers=2, stay=10) > 1


async def test_a_lock_ends_with_an_error_inside(vault) -> None:
    with pytest.raises(ZeroDivisionError):
        async with vault.exclusive("asperion"):
            raise ZeroDivisionError
    async with vault.exclusive("asperion", wait_seconds=0):
        pass


async def test_names_do_not_wait_for_each_other_and_waiting_ends(ledger, vault) -> None:
    async with vault.exclusive("one"):
        async with vault.exclusive("two", wait_seconds=0):
            pass
        with pytest.raises(ProblemError) as caught:
            async with vault.exclusive("one", wait_seconds=0.1):
                pass
        assert caught.value.transient
        vault.save("one", {"a": 1})  # what was renewed is kept under the lock
    assert vault.load("one") == {"a": 1}


def test_keyed_hashes_stay_over_restarts_and_key_changes(ledger) -> None:
    old, new = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
    first = TokenVault(ledger, old).identity_hasher()("email", "a@b.nl")
    assert TokenVault(ledger, MultiFernet([new, old])).identity_hasher()("email", "a@b.nl") == first
    assert first != IdentityHasher(b"x" * 32)("email", "a@b.nl")
    assert len(first) == 64


def test_who_only_looks_leaves_no_secret_and_finds_the_one_that_is_kept(vault) -> None:
    passing = vault.identity_hasher(keep=False)("email", "a@b.nl")
    assert vault.load("identity-secret") is None
    kept = vault.identity_hasher()("email", "a@b.nl")
    assert vault.identity_hasher(keep=False)("email", "a@b.nl") == kept != passing


def test_parts_do_not_run_into_each_other() -> None:
    hasher = IdentityHasher(b"x" * 32)
    assert hasher("ab", "c") != hasher("a", "bc")
    assert fingerprint(b"ab", b"c") != fingerprint(b"a", b"bc")
    with pytest.raises(ValueError, match="32"):
        IdentityHasher(b"short")
