"""Runs the orders flow as its DAG would, in this process; and what people do in Asperion meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request

from airflow_provider_asperion.flows.intake import FileGroup, grouped
from airflow_provider_asperion.flows.orders_to_asperion.reading import Batch
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import runs
from airflow_provider_asperion.operators.delivering import deliver_batches
from airflow_provider_asperion.operators.reading import read_group
from airflow_provider_asperion.operators.settling import settle_run

LOG = logging.getLogger(__name__)


class Runner:
    """Runs the orders flow as its DAG would.

    :param between: called when all is read and nothing delivered yet.
    """

    def __init__(self, place, between=lambda: None):
        self.place = place
        self.between = between
        self.count = 0
        self.xcoms = []

    def __call__(self, *retry, dry_run=False):
        self.place.write()
        self.count += 1
        return asyncio.run(self._run(retry, dry_run))

    async def _run(self, retry, dry_run):
        flow, run = runtime.flow("default", "orders_to_asperion"), f"orders/run{self.count}"
        names = {"integration": "default", "flow": flow, "run": run, "log": LOG}
        async with runtime.intake("default", flow.folder, run=run) as (intake, _, _):
            if retry:
                found, self.problems = await intake.refused_files(retry, "1")
            else:
                found, self.problems = await intake.new_files()
        groups = [FileGroup.model_validate(group.model_dump()) for group in grouped(found, batches=10)]
        read = [await read_group(group, **names, owner=run, dry_run=dry_run) for group in groups]
        files = [file for task in read for file in task]
        batches = [Batch.model_validate(batch.model_dump()) for file in files for batch in file.batches]
        self.between()
        delivered = await deliver_batches(batches, **names, owner=run, full=False) if batches else None
        tallies = (
            {claim: tally.model_dump() for claim, tally in delivered.tallies.items()} if delivered else {}
        )
        with runtime.open_ledger() as ledger:
            ledger.run(runs.begin, run, "default", "orders_to_asperion")
        closing = await settle_run(
            read=[[file.model_dump() for file in files]],
            delivered=[{"tallies": tallies}],
            **names,
            dry_run=dry_run,
        )
        self.xcoms += [[file.model_dump(mode="json") for file in files], closing.summary]
        assert not closing.open_problems, "\n".join(map(str, closing.open_problems))
        with runtime.open_ledger() as ledger:
            ledger.run(runs.end, run, "done", counts=closing.summary.get("counts"))
        return closing.summary.get("counts", {})


def add_article(place, code):
    """Create an article as a client of the API does."""
    sandbox = place.sandbox
    request = urllib.request.Request(
        f"{sandbox.url}/v1/articles",
        json.dumps({"code": code, "description": code, "price": 1, "salesTypeId": "HOOG"}).encode(),
        {
            "Authorization": f"Bearer {sandbox.access_token}",
            "Content-Type": "application/json",
            "X-Tenant-Id": "1",
        },
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status < 300
