"""Reconciles orders and invoices, SAP to Asperion, over the files that landed in an interval."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import Forbidden, NotFound
from airflow_provider_asperion.flows.reconcile.asperion import held_by_asperion
from airflow_provider_asperion.flows.reconcile.compare import SIDES, compare, pairs_of
from airflow_provider_asperion.flows.reconcile.facts import InLedger, Pair
from airflow_provider_asperion.flows.reconcile.files import FileFacts, in_ledger
from airflow_provider_asperion.flows.reconcile.statement import Difference, Statement
from airflow_provider_asperion.ledger import reconciling
from airflow_provider_asperion.sap.dropbox import original_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from decimal import Decimal

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Preparer
    from airflow_provider_asperion.flows.reconcile.statement import Name
    from airflow_provider_asperion.ledger import FileClaim, Ledger
    from airflow_provider_asperion.sap.dropbox import Dropbox, RemoteFile
    from airflow_provider_asperion.settings import OrdersToAsperion

FLOW = "orders_to_asperion"
# States of a file of which a run has still something to do.
AT_WORK = ("claiming", "claimed", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciling:
    """With what orders are reconciled.

    :param place: server and folder, as the ledger has it.
    :param on_progress: told what was read, in words without values.
    """

    integration: str
    administration: str
    place: str
    flow: OrdersToAsperion
    preparer: Preparer
    dropbox: Dropbox
    ledger: Ledger
    asperion: Asperion
    in_flight: int = 8
    on_progress: Callable[[str], None] = lambda text: None


@dataclass(slots=True)
class _Files:
    """The files of an interval: those that can be read, each with what the ledger knows, and the others."""

    readable: list[tuple[RemoteFile, FileClaim | None]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


async def reconcile_orders(parts: Reconciling, start: dt.datetime, end: dt.datetime) -> Statement:
    """Compare what landed from ``start`` until before ``end`` with the ledger and with Asperion.

    Files are streamed; of each document its number and amounts are held.

    :raises ProblemError: the server or the ledger cannot be read.
    :raises AsperionError: Asperion cannot be read.
    """
    found = await _files(parts, start, end)
    rates = await _vat_rates(parts.asperion)
    reader = FileFacts(parts.flow, parts.preparer, vat_rates=rates)
    pairs: list[Pair] = []
    for remote, claim in found.readable:
        read = await _read(parts, reader, remote, claim, found.differences)
        pairs += read
        parts.on_progress(f"{original_name(remote.name)}: {len(read)} documents")
    held = await held_by_asperion(
        parts.asperion,
        pairs,
        parts.flow.totals,
        vat_rates=rates,
        since=start.date(),
        in_flight=parts.in_flight,
    )
    compared = compare(pairs, held, parts.flow.totals)
    return Statement(
        integration=parts.integration,
        administration=parts.administration,
        flow=FLOW,
        start=start,
        end=end,
        sides=SIDES,
        files=len(found.readable),
        requests=parts.asperion.client.stats.requests,
        counts=compared.counts,
        rates=compared.rates,
        differences=(*found.differences, *compared.differences),
        notes=tuple(compared.notes),
    )


async def _files(parts: Reconciling, start: dt.datetime, end: dt.datetime) -> _Files:
    """Find the files of an interval: in the archive, by the ledger, and those that wait in the inbox."""
    result = _Files()
    archived = await parts.dropbox.archived_files(start, end)
    known = await _run(parts, reconciling.at_paths, parts.place, [file.path for file in archived])
    result.readable = [(file, known.get(file.path)) for file in archived]
    met = {claim.id for claim in known.values()}
    for claim in await _run(parts, reconciling.files_of, parts.place, start, end):
        if claim.id in met:
            continue
        remote = await parts.dropbox.look_at(claim.path)
        if remote is not None:
            result.readable.append((remote, claim))
        else:
            name: Name = "file_waiting" if claim.state in AT_WORK else "file_gone"
            note = f"{claim.documents} documents" if claim.documents is not None else ""
            result.differences.append(Difference(name=name, file=claim.seen.name, note=note))
    waiting, _ = await parts.dropbox.complete_files()
    result.differences += [
        Difference(name="file_waiting", file=file.name) for file in waiting if start <= file.modified < end
    ]
    return result


async def _read(
    parts: Reconciling,
    reader: FileFacts,
    remote: RemoteFile,
    claim: FileClaim | None,
    differences: list[Difference],
) -> list[Pair]:
    """Read one file on both sides; a file that is gone meanwhile or changed is a difference itself."""
    name = claim.seen.name if claim is not None else original_name(remote.name)
    try:
        async with parts.dropbox.open(remote) as stream:
            documents, sha256 = await asyncio.to_thread(reader.read, stream, name)
    except FileNotFoundError:
        differences.append(Difference(name="file_gone", file=name))
        return []
    if claim is None:
        return pairs_of(documents, [])
    if claim.sha256 is not None and sha256 != claim.sha256:
        differences.append(Difference(name="file_changed", file=name))
    told = await asyncio.to_thread(
        in_ledger,
        parts.ledger,
        parts.administration,
        claim,
        documents,
        kind=parts.flow.kind or "sales_order",
    )
    pairs = pairs_of(documents, told)
    return [_at_work(pair) for pair in pairs] if claim.state in AT_WORK else pairs


def _at_work(pair: Pair) -> Pair:
    """Return a document of a file that a run is not done with: what the ledger does not know yet is open."""
    if pair.ledger is not None or pair.file is None:
        return pair
    file = pair.file
    return replace(pair, ledger=InLedger(file.kind, file.key, file.file, file.position, "open"))


async def _vat_rates(asperion: Asperion) -> dict[str, Decimal]:
    """Return the percentages of the VAT codes of sales; none where the API does not offer them."""
    try:
        codes = await asperion.vat_codes()
    except (NotFound, Forbidden):
        return {}
    return {
        str(code.id): code.percentage
        for code in codes
        if code.sales is not False and code.percentage is not None
    }


async def _run(parts: Reconciling, operation, *arguments):  # type: ignore[no-untyped-def]
    return await asyncio.to_thread(parts.ledger.run, operation, *arguments)
