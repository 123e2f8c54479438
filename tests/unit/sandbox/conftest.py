"""An emulator without a port, whose clock and sleep belong to the test."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from airflow_provider_asperion.sandbox.app import Emulator
from airflow_provider_asperion.sandbox.box import Box
from airflow_provider_asperion.sandbox.faults import FaultRule


class Clock:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def box(clock):
    return Box(clock=clock, now=lambda: dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC))


@pytest.fixture
def emulator(box, clock):
    return Emulator(box, sleep=clock.sleep)


@pytest.fixture
def fault(box):
    def add(kind, **rule):
        made = FaultRule(kind=kind, **rule)
        box.faults.rules.append(made)
        return made

    return add


@pytest.fixture
async def stranger(emulator):
    """Somebody who has not logged in."""
    transport = httpx.ASGITransport(emulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        yield client


@pytest.fixture
async def api(emulator, box):
    """Somebody who has, at administration 1."""
    headers = {"Authorization": f"Bearer {box.credentials.access_token}", "X-Tenant-Id": "1"}
    transport = httpx.ASGITransport(emulator)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox.test", headers=headers
    ) as client:
        yield client


@pytest.fixture
def order():
    """Make the body of an order."""

    def make(**changes):
        line = {"articleCode": "SKU-00001", "quantity": 2, "price": 10, "vatCode": "V21"}
        body = {"reference": "A1", "debtorId": 100001, "date": "2026-01-31", "lines": {"_data": [line]}}
        return {**body, **changes}

    return make


@pytest.fixture
def invoice():
    """Make the body of an invoice, as a third-party client sends it [go]."""

    def make(**changes):
        line = {
            "amount": 100,
            "vatCode": "V21",
            "ledgerAccountId": 8000,
            "description": "goods",
            "costCenterId": 0,
        }
        return {
            "bookyear": 2026,
            "bookperiod": 1,
            "debtorCustomerNumber": "10001",
            "date": "2026-01-31T00:00:00",
            "description": "order A1",
            "invoiceNumber": "A1",
            "journalId": "70",
            "paymentDueDate": None,
            "_meta": {},
            "lines": {"_data": [line], "_meta": {"totalCount": 0}},
            **changes,
        }

    return make
