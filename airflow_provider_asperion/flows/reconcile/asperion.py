"""Reads back what Asperion holds now, by outside reference, with the fewest requests.

Looking references up takes a request for each, paging the list one for each page: what is fewer is done.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import NotFound
from airflow_provider_asperion.asperion.moments import read_moment
from airflow_provider_asperion.flows.orders_to_asperion.decide import MARGIN
from airflow_provider_asperion.flows.reconcile.amounts import ZERO, Amounts, split, total
from airflow_provider_asperion.flows.reconcile.compare import Key, is_wanted
from airflow_provider_asperion.flows.reconcile.facts import InAsperion

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Document, DocumentDetail
    from airflow_provider_asperion.asperion.names import DocumentKind
    from airflow_provider_asperion.flows.reconcile.facts import Pair
    from airflow_provider_asperion.settings import TotalRules


@dataclass(slots=True)
class _Wanted:
    """What is looked for of one kind: keys in the form in which they are compared, each with its key.

    :param ids: by key, under which the ledger knows that Asperion has it.
    """

    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)


async def held_by_asperion(
    asperion: Asperion,
    pairs: Iterable[Pair],
    rules: TotalRules,
    *,
    vat_rates: Mapping[str, Decimal],
    since: dt.date,
    in_flight: int,
) -> dict[Key, list[InAsperion]]:
    """Return Asperion's documents of the pairs, by kind and reference.

    A document that is not found by its reference is looked up once more by the id that the ledger knows: only
    one that is not there either is gone.

    :param since: day from which the list is paged, where the API has a filter for that.
    :raises AsperionError: Asperion does not answer.
    """
    wanted = _wanted(pairs)
    kinds: tuple[DocumentKind, ...] = ("sales_order", "sales_invoice")
    reader = _Reader(asperion, rules, vat_rates, asyncio.Semaphore(in_flight))
    held: dict[Key, list[InAsperion]] = {}
    for kind in kinds:
        if kind in wanted:
            found = await reader.read(kind, wanted[kind], since - MARGIN)
            held |= {(kind, key): documents for key, documents in found.items()}
    return held


def _wanted(pairs: Iterable[Pair]) -> dict[str, _Wanted]:
    found: dict[str, _Wanted] = defaultdict(_Wanted)
    for pair in pairs:
        if pair.key is None or not is_wanted(pair):
            continue
        one = found[pair.kind]
        one.keys[_form(pair.key)] = pair.key
        if pair.ledger is not None and pair.ledger.asperion_id is not None:
            one.ids[pair.key] = pair.ledger.asperion_id
    return found


class _Reader:
    """Reads documents of one administration."""

    def __init__(
        self,
        asperion: Asperion,
        rules: TotalRules,
        vat_rates: Mapping[str, Decimal],
        in_flight: asyncio.Semaphore,
    ) -> None:
        self._asperion = asperion
        self._rules = rules
        self._rates = vat_rates
        self._in_flight = in_flight

    async def read(self, kind: DocumentKind, wanted: _Wanted, since: dt.date) -> dict[str, list[InAsperion]]:
        lookup = self._asperion.names.document_habits(kind).lookup
        found: dict[str, list[DocumentDetail]] = {}
        if lookup == "recent" or (lookup == "filter" and await self._paging_is_less(kind, wanted, since)):
            found = await self._paged(kind, wanted, since)
        elif lookup == "filter":
            found = await self._one_by_one(kind, wanted.keys.values())
        missing = {key: id_ for key, id_ in wanted.ids.items() if not found.get(key)}
        by_id = await asyncio.gather(*(self._by_id(kind, id_) for id_ in missing.values()))
        found |= {key: [one] for key, one in zip(missing, by_id, strict=True) if one is not None}
        return {key: [self._fact(kind, key, one) for one in documents] for key, documents in found.items()}

    async def _paging_is_less(self, kind: DocumentKind, wanted: _Wanted, since: dt.date) -> bool:
        if len(wanted.keys) <= 1:
            return False
        total_count = await self._asperion.count_documents(kind, since=since)
        if total_count is None:
            return False
        return -(-total_count // self._asperion.names.habits.page_size) < len(wanted.keys)

    async def _paged(
        self, kind: DocumentKind, wanted: _Wanted, since: dt.date
    ) -> dict[str, list[DocumentDetail]]:
        def is_one(head: Document) -> bool:
            return _form(head.reference) in wanted.keys

        found: dict[str, list[DocumentDetail]] = defaultdict(list)
        async for detail in self._asperion.documents(kind, since=since, wanted=is_one):
            found[wanted.keys[_form(detail.reference)]].append(detail)
        return found

    async def _one_by_one(self, kind: DocumentKind, keys: Iterable[str]) -> dict[str, list[DocumentDetail]]:
        async def one(key: str) -> tuple[str, list[DocumentDetail]]:
            async with self._in_flight:
                return key, await self._asperion.find_details(kind, key)

        return dict(await asyncio.gather(*map(one, keys)))

    async def _by_id(self, kind: DocumentKind, document_id: str) -> DocumentDetail | None:
        async with self._in_flight:
            try:
                return await self._asperion.get_detail(kind, document_id)
            except NotFound:
                return None

    def _fact(self, kind: DocumentKind, key: str, detail: DocumentDetail) -> InAsperion:
        include = bool(detail.prices_include_vat)
        parts = tuple((self._rates.get(str(line.vat_code)), line.amount or ZERO) for line in detail.lines)
        names = self._asperion.names
        changed = read_moment(detail.date_changed, names.habits.zone)
        return InAsperion(
            kind=kind,
            # One that was found by its id and has lost its reference, as concept invoices may, is the same.
            key=key if _form(detail.reference) in ("", _form(key)) else detail.reference or "",
            id=str(detail.id),
            whole=self._whole(detail, parts, include_vat=include),
            parts=parts,
            currency=detail.currency,
            include_vat=include,
            lines=len(detail.lines) if detail.line_count is not None else None,
            changed_at=None if changed is None else changed.start,
        )

    def _whole(
        self, detail: DocumentDetail, parts: Sequence[tuple[Decimal | None, Decimal]], *, include_vat: bool
    ) -> Amounts:
        """Return what the document says it adds up to, and of what it does not say what its lines give."""
        rules = self._rules
        own = total(split(parts, include_vat=include_vat, rounding=rules.rounding, half=rules.half).values())
        net, vat, gross = detail.net, detail.vat, detail.gross
        if net is None:
            net = own.net if gross is None or vat is None else gross - vat
        if vat is None:
            vat = own.vat if gross is None else gross - net
        return Amounts(net, vat, net + vat if gross is None else gross)


def _form(reference: str | None) -> str:
    """Return a reference in the form in which two are the same, see :func:`.asperion.matching.same_code`."""
    return unicodedata.normalize("NFC", reference or "").strip()
