"""A publishing task without Airflow: real ledger, mapping and writer, and a folder that SAP may empty."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import hashlib
import io
import tempfile
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import update

from airflow_provider_asperion.flows.to_sap.observed import Observed, OutBatch
from airflow_provider_asperion.flows.to_sap.publish import Publishing, publish
from airflow_provider_asperion.ledger import IdentityHasher, Ledger, ledger_session
from airflow_provider_asperion.ledger.tables import sessions
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.records import Product
from airflow_provider_asperion.sap.drop_folder import PublishedFile
from airflow_provider_asperion.settings import ProductsToSap
from airflow_provider_asperion.staging import BatchRef

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
ADMINISTRATION = "1"
FLOW = "products_to_sap/products_csv"


class Killed(BaseException):
    """The worker is gone: nothing of it runs any more, not even its clean-up."""


class Countdown:
    """Kills at the n-th effect, before or after it took place."""

    def __init__(self, at=0, *, after=False):
        self._at, self._after, self.count = at, after, 0

    def __call__(self, effect):
        self.count += 1
        mine = self.count == self._at
        if mine and not self._after:
            raise Killed
        answer = effect()
        if mine and self._after:
            raise Killed
        return answer

    @property
    def reached(self):
        return self.count >= self._at


class Folder:
    """The folder from which SAP fetches, as the dropbox offers it.

    :param greedy: SAP fetches each file the moment it appears.
    """

    def __init__(self, *, greedy=False):
        self.hidden, self.files, self.fetched = {}, {}, []
        self.greedy = greedy

    def upload(self, name, body):
        self.hidden[name] = body
        return PublishedFile(path=name, size=len(body), sha256=hashlib.sha256(body).hexdigest())

    def reveal(self, name):
        if name in self.hidden:
            self.files[name] = self.hidden.pop(name)
            if self.greedy:
                self.fetched.append(self.files.pop(name))

    def rows(self):
        """Return all rows that SAP finds or has fetched, in the order of their appearance."""
        bodies = [*self.fetched, *self.files.values()]
        return [row for body in bodies for row in csv.DictReader(io.StringIO(body.decode()), delimiter=";")]


class _Dropbox:
    def __init__(self, folder, effect):
        self._folder, self._effect = folder, effect

    async def upload(self, name, chunks):
        body = b"".join(chunks)
        return self._effect(lambda: self._folder.upload(name, body))

    async def reveal(self, name, *, done_file=False):
        self._effect(lambda: self._folder.reveal(name))


class _CountedLedger(Ledger):
    """A ledger whose every operation is an effect."""

    effect = staticmethod(lambda act: act())

    def run(self, operation, *args, **kwargs):
        if operation.__module__.endswith(("outbox", "snapshots")):
            return self.effect(lambda: super(_CountedLedger, self).run(operation, *args, **kwargs))
        return super().run(operation, *args, **kwargs)


NO_PROCESS = 2**22 - 1  # larger than any number that Linux gives


def a_product(sku="A-1", *, at=NOON, gone=False, **values):
    values = {"title": "Pen", "price_net": "1.00", "unit": "stuk", **values}
    if gone:
        values = {"active": False}
    return Observed.of("product", Product(sku=sku, **values), key=sku, shown=sku, observed_at=at, gone=gone)


def a_batch(number=1, extraction="run1@12"):
    reference = BatchRef(uri="x", sha256="x", count=1, bytes=1)
    return OutBatch(reference=reference, number=number, extraction=extraction, extracted_at=NOON)


def a_flow(**changes):
    delivery = {"busy_wait_seconds": 2, **changes.pop("delivery", {})}
    return ProductsToSap.model_validate(
        {"mappings": {"products_csv": {}}, "writing": {"format": "csv"}, "delivery": delivery, **changes}
    )


@cache
def _empty_ledger():
    """Return the bytes of a new ledger: making its tables takes longer than all that a test does with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        Ledger.open(f"sqlite:///{path}", create=True).close()
        return path.read_bytes()


class Press:
    """Publishes as tasks would: each try has a session of its own; a killed one leaves it behind."""

    def __init__(self, url, *, greedy=False):
        self.url = url
        Path(url.removeprefix("sqlite:///")).write_bytes(_empty_ledger())
        self.folder = Folder(greedy=greedy)
        self.problems = []

    @asynccontextmanager
    async def parts(
        self,
        batch,
        *,
        full=False,
        kill=None,
        mapping=None,
        flow=None,
        sleep=asyncio.sleep,
        integration="default",
        lease=120,
    ):
        flow = flow or a_flow()
        ledger = _CountedLedger.open(self.url, create=True, lease_seconds=lease)
        if kill is not None:
            ledger.effect = kill
        session = ledger_session(ledger, "test", batch.extraction)
        live = await session.__aenter__()
        try:
            yield Publishing(
                flow_name="products_to_sap",
                flow=flow,
                mapping=mapping or SapMapping.load("products_csv"),
                ledger=ledger,
                live=live,
                dropbox=_Dropbox(self.folder, kill or (lambda act: act())),
                administration=ADMINISTRATION,
                batch=batch,
                hashed=IdentityHasher(b"x" * 32),
                full=full,
                integration=integration,
                on_problem=self.problems.append,
                sleep=sleep,
            )
        except Killed:
            # Its process is gone, as the next one will see.
            with ledger.transaction() as work:
                gone = update(sessions).where(sessions.c.id == live.session.id).values(pid=NO_PROCESS)
                work.connection.execute(gone)
            raise
        else:
            await session.__aexit__(None, None, None)
        finally:
            ledger.close()

    async def publish(self, records, *, batch=None, **options):
        async with self.parts(batch or a_batch(), **options) as parts:
            return await publish(records, parts)
