"""What the tests of the pages share: a place in which one order landed and two were refused, and people."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.monitoring import data, rights
from tests.support.cli_world import world
from tests.support.orders_runner import Runner
from tests.support.pages import FILE, Manager, client


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch):
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=0) as made:
        made.flow["delivery"] = {"unclear_wait_seconds": 0.01, "busy_wait_seconds": 5}
        made.side["administration"] = 1
        monkeypatch.setattr(rights, "get_auth_manager", Manager)
        data._ledger.cache_clear()
        (inbox / "orders.csv").write_text(FILE)
        made.run = Runner(made)
        assert made.run() == {"created": 1, "refused": 2}
        yield made
        data.ledger().close()
        data._ledger.cache_clear()


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An empty deployment: for requests that must not come further than the door."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(rights, "get_auth_manager", Manager)
    data._ledger.cache_clear()
    yield
    data._ledger.cache_clear()


@pytest.fixture
def reader(place):
    return client(1)


@pytest.fixture
def operator(place):
    return client(2)


@pytest.fixture
def admin(place):
    return client(3)
