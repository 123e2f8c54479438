"""`asperion plan --flow customers_to_asperion`: what SAP's master data would change. Writes nothing."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.files import documents_of
from airflow_provider_asperion.cli.output import remark, show
from airflow_provider_asperion.cli.plan_table import as_json, as_table
from airflow_provider_asperion.cli.profiles import flow_of
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of, tell
from airflow_provider_asperion.flows.master_data.prepare import Said
from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanEntry
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.mastering import plan_records, preparer_of
from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from airflow_provider_asperion.operators.mastering import MasterFlow
    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.sap.transfer import RemoteStream

THINGS = {"customers_to_asperion": "customer", "products_to_asperion": "article"}


def plan_master_data(arguments: argparse.Namespace) -> int:
    """Print what would happen; return 1 when the files or keys that were named hold nothing."""
    reach_connections()
    flow = flow_of(arguments, arguments.flow)
    integration = integration_of(settings_of(arguments), arguments.integration)
    records = _Records(flow)
    with missing_connections_told():
        if arguments.files:
            records.add(documents_of(arguments.files, flow.reading))
        else:
            asyncio.run(_add_drop_folder(records, integration, flow))
        said = records.wanted(arguments.keys)
        planned = asyncio.run(plan_records(said, integration, flow)) if said else []
    refused = [entry for entry in records.refused if not arguments.keys or entry.record in arguments.keys]
    entries = sorted([*planned, *refused], key=lambda entry: (entry.file, entry.position))
    lines = (
        as_json(entries, masked=arguments.masked)
        if arguments.json
        else as_table(entries, masked=arguments.masked, thing=THINGS[arguments.flow])
    )
    for line in lines:
        show(line)
    missing = sorted(set(arguments.keys) - {entry.record for entry in entries})
    for key in missing:
        remark(f"{key}: no file tells of a {THINGS[arguments.flow]} of this number")
    return 1 if missing or (arguments.files and not planned) else 0


class _Records:
    """Gathers what documents say, and what is refused before Asperion is asked."""

    def __init__(self, flow: MasterFlow) -> None:
        self._preparer = preparer_of(flow)
        self._said: list[Said[Any]] = []
        self.refused: list[PlanEntry] = []

    def add(self, found: Iterable[SourceDocument | Problem]) -> None:
        """Prepare documents."""
        for one in found:
            for said in [(one,)] if isinstance(one, Problem) else self._preparer.prepare(one):
                if isinstance(said, Said):
                    self._said.append(said)
                else:
                    self._refuse(said)

    def wanted(self, keys: list[str]) -> list[Said[Any]]:
        """Return what is said of records with these keys; with none, of all."""
        return [said for said in self._said if not keys or said.key in keys]

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        entry = PlanEntry(
            record=first.record or "",
            file=first.file or "",
            position=first.position or 0,
            action="refuse",
            problems=problems,
        )
        self.refused.append(entry)


async def _add_drop_folder(records: _Records, integration: str, flow: MasterFlow) -> None:
    """Read the files that the next run would read, where they lie."""
    async with runtime.intake(integration, flow.folder, run="plan") as (intake, dropbox, _):
        files, problems = await intake.new_files()
        tell(problems)
        for file in files:
            async with dropbox.open(file.remote) as stream:
                await asyncio.to_thread(_add_stream, records, stream, file.name, flow)


def _add_stream(records: _Records, stream: RemoteStream, name: str, flow: MasterFlow) -> None:
    with io.BufferedReader(stream, BLOCK) as buffered:
        records.add(read_documents(buffered, file=name, profile=flow.reading))
