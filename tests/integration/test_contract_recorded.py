"""What the client calls, sends and reads of the sandbox is what the contract declares: neither more nor less.

Bodies are read through dictionaries that note each key that is asked for: a field that somebody adds to the
client past models and names, or one that is declared and never used, fails here.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import aiohttp
import pytest

from airflow_provider_asperion.asperion import Asperion, AsperionClient, Interval, Names, StaticToken
from airflow_provider_asperion.asperion import client as client_module
from airflow_provider_asperion.asperion.contract import calls_of
from airflow_provider_asperion.asperion.contract.ours import DATA, ITEMS
from airflow_provider_asperion.asperion.matching import MatchField
from airflow_provider_asperion.asperion.models import (
    ArticleDraft,
    DebtorDraft,
    Delivery,
    DocumentDraft,
    LineDraft,
)
from airflow_provider_asperion.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.feature("X7")
# What a server or the protocol adds around the fields of a thing.
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
YEAR = Interval(DAY, DAY + dt.timedelta(days=365))
NAMES = Names.model_validate(
    {
        "article": {
            "vat_code": "characteristic5",
            "characteristics": ["characteristic1"],
            "custom": ["eanCode"],
        },
        "habits": {"sales_invoice": {"recent_filter": "Date"}},
        "query": {"order_value": "id", "changed": {"debtors": ["DateAdded"]}},
    }
)


class Noted(dict):
    """An object of an answer that notes which of its keys are asked for."""

    def __init__(self, body: dict[str, Any], way: tuple[str, ...], seen: set[tuple[str, ...]]) -> None:
        super().__init__({name: noted(value, (*way, name), seen) for name, value in body.items()})
        self._way, self._seen = way, seen

    def get(self, name: str, default: Any = None) -> Any:
        self._seen.add((*self._way, name))
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._seen.add((*self._way, name))
        return super().__getitem__(name)


def noted(value: Any, way: tuple[str, ...], seen: set[tuple[str, ...]]) -> Any:
    if isinstance(value, dict):
        return Noted(value, way, seen)
    return [noted(one, (*way, ITEMS), seen) for one in value] if isinstance(value, list) else value


def sent_ways(body: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield (*way, name)
            yield from sent_ways(value, (*way, name))
    elif isinstance(body, list):
        for one in body:
            yield from sent_ways(one, (*way, ITEMS))


class Record:
    """What went over the wire, by call."""

    def __init__(self) -> None:
        self.query: dict[str, set[str]] = defaultdict(set)
        self.sent: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        self.read: dict[str, set[tuple[str, ...]]] = defaultdict(set)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        exchange = client_module.exchange

        async def recorded(session, method, url, *, path, params=None, content=None, **how):
            call = f"{method} {keyless(path)}"
            self.query[call] |= set(params or {})
            if content is not None:
                self.sent[call] |= set(sent_ways(json.loads(content)))
            answer = await exchange(session, method, url, path=path, params=params, content=content, **how)
            return type(answer)(
                answer.status,
                answer.headers,
                noted(answer.body, (), self.read[call]),
                answer.json,
                answer.empty,
            )

        monkeypatch.setattr(client_module, "exchange", recorded)


def keyless(path: str) -> str:
    list_paths = {str(one).lower() for one in NAMES.paths.model_dump().values()}
    if path.rstrip("/").lower() in list_paths:
        return path
    return f"{path.rpartition('/')[0]}/{{id}}"


class Watched(Asperion):
    """Notes which of its methods are used."""

    used: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        Watched.used.add(name)
        return super().__getattribute__(name)


async def everything(asperion: Asperion) -> None:
    """Call all that a flow, a check or a page can call."""
    for read in (
        asperion.administrations, asperion.vat_codes, asperion.payment_conditions, asperion.payment_methods,
        asperion.journals, asperion.debtor_kinds, asperion.sales_types, asperion.ledger_accounts,
    ):  # fmt: skip
        assert await read()
    method = (await asperion.payment_methods())[0].id
    values = dict.fromkeys(DebtorDraft.model_fields, "x")
    values |= {"payment_condition": "30", "payment_method": method, "kind": "B"}
    values |= {"country": "NL", "blocked": False}
    draft = DebtorDraft(**values)
    await asperion.create_debtor(draft, validate_only=True)
    debtor = await asperion.create_debtor(draft)
    for field in get_args(MatchField):
        await asperion.find_debtors(field, "nobody@example.org")
    await asperion.get_debtor(debtor.id)
    await asperion.update_debtor(debtor.id, {**values, "city": "Elders"})
    sales_type = (await asperion.sales_types())[0].id
    article = ArticleDraft(
        code="NEW", description="d", long_description="l", price=Decimal(1), ean="8711700000017", unit="st",
        sales_type=sales_type, vat_code="V21", active=True, characteristics=("c",),
    )  # fmt: skip
    made = await asperion.create_article(article)
    await asperion.update_article(made.id, article.model_copy(update={"description": "other"}))
    await asperion.get_article(made.id)
    await asperion.find_article("NEW")
    for kind in ("sales_order", "sales_invoice"):
        document = DocumentDraft(
            reference=f"R-{kind}", debtor_id=debtor.id, debtor_customer_number=debtor.customer_number,
            date=DAY.date(), delivery_date=DAY.date(), description="d", remarks="r", payment_condition="30",
            payment_method=method, sales_type=sales_type, journal="70", bookyear=2026, bookperiod=1,
            delivery=Delivery(name="n", address="a", postcode="p", city="c", country="NL"),
            lines=(
                LineDraft(
                    article_id=made.id, article_code="NEW", description="d", quantity=Decimal(1),
                    unit="st", price=Decimal(1), discount=Decimal(0), amount=Decimal(1), vat_code="V21",
                    vat_amount=Decimal("0.21"), ledger_account="8010", cost_center="100",
                ),
            ),
        )  # fmt: skip
        await asperion.create_document(kind, document, validate_only=True)
        placed = await asperion.create_document(kind, document)
        await asperion.get_document(kind, placed.id)
        await asperion.find_documents(kind, document.reference)
        assert await asperion.find_details(kind, document.reference)
        assert await asperion.count_documents(kind, since=DAY.date())
        await asperion.get_detail(kind, placed.id)
        for listing in (asperion.documents(kind, YEAR), asperion.recent_documents(kind, DAY.date())):
            async for _ in listing:
                pass
        await detail(asperion, kind, placed.id)
    for listing in (asperion.articles(YEAR), asperion.debtors(YEAR)):
        async for _ in listing:
            pass
    async for _ in asperion.open_order_lines():
        pass


async def detail(asperion: Asperion, kind: Any, key: Any) -> None:
    """Read a document with its lines, as for a list that comes without them."""
    await asperion._detail(kind, {"id": key})


@pytest.fixture
async def record(monkeypatch):
    found = Record()
    found.watch(monkeypatch)
    with Sandbox() as box:
        async with aiohttp.ClientSession() as session:
            client = AsperionClient(
                session, base_url=box.url, administration=1, auth=StaticToken(box.access_token), names=NAMES
            )
            await everything(Watched(client))
    return found


async def test_what_goes_over_the_wire_is_what_is_declared(record):
    methods = {name for name, one in vars(Asperion).items() if callable(one) and not name.startswith("_")}
    assert methods <= Watched.used, "each is called here, so that nothing of it is forgotten"
    declared = {call.name: call for call in calls_of(NAMES)}
    assert set(record.query) == set(declared)
    differing = {}
    for name, call in declared.items():
        sent, sends = record.sent[name], {part.steps for part in call.sends}
        # An update sends all that it has read of the thing, too.
        sent = sent & sends if call.whole else sent
        found = {
            "query": record.query[name] ^ {part.name for part in call.query},
            "sent": sent ^ sends,
            "read": fields(record.read[name], name) ^ fields({part.steps for part in call.reads}, name),
        }
        differing |= {f"{name} {side}": one for side, one in found.items() if one}
    assert differing == {}, "\n".join(f"{name}: {sorted(one)}" for name, one in differing.items())


def fields(ways: set[tuple[str, ...]], call: str) -> set[tuple[str, ...]]:
    """Return the ways without those that only look at what an answer is."""
    if call.startswith(("PUT", "PATCH")):
        return set()
    found = {way for way in ways if way[-1] != ITEMS}
    if "{id}" in call or call.startswith("POST"):
        # Whether it is a list of one, or says who answers.
        found -= {(DATA,), ("_meta",), ("_meta", "administrationId")}
    return found
