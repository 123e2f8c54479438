"""An empty ledger on SQLite with a clock and processes in the hands of the test."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.ledger import Ledger
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.processes import ProcessIdentity
from airflow_provider_asperion.ledger.schema import ensure_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 29, 0, 59, 30, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def forward(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(url: str, clock: Clock) -> Iterator[Ledger]:
    """A ledger whose process is on no host: only leases count."""
    engine = make_engine(url)
    ensure_schema(engine, create=True)
    opened = Ledger(engine, clock=clock, process=lambda: ProcessIdentity("", 1, ""))
    yield opened
    opened.close()
