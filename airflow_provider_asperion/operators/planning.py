"""The plan of a flow to SAP without a DAG: read Asperion, compare with the ledger, write nothing."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from airflow_provider_asperion.flows.to_sap.chosen import Chosen
from airflow_provider_asperion.flows.to_sap.extract import records_of
from airflow_provider_asperion.flows.to_sap.plan import plan
from airflow_provider_asperion.flows.to_sap.prepare import Preparing
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.publishing import ToSapSide, extract_into, sap_mappings_of
from airflow_provider_asperion.staging import Staging

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Sequence

    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.flows.to_sap.extract import Extraction, Source
    from airflow_provider_asperion.flows.to_sap.plan import PlanEntry
    from airflow_provider_asperion.mapping.to_sap import SapMapping
    from airflow_provider_asperion.records import Problem

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """A plan while it is open.

    :param changed: only what changed in it was asked for; None: everything.
    :param chosen: the records that were named; None: all.
    """

    extraction: Extraction
    changed: Interval | None
    chosen: Chosen | None
    mappings: Sequence[SapMapping]
    side: ToSapSide
    staging: Staging
    full: bool

    def entries(self) -> Iterator[PlanEntry]:
        """Yield what would happen, record by record, through each mapping; a batch at a time in memory."""
        for batch in self.extraction.batches:
            records = records_of(self.staging, batch.reference)
            planned = [
                plan(
                    records,
                    Preparing(
                        flow_name=self.side.flow_name,
                        flow=self.side.flow,
                        mapping=mapping,
                        ledger=self.side.ledger,
                        administration=self.extraction.administration,
                        batch=batch,
                        hashed=self.side.hashed,
                        full=self.full,
                        integration=self.side.integration,
                    ),
                )
                for mapping in self.mappings
            ]
            for entries in zip(*planned, strict=True):
                yield from entries


@contextmanager
def planned(
    flow_name: str,
    *,
    integration: str,
    interval: tuple[dt.datetime, dt.datetime] | None,
    keys: Collection[str],
    full: bool,
    on_problem: Callable[[Problem], None],
) -> Iterator[FlowPlan]:
    """Read what the next run would read.

    :param interval: only what changed in it; None: as the settings say.
    :param keys: only these records; empty: all.
    :param on_problem: told of each record that is refused before it comes to a mapping.
    :raises ProblemError, AsperionError: settings, ledger or Asperion cannot be used.
    """
    flow = runtime.flow(integration, flow_name)
    mappings = sap_mappings_of(flow)
    found: list[Chosen] = []

    def choose(source: Source) -> Source:
        found.append(Chosen(source, keys))
        return found[-1]

    with runtime.open_ledger() as ledger, tempfile.TemporaryDirectory(prefix="asperion-plan-") as folder:
        # A key that nobody keeps: what a killed process leaves behind, nobody can read.
        staging = Staging(Path(folder), Fernet(Fernet.generate_key()))
        hashed = runtime.vault(ledger).identity_hasher(keep=False)
        side = ToSapSide(flow_name, flow, integration, ledger, hashed)
        reading = extract_into(
            staging,
            side,
            run="plan",
            interval=interval,
            full=full,
            on_problem=on_problem,
            log=LOG,
            choose=choose if keys else lambda source: source,
        )
        extraction = asyncio.run(reading)
        yield FlowPlan(
            extraction=extraction,
            changed=side.changed(interval, extraction.administration, full=full),
            chosen=found[-1] if found else None,
            mappings=mappings,
            side=side,
            staging=staging,
            full=full,
        )
