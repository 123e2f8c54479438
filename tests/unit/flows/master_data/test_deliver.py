"""Decides and writes: what is there already is not written, what was lost is found, one of each."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager

import pytest

from airflow_provider_asperion.asperion.errors import AnswerLost, Rejected
from airflow_provider_asperion.asperion.models import Article, Debtor
from airflow_provider_asperion.flows.creating import Creator
from airflow_provider_asperion.flows.exactly_once import ExactlyOnce, Patience
from airflow_provider_asperion.flows.master_data.customers import DebtorDesk
from airflow_provider_asperion.flows.master_data.deliver import Delivering, plan
from airflow_provider_asperion.flows.master_data.prepare import Said
from airflow_provider_asperion.flows.master_data.products import ArticleMasterDesk
from airflow_provider_asperion.flows.orders_to_asperion.live import load_live_values
from airflow_provider_asperion.ledger import DocumentKey, Ledger, LedgerQueue, ledger_session
from airflow_provider_asperion.records import ArticleMaster, CustomerMaster
from airflow_provider_asperion.settings.master_data import ArticleMasterRules, MasterDebtorRules
from tests.support.fake_asperion import FakeAsperion

pytestmark = pytest.mark.feature("O5", "O7")


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()


def said(record, position=1):
    key = getattr(record, "sku", None) or getattr(record, "number", None) or "?"
    return Said(key=key, file="f.xml", position=position, line=None, record=record, whole=record)


class Shop:
    """Delivers master data to a fake Asperion with a real ledger, as a task would."""

    def __init__(self, folder):
        self.url = f"sqlite:///{folder}/ledger.db"
        self.asperion = FakeAsperion()

    @asynccontextmanager
    async def parts(self, rules, *, make_once=ExactlyOnce):
        ledger = Ledger.open(self.url, create=True, lease_seconds=120)
        try:
            async with ledger_session(ledger, "test", "run") as live, LedgerQueue(ledger) as queue:
                once = make_once(queue, live, Patience(first_wait=0, busy_seconds=1))
                yield Delivering(await self.desk(rules, once), queue, live, "1", in_flight=8)
        finally:
            ledger.close()

    async def desk(self, rules, once):
        live = await load_live_values(self.asperion)
        if isinstance(rules, MasterDebtorRules):
            creator = Creator(once, "1", "debtor", self.asperion.get_debtor)
            return DebtorDesk(self.asperion, rules, live, hashed, creator)
        creator = Creator(once, "1", "article", self.asperion.get_article)
        return ArticleMasterDesk(self.asperion, rules, live, creator)

    async def deliver(self, rules, *records):
        async with self.parts(rules) as parts:
            batch = [said(record, position) for position, record in enumerate(records, 1)]
            return [outcome.state for outcome in await parts.deliver(batch)]

    def events(self, key):
        ledger = Ledger.open(self.url, create=False, lease_seconds=120)
        try:
            return ledger.trail(key)
        finally:
            ledger.close()


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


async def test_two_documents_about_one_article_are_one_change(shop):
    records = (ArticleMaster(sku="N", title="New"), ArticleMaster(sku="N", unit="doos"))
    assert await shop.deliver(ArticleMasterRules(), *records) == ["created", "created"]
    (made,) = [one for one in shop.asperion.articles if one.code == "N"]
    assert (made.description, made.unit) == ("New", "doos")
    assert shop.asperion.calls["create_article"] == 1
    assert await shop.deliver(ArticleMasterRules(), *records) == ["skipped", "skipped"]


async def test_an_answer_that_is_lost_makes_no_second_article(shop):
    shop.asperion.faults["create_article"] = [(AnswerLost("no answer", unclear=True), True)]
    assert await shop.deliver(ArticleMasterRules(), ArticleMaster(sku="N", title="New")) == ["created"]
    assert [one.code for one in shop.asperion.articles].count("N") == 1


async def test_what_asperion_refuses_is_refused_and_its_neighbour_goes_through(shop):
    shop.asperion.faults["create_article"] = [(Rejected("no"), False)]
    records = (ArticleMaster(sku="N", title="New"), ArticleMaster(sku="M", title="More"))
    assert sorted(await shop.deliver(ArticleMasterRules(), *records)) == ["created", "refused"]
    names = [event.name for event in shop.events(DocumentKey("1", "article", "N"))]
    assert "refused" in names


async def test_two_workers_create_an_article_once_and_without_the_hold_twice(shop):
    async def both(make_once):
        rules, record = ArticleMasterRules(), ArticleMaster(sku="N", title="New")

        async def one():
            async with shop.parts(rules, make_once=make_once) as parts:
                await parts.deliver([said(record)])

        await asyncio.gather(one(), one())
        return [article.code for article in shop.asperion.articles].count("N")

    class Careless(ExactlyOnce):
        async def bring_about(self, key, *, effect, find, post, intended_before):
            return await post(), "created"

        async def hold(self, claim, grip=None):
            grip = await super().hold(claim, grip)
            return type(grip)(grip.key, "new", "open", grip.fingerprint)

    class Blind(FakeAsperion):
        """Does not find what was just stored: as an index that lags behind."""

        async def find_article(self, code):
            await self._called("find_article")
            return []

    assert await both(ExactlyOnce) == 1
    shop.asperion, shop.url = Blind(), f"{shop.url}2"
    assert await both(Careless) == 2


async def test_fields_that_asperion_owns_stay(shop):
    shop.asperion.articles = [Article(id=1, code="A", description="Ours", unit="stuk", active=True)]
    rules = ArticleMasterRules(keep=("description",))
    record = ArticleMaster(sku="A", title="Theirs", unit="doos")
    assert await shop.deliver(rules, record) == ["updated"]
    (article,) = shop.asperion.articles
    assert (article.description, article.unit) == ("Ours", "doos")


async def test_nothing_is_created_or_updated_where_the_settings_say_so(shop):
    rules = ArticleMasterRules(create=False, update=False)
    records = (ArticleMaster(sku="N", title="New"), ArticleMaster(sku="A1", title="Changed"))
    assert await shop.deliver(rules, *records) == ["refused", "skipped"]
    assert not shop.asperion.calls["create_article"] + shop.asperion.calls["update_article"]


async def test_a_customer_of_whom_only_a_change_came_is_refused(shop):
    rules = MasterDebtorRules()
    records = (CustomerMaster(number="7", city="Ede"), CustomerMaster(number="8", company="De Molen"))
    assert await shop.deliver(rules, *records) == ["refused", "created"]


async def test_a_house_number_without_its_street_changes_nothing(shop):
    shop.asperion.debtors = [Debtor(id=1, customer_number="7", name="X", address="Kerkstraat 1")]
    assert await shop.deliver(MasterDebtorRules(), CustomerMaster(number="7", house_number="9")) == [
        "skipped"
    ]
    assert await shop.deliver(
        MasterDebtorRules(), CustomerMaster(number="7", street="Plein", house_number="9")
    ) == ["updated"]
    assert shop.asperion.debtors[0].address == "Plein 9"


async def test_a_deleted_customer_is_reported_blocked_or_left_alone(shop):
    gone = CustomerMaster(number="7", deleted=True)
    shop.asperion.debtors = [Debtor(id=1, customer_number="7", name="X")]
    assert await shop.deliver(MasterDebtorRules(), gone) == ["refused"]
    assert await shop.deliver(MasterDebtorRules(deleted="ignore"), gone) == ["skipped"]
    assert await shop.deliver(MasterDebtorRules(deleted="block"), gone) == ["updated"]
    assert shop.asperion.debtors[0].blocked is True
    never = CustomerMaster(number="9", deleted=True)
    assert await shop.deliver(MasterDebtorRules(deleted="block"), never) == ["skipped"]


async def test_a_debtor_that_an_order_created_is_the_same_one(shop):
    rules = MasterDebtorRules(match=("email",))
    shop.asperion.debtors = [Debtor(id=1, customer_number="D1", name="X", email="Jan@Example.com")]
    record = CustomerMaster(number="7", company="De Molen", email="jan@example.com")
    assert await shop.deliver(rules, record) == ["updated"]
    assert [(one.customer_number, one.name) for one in shop.asperion.debtors] == [("D1", "De Molen")]


async def test_the_trail_holds_fields_and_no_values(shop):
    shop.asperion.debtors = [Debtor(id=1, customer_number="7", name="X")]
    await shop.deliver(MasterDebtorRules(), CustomerMaster(number="7", city="Ede", email="jan@example.com"))
    (event,) = shop.events(DocumentKey("1", "debtor", hashed("customer_number|7|")))
    assert (event.name, event.detail["fields"], event.detail["file"]) == ("updated", "city, email", "f.xml")
    assert "Ede" not in str(event.detail)
    assert "jan" not in str(event.detail)


@pytest.mark.feature("X3")
async def test_a_plan_reads_only(shop):
    shop.asperion.articles = [Article(id=1, code="A", description="Old", active=True)]
    desk = await shop.desk(ArticleMasterRules(), None)
    records = [ArticleMaster(sku="A", title="New"), ArticleMaster(sku="N", title="N"), ArticleMaster(sku="X")]
    entries = await plan([said(record) for record in records], desk, in_flight=2)
    assert [entry.action for entry in entries] == ["update", "create", "refuse"]
    assert [(change.field, change.now, change.then) for change in entries[0].changes] == [
        ("description", "Old", "New")
    ]
    assert set(shop.asperion.calls) <= {"find_article"}
