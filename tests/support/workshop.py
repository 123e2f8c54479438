"""Delivers to a fake Asperion with a real ledger, as a task would; and orders to deliver."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from contextlib import asynccontextmanager

from airflow_provider_asperion.flows.orders_to_asperion.deliver import Delivering, deliver
from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
from airflow_provider_asperion.ledger import Ledger, LedgerQueue, ledger_session
from airflow_provider_asperion.records import Order
from airflow_provider_asperion.sap.dropbox import DropFolder
from airflow_provider_asperion.settings import OrdersToAsperion
from tests.support.fake_asperion import FakeAsperion


def an_order(reference="4711", *, email="jan@example.com", content="x", position=1, claim="c1", **changes):
    order = Order.model_validate(
        {
            "reference": reference,
            "date": dt.date(2026, 11, 1),
            "customer": {
                "person": "Jan Jansen",
                "email": email,
                "billing": {"street": "Kerkstraat", "house_number": "1", "city": "Utrecht", "country": "NL"},
            },
            "lines": [{"number": "10", "sku": "A1", "quantity": "2", "price": "3.50", "vat_code": "V21"}],
            **changes,
        }
    )
    print_ = hashlib.sha256(f"{reference}{content}".encode()).hexdigest()
    return StagedOrder(order=order, claim=claim, file="orders.xml", position=position, fingerprint=print_)


def a_flow(**changes):
    delivery = {"unclear_wait_seconds": 0, "busy_wait_seconds": 5, **changes.pop("delivery", {})}
    customer = {"company_kind": "B", "person_kind": "C", **changes.pop("customer", {})}
    return OrdersToAsperion(folder=DropFolder(inbox="in"), delivery=delivery, customer=customer, **changes)


class Workshop:
    """Delivers as a task would: each delivery has a session of its own."""

    def __init__(self, url):
        self.url = url
        self.asperion = FakeAsperion()

    @asynccontextmanager
    async def parts(self, run="run1", **flow):
        full = flow.pop("full", False)
        sleep = flow.pop("sleep", no_sleep)
        ledger = Ledger.open(self.url, create=True, lease_seconds=120)
        try:
            async with ledger_session(ledger, "test", run) as live, LedgerQueue(ledger) as queue:
                yield Delivering(
                    flow=a_flow(**flow),
                    asperion=self.asperion,
                    queue=queue,
                    live=live,
                    administration="1",
                    run=run,
                    hashed=lambda *parts: hashlib.sha256("\0".join(parts).encode()).hexdigest(),
                    full=full,
                    sleep=sleep,
                )
        finally:
            ledger.close()

    async def deliver(self, *orders, **changes):
        async with self.parts(**changes) as parts:
            return await deliver(orders, parts)


async def no_sleep(seconds):
    await asyncio.sleep(0)
