"""The work of the tasks that bring records to SAP: extract, publish, settle."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_provider_asperion.asperion.moments import Interval
from airflow_provider_asperion.flows.progress import Progress, counts_in_words, many
from airflow_provider_asperion.flows.to_sap.extract import Extractor, records_of
from airflow_provider_asperion.flows.to_sap.plan import in_words, plan
from airflow_provider_asperion.flows.to_sap.prepare import Preparing, ledger_flow
from airflow_provider_asperion.flows.to_sap.publish import Published, Publishing, publish
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import DocumentKey, ledger_session, snapshots, watermarks
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.operators.breaking import Breaker
from airflow_provider_asperion.operators.reading import ProblemLog
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.layouts import load_layouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_asperion.flows.to_sap.extract import Extraction, Source
    from airflow_provider_asperion.flows.to_sap.observed import OutBatch
    from airflow_provider_asperion.flows.to_sap.plan import PlanEntry
    from airflow_provider_asperion.ledger import IdentityHasher, Ledger
    from airflow_provider_asperion.operators.base import Logger
    from airflow_provider_asperion.settings import ToSap
    from airflow_provider_asperion.staging import Staging


# An invoice that arrives as an order would be delivered once more.
_KINDS = {"ORDERS": "sales_order", "INVOIC": "sales_invoice"}


@dataclass(slots=True)
class BatchPublished:
    """What came of a batch, through all mappings of its flow.

    :param batch: extraction and number of the batch.
    :param again: an earlier try had published it, and not every refused record is known.
    """

    batch: tuple[str, int]
    counts: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)
    again: bool = False

    def told(self) -> dict[str, Any]:
        """Return it for an XCom: counts and names of files, nothing personal."""
        told = {"batch": list(self.batch), "counts": dict(self.counts), "files": self.files}
        return told | ({"again": True} if self.again else {})


async def extract(
    flow_name: str,
    flow: ToSap,
    *,
    integration: str,
    run: str,
    interval: tuple[dt.datetime, dt.datetime] | None,
    full: bool,
    log: Logger,
) -> Extraction:
    """Stage what changed in Asperion.

    :param interval: only what changed in it; None: as the settings say.
    :param full: read everything, unless an interval is given.
    :raises ProblemError, AsperionError: it cannot be read; what was staged is left for the next try.
    """
    causes = ProblemLog(log)
    with runtime.open_ledger() as ledger:
        side = ToSapSide(flow_name, flow, integration, ledger, runtime.vault(ledger).identity_hasher())
        extraction = await extract_into(
            runtime.staging(), side, run=run, interval=interval, full=full, on_problem=causes, log=log
        )
        causes.close()
        await asyncio.to_thread(causes.note, ledger, run, f"{run}/extract/")
    counts = counts_in_words(extraction.summary())
    log.info("Asperion's list: %s; %s to publish", counts, many(len(extraction.batches), "batch", "batches"))
    return extraction


@dataclass(frozen=True, slots=True)
class ToSapSide:
    """A flow to SAP with what reading for it needs.

    :param hashed: of this ledger.
    """

    flow_name: str
    flow: ToSap
    integration: str
    ledger: Ledger
    hashed: IdentityHasher

    def changed(
        self, asked: tuple[dt.datetime, dt.datetime] | None, administration: str, *, full: bool
    ) -> Interval | None:
        """Return the interval whose changes to ask for; None: everything."""
        if asked is not None:
            return Interval(*asked)
        if full or self.flow.changes.by == "content":
            return None
        name = watermark_name(self.flow_name, self.integration)
        mark = self.ledger.run(watermarks.get, administration, name)
        if mark is None:
            return None
        return Interval(mark.moment - dt.timedelta(minutes=self.flow.changes.overlap_minutes), None)

    def known(self, administration: str) -> Iterator[str]:
        """Yield the keys of all records that SAP has."""
        for mapping in sap_mappings_of(self.flow):
            name, after = ledger_flow(self.flow_name, mapping.name, self.integration), None
            while known := self.ledger.run(snapshots.keys_of, administration, name, after=after):
                yield from (one.key for one in known if one.action != "delete")
                after = known[-1].key


async def extract_into(
    staging: Staging,
    side: ToSapSide,
    *,
    run: str,
    interval: tuple[dt.datetime, dt.datetime] | None,
    full: bool,
    on_problem: Callable[[Problem], None],
    log: Logger,
    choose: Callable[[Source], Source] = lambda source: source,
) -> Extraction:
    """Read what changed in Asperion into batches.

    :param choose: puts something around the list: which records are wanted.
    :raises ProblemError, AsperionError: it cannot be read; what was staged is left behind.
    """
    began = dt.datetime.now(dt.UTC)
    name = f"{run}@{began:%Y%m%dT%H%M%S.%f}"
    flow, vault = side.flow, runtime.vault(side.ledger)
    async with runtime.asperion(side.integration, vault, in_flight=flow.delivery.in_flight) as asperion:
        await asperion.client.verify_administration()
        administration = str(asperion.client.administration)
        source = choose(source_of(side.flow_name, flow, side.ledger, administration, side.hashed))
        await source.prepare(asperion)
        progress = Progress(log.info, "entries of Asperion's list")
        changed = side.changed(interval, administration, full=full)
        extractor = Extractor(
            source,
            staging,
            flow.delivery,
            name=name,
            folder=f"{runtime.staging_folder(run)}/{hashlib.sha256(name.encode()).hexdigest()[:16]}",
            began_at=began,
            on_problem=on_problem,
            on_entry=lambda refused: progress.step(refused=refused),
        )
        extractor.result.administration = administration
        extractor.result.moves_watermark = interval is None
        extractor.result.whole = changed is None
        extraction = await extractor.extract(
            source.walk(asperion, changed, extractor.unreadable),
            known=side.known(administration) if changed is None else None,
        )
        log.info("Asperion: %s", asperion.client.stats)
    return extraction


async def publish_batch(
    batch: OutBatch,
    flow_name: str,
    flow: ToSap,
    *,
    integration: str,
    run: str,
    owner: str,
    dry_run: bool,
    full: bool,
    log: Logger,
) -> BatchPublished:
    """Publish a batch through each mapping of its flow; or log what that would do.

    :raises ProblemError: the batch, the server or the ledger cannot be used; nothing is half visible.
    """
    records = records_of(runtime.staging(), batch.reference)
    causes = ProblemLog(log)
    log.info("batch %s: %s", batch.number, many(len(records), "record"))
    result = BatchPublished((batch.extraction, batch.number))
    async with AsyncExitStack() as stack:
        ledger = stack.enter_context(runtime.open_ledger())
        who = f"{run}/{batch.number}"
        breaker = Breaker(ledger, integration, flow_name, flow.circuit, run, who, log)
        if not dry_run:
            await asyncio.to_thread(breaker.admit)
        parts: dict[str, Any] = {
            "flow_name": flow_name,
            "flow": flow,
            "ledger": ledger,
            "administration": await runtime.administration_of(integration),
            "batch": batch,
            "hashed": await asyncio.to_thread(runtime.vault(ledger).identity_hasher),
            "full": full,
            "integration": integration,
        }
        if not dry_run:
            session = ledger_session(ledger, owner, run, lease_seconds=runtime.lease_seconds())
            live = await stack.enter_async_context(session)
            dropbox = await stack.enter_async_context(runtime.outgoing(integration, flow.folder))
            parts |= {"live": live, "dropbox": dropbox, "on_problem": causes, "keeper": runtime.keeper()}
        for mapping in sap_mappings_of(flow):
            if dry_run:
                published = _told(plan(records, Preparing(mapping=mapping, **parts)), causes, log)
            else:
                progress = Progress(log.info, f"records by {mapping.name}", len(records))
                parts["on_record"] = progress.step
                published = await publish(records, Publishing(mapping=mapping, **parts))
            log.info(
                "%s: %s%s",
                mapping.name,
                ", ".join(f"{count} {what}" for what, count in sorted(published.counts.items())),
                "".join(f"; {name}" for name in published.files),
            )
            result.counts.update(published.counts)
            result.files += published.files
            result.again |= published.again
        causes.close()
        if not dry_run and not result.again:
            # What an earlier try has published is not mapped again: then what that one met counts.
            await asyncio.to_thread(causes.note, ledger, run, owner)
            await asyncio.to_thread(breaker.count, result.counts)
    return result


def _told(entries: Sequence[PlanEntry], causes: ProblemLog, log: Logger) -> Published:
    """Log a plan: names of fields, no values."""
    for entry in entries:
        if entry.fields:
            log.info("%s: %s", entry.record, in_words(entry))
        for problem in entry.problems:
            causes(problem)
    return Published(Counter(entry.counted_as for entry in entries))


def settle(
    extraction: dict[str, Any] | None,
    extracted: Sequence[dict[str, Any]],
    published: Sequence[dict[str, Any]],
    *,
    flow_name: str,
    run: str,
    dry_run: bool,
    log: Logger,
    integration: str = "default",
) -> dict[str, Any]:
    """Add a run up; move the watermark when all of it was published, and empty its staging.

    :param published: what the publishing tasks returned; of a run that was cleared also those of an earlier
        extraction with more batches: Airflow keeps what tasks returned that are mapped no more.
    :raises ProblemError: a batch was not published.
    """
    wanted = {(batch["extraction"], batch["number"]) for batch in extracted}
    published = [told for told in published if tuple(told["batch"]) in wanted]
    counts: Counter[str] = Counter()
    for told in published:
        counts.update(told["counts"])
    files = [name for told in published for name in told["files"]]
    whole = extraction is not None and len(published) == len(extracted)
    summary = {
        "extracted": extraction["counts"] if extraction else {},
        "counts": dict(counts),
        "files": len(files),
    }
    log.info(
        "%s: %s; %s",
        "dry run, nothing was written" if dry_run else "the run",
        counts_in_words(summary["counts"]),
        many(len(files), "file"),
    )
    if not whole or extraction is None:
        # What is not published keeps its batch, so that clearing the publishing task can go on with it.
        raise ProblemError(_not_whole(len(extracted) - len(published), extraction is None))
    runtime.staging().discard(runtime.staging_folder(run))
    if not dry_run and extraction["moves_watermark"]:
        with runtime.open_ledger() as ledger:
            ledger.run(
                watermarks.move,
                extraction["administration"],
                watermark_name(flow_name, integration),
                dt.datetime.fromisoformat(extraction["began_at"]),
                run,
            )
    return summary


def _not_whole(missing: int, no_extraction: bool) -> Problem:
    return Problem(
        rule="run.unpublished",
        message="nothing was extracted" if no_extraction else f"{missing} batches are not published",
        remedy="see the logs of the tasks before; clear them to go on, or let the next run do it",
    )


def watermark_name(flow_name: str, integration: str) -> str:
    """Return the name under which the ledger keeps how far a flow of an integration has come."""
    return flow_name if integration == "default" else f"{flow_name}@{integration}"


def source_of(
    flow_name: str, flow: Any, ledger: Ledger, administration: str, hasher: IdentityHasher
) -> Source:
    """Return the list of Asperion that a flow reads."""
    from airflow_provider_asperion.flows.to_sap.customers import CustomerSource
    from airflow_provider_asperion.flows.to_sap.orders import OrderSource
    from airflow_provider_asperion.flows.to_sap.products import OF_VAT, ProductSource
    from airflow_provider_asperion.flows.to_sap.stock import StockSource

    if flow_name == ProductSource.flow_name:
        today = dt.datetime.now(ZoneInfo(flow.timezone)).date()
        needs_vat = any(mapping.mentions(*OF_VAT) for mapping in sap_mappings_of(flow))
        return ProductSource(flow, today, needs_vat=needs_vat)
    if flow_name == StockSource.flow_name:
        return StockSource(flow)
    if flow_name == CustomerSource.flow_name:
        return CustomerSource(flow, hasher)

    def came_from_sap(reference: str) -> bool:
        key = DocumentKey(administration, flow.kind, reference)
        known = ledger.look_up([key]).get(key)
        return known is not None and known.state == "done"

    return OrderSource(flow, came_from_sap)


def sap_mappings_of(flow: ToSap) -> list[SapMapping]:
    """Return the mappings of a flow, compiled.

    :raises ProblemError: a mapping is wrong; each problem names the row. Or two have one name.
    """
    mappings = [sap_mapping_of(flow, name) for name in flow.mappings]
    twice = [name for name, count in Counter(one.name for one in mappings).items() if count > 1]
    if twice:
        raise ProblemError(_twice(twice[0]))
    return mappings


def _twice(name: str) -> Problem:
    return Problem(
        rule="mapping.double",
        message=f"two mappings of the flow are called {name}: what SAP got by which could not be told",
        remedy="give one of the files another `mapping:` name",
        field="mappings",
    )


def sap_mapping_of(flow: ToSap, name: str) -> SapMapping:
    """Return one mapping of a flow, compiled.

    :raises ProblemError: it is wrong; each problem names the row.
    """
    choice = flow.mappings[name]
    mapping = SapMapping.load(
        name,
        choice.rows,
        names=choice.names,
        look_ups=flow.look_ups,
        folder=runtime.settings_path().parent,
        lengths=load_layouts(flow.writing.layouts).lengths,
    )
    kind = getattr(flow, "kind", None)
    if kind is not None and _KINDS.get(mapping.message_type, kind) != kind:
        raise ProblemError(_other_kind(mapping, kind))
    return mapping


def _other_kind(mapping: SapMapping, kind: str) -> Problem:
    return Problem(
        rule="mapping.kind",
        message=f"{mapping.name} makes {mapping.message_type}, and the flow sends documents of kind {kind}",
        remedy="orders go out by orders_orders05, invoices by invoices_invoic02, or what extends these",
        field="mappings",
    )
