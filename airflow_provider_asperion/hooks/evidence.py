"""The values of a record, read again on demand: from the file in which it came or went, and from Asperion.

Nothing of it is kept. Where the settings keep values for some days, also those as they came and went then.
Who may see it is for the caller to ask.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import BY_NAME, flow_of
from airflow_provider_asperion.ledger import payloads
from airflow_provider_asperion.ledger.payloads import Keeper
from airflow_provider_asperion.records import Problem, ProblemError, SourceDocument
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.transfer import BLOCK, drain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.ledger.payloads import Kept
    from airflow_provider_asperion.ledger.record import RecordView
    from airflow_provider_asperion.sap.dropbox import Dropbox

_SENT_TYPES = ("ORDERS", "INVOIC", "MATMAS", "DEBMAS", "ADRMAS")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a record.

    :param source: what was read: a file and a place in it, or an address of the API.
    :param values: field by its dotted path; empty where it could not be read, and then why.
    """

    source: str
    values: tuple[tuple[str, str], ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides of a record, as they are now; and ``kept``, as they came and were sent, oldest first."""

    sap: Side
    asperion: Side
    kept: tuple[Side, ...] = ()


async def evidence(view: RecordView, integration: str) -> Evidence:
    """Read both sides of a record; a side that cannot be read says why."""
    sap, asperion, kept = await asyncio.gather(
        _side("SAP", lambda: _from_sap(view, integration)),
        _side("Asperion", lambda: _from_asperion(view, integration)),
        asyncio.to_thread(_kept, view),
    )
    return Evidence(sap, asperion, kept)


def _kept(view: RecordView) -> tuple[Side, ...]:
    # Also what was kept before the settings were changed to keep none.
    keeper = Keeper(runtime.cipher(), runtime.settings().retention.payload_days)
    try:
        with runtime.open_ledger() as ledger:
            found = ledger.run(payloads.of_record, view.hit.id, keeper)
    except ProblemError as error:
        return (Side("what was kept", problem=str(error.problem)),)
    return tuple(Side(_when(one, to_sap=view.hit.to_sap), tuple(flat(one.values))) for one in found)


def _when(kept: Kept, *, to_sap: bool) -> str:
    """Say what was kept: which way it went, when, and until when it is kept."""
    came, went = ("Came from Asperion", "Sent to SAP") if to_sap else ("Came from SAP", "Sent to Asperion")
    what = came if kept.direction == "came" else went
    return f"{what}, {kept.at:%Y-%m-%d %H:%M} UTC, kept until {kept.until:%Y-%m-%d}"


async def _side(name: str, read: Callable[[], Awaitable[Side]]) -> Side:
    try:
        return await read()
    except ProblemError as error:
        return Side(name, problem=str(error.problem))
    except AsperionError as error:
        return Side(name, problem=str(to_problem(error)))
    except OSError as error:
        return Side(name, problem=f"it cannot be read now ({type(error).__name__})")


async def _from_sap(view: RecordView, integration: str) -> Side:
    flow = flow_of(view.hit.kind)
    if flow is None:
        return Side("SAP", problem="this kind of record has no file")
    if view.snapshot is not None:
        return await _sent(view, integration, flow.name)
    if not view.sightings:
        return Side("SAP", problem="it stood in no file")
    return await _received(view, integration, flow.name)


async def _received(view: RecordView, integration: str, flow_name: str) -> Side:
    seen = view.sightings[0]
    found = await received_document(integration, flow_name, seen.file.path, seen.position)
    return _shown(f"{seen.file.seen.name}, document {seen.position}", found)


async def received_document(
    integration: str, flow_name: str, path: str, position: int
) -> SourceDocument | Problem | None:
    """Read one document of a file that SAP has sent; None when the file does not hold it any more.

    :param path: where the file lies now.
    :raises ProblemError: the file is gone, or cannot be read.
    """
    settings = runtime.flow(integration, flow_name)
    async with runtime.intake(integration, settings.folder, run="") as (_, dropbox, _):
        remote = await dropbox.look_at(path)
        if remote is None:
            raise ProblemError(
                Problem(
                    rule="file.gone",
                    message="the file is no longer in the archive",
                    remedy="have the sender send it again",
                )
            )
        found = await _document(dropbox, remote, settings.reading, position=position)
    return found if isinstance(found, SourceDocument | Problem) else None


async def _sent(view: RecordView, integration: str, flow_name: str) -> Side:
    snapshot, settings = view.snapshot, runtime.flow(integration, flow_name)
    if snapshot is None or snapshot.file is None:
        return Side("SAP", problem="no file is known")
    if settings.writing.format == "csv":
        return Side(snapshot.file, problem="rows of CSV files have no number to find them by; see the file")
    profile = ReadProfile(message_types=_SENT_TYPES, layouts=settings.writing.layouts)
    async with runtime.outgoing(integration, settings.folder) as dropbox:
        remote = await dropbox.look_at(f"{settings.folder.folder.rstrip('/')}/{snapshot.file}")
        if remote is None:
            return Side(snapshot.file, problem="SAP has fetched the file; it is no longer in the folder")
        found = await _document(dropbox, remote, profile, number=snapshot.number)
    return _shown(f"{snapshot.file}, document {snapshot.number}", found)


async def _document(
    dropbox: Dropbox,
    remote: Any,
    profile: ReadProfile,
    *,
    position: int | None = None,
    number: str | None = None,
) -> Any:
    """Return one document of a file, or its problem; None where it is not there."""

    def search(stream: Any) -> Any:
        with io.BufferedReader(stream, BLOCK) as buffered:
            for one in read_documents(buffered, file=remote.name, profile=profile):
                if position is not None and one.position == position:
                    return one
                if number is not None and not isinstance(one, Problem) and _number_of(one) == number:
                    return one
            drain(buffered)
        return None

    async with dropbox.open(remote) as stream:
        return await asyncio.to_thread(search, stream)


def _number_of(document: Any) -> str:
    control = document.data.get("EDI_DC40", {})
    return str(control.get("DOCNUM", "")) if isinstance(control, dict) else ""


def _shown(source: str, found: Any) -> Side:
    if found is None:
        return Side(source, problem="the file does not hold it any more")
    if isinstance(found, Problem):
        return Side(source, problem=str(found))
    return Side(source, tuple(flat(found.data)))


async def _from_asperion(view: RecordView, integration: str) -> Side:
    with runtime.open_ledger() as ledger:
        vault = runtime.vault(ledger)
        async with runtime.asperion(integration, vault, in_flight=2) as asperion:
            await asperion.client.verify_administration()
            path = await _path(view, asperion)
            if path is None:
                return Side("Asperion", problem="it is not known under which id Asperion has it")
            body = await asperion.client.get(path)
    return Side(path, tuple(flat(body.get("data", body) if isinstance(body, dict) else body)))


async def _path(view: RecordView, asperion: Asperion) -> str | None:
    """Return the address of a record in the API."""
    paths, kind = asperion.names.paths, view.hit.kind.partition("/")[0]
    known = view.document.asperion_id if view.document is not None else None
    if kind in ("sales_order", "sales_invoice"):
        return f"{asperion.names.document_path(kind)}/{known}" if known else None  # type: ignore[arg-type]
    if kind == "debtor":
        return f"{paths.debtors}/{known}" if known else None
    if kind in ("article", BY_NAME["products_to_sap"].name, BY_NAME["stock_to_sap"].name):
        found = await asperion.find_article(view.hit.key)
        return f"{paths.articles}/{found[0].id}" if found else None
    return None


def flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the leaves of a tree, each with its dotted path; places in lists count from 1."""
    if isinstance(value, dict):
        items = [(str(name), inner) for name, inner in value.items()]
    elif isinstance(value, list | tuple):
        items = [(str(place), inner) for place, inner in enumerate(value, start=1)]
    else:
        return [] if value is None else [(path, str(value))]
    return [leaf for name, inner in items for leaf in flat(inner, f"{path}.{name}" if path else name)]
