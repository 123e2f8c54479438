"""The ledger as the pages use it, and under which administration it knows each integration."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_asperion.ledger import IdentityHasher, Ledger
    from airflow_provider_asperion.ledger.work import Work

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@lru_cache(maxsize=1)
def _ledger(url: str) -> Ledger:
    from airflow_provider_asperion.ledger import Ledger

    return Ledger.open(url, create=True, lease_seconds=runtime.lease_seconds())


def ledger() -> Ledger:
    """Return the ledger of the settings.

    :raises ProblemError: it cannot be reached.
    """
    return _ledger(runtime.ledger_url(runtime.settings()))


def ask(
    operation: Callable[Concatenate[Work, Given], Answer], *args: Given.args, **kwargs: Given.kwargs
) -> Answer:
    """Read from the ledger; nobody who writes waits for it."""
    with ledger().transaction(reading=True) as work:
        return operation(work, *args, **kwargs)


def hasher() -> IdentityHasher:
    """Return what turns an e-mail address into the key under which the ledger knows it."""
    found = ledger()
    return runtime.vault(found).identity_hasher(keep=False)


@dataclass(frozen=True, slots=True)
class Place:
    """An integration, and the administration that it writes to; None where its connection does not say."""

    integration: str
    administration: str | None
    problem: str | None = None


async def places(integrations: Iterable[str]) -> list[Place]:
    """Return the administration of each integration."""
    return list(await asyncio.gather(*(_place(name) for name in integrations)))


async def _place(integration: str) -> Place:
    try:
        return Place(integration, await runtime.administration_of(integration))
    except ProblemError as error:
        return Place(integration, None, str(error.problem))
    except Exception as error:
        return Place(integration, None, f"its connection cannot be read ({type(error).__name__})")


def unreachable(error: Exception) -> Problem:
    """Return what to say when a server does not answer, without its words."""
    return Problem(
        rule="server.unreachable",
        message=f"a server cannot be reached now ({type(error).__name__})",
        remedy="try both connections on the set-up page",
    )
