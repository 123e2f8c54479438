"""Extracting: batches that stay few, doubles that do not travel, and what is gone told from refused."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.fernet import Fernet

from airflow_provider_asperion.asperion import Interval, Names
from airflow_provider_asperion.asperion.models import Article, Debtor
from airflow_provider_asperion.flows.to_sap.customers import CustomerSource
from airflow_provider_asperion.flows.to_sap.extract import Extractor, records_of
from airflow_provider_asperion.flows.to_sap.products import ProductSource
from airflow_provider_asperion.flows.to_sap.stock import StockSource
from airflow_provider_asperion.ledger import IdentityHasher
from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.settings import CustomersToSap, ProductsToSap, PublishRules, StockToSap
from airflow_provider_asperion.staging import Staging

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


async def listed(items):
    for item in items:
        yield item


class Room:
    """Extracts as the task would."""

    def __init__(self, folder):
        self.staging = Staging(folder, Fernet(Fernet.generate_key()))
        self.problems = []

    def extractor(self, source, **rules):
        return Extractor(
            source,
            self.staging,
            PublishRules(**rules),
            name="run1",
            folder="run1",
            began_at=NOON,
            on_problem=self.problems.append,
        )

    async def extract(self, source, items, *, known=None, **rules):
        walked = listed(items) if isinstance(items, list) else items
        return await self.extractor(source, **rules).extract(walked, known=known)

    def keys(self, extraction):
        return [
            [record.shown for record in records_of(self.staging, batch.reference)]
            for batch in extraction.batches
        ]


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def articles(count, **values):
    return [Article(id=number, code=f"A-{number}", **values) for number in range(1, count + 1)]


def products(**changes):
    return ProductSource(ProductsToSap(**changes), NOON.date())


def customers(**changes):
    return CustomerSource(CustomersToSap(**changes), IdentityHasher(b"x" * 32))


async def test_batches_hold_what_the_settings_say(room):
    found = await room.extract(products(), articles(5), batch_size=2)
    assert room.keys(found) == [["A-1", "A-2"], ["A-3", "A-4"], ["A-5"]]
    assert (found.seen, found.staged) == (5, 5)


@pytest.mark.feature("W5")
async def test_batches_grow_before_they_become_too_many(room):
    found = await room.extract(products(), articles(3_000), batch_size=1, maximum_batches=64)
    assert len(found.batches) <= 64
    assert [key for batch in room.keys(found) for key in batch] == [f"A-{one}" for one in range(1, 3_001)]


@pytest.mark.feature("P1")
async def test_a_sku_that_is_gone_is_reported_or_flagged(room):
    reported = await room.extract(products(), articles(2), known=["A-1", "A-2", "A-3"])
    assert (reported.gone, room.keys(reported)) == (1, [["A-1", "A-2"]])
    assert [(one.rule, one.record) for one in room.problems] == [("product.gone", "A-3")]
    flagged = await room.extract(products(gone="flag"), articles(2), known=["A-1", "A-2", "A-3"])
    last = records_of(room.staging, flagged.batches[0].reference)[-1]
    assert (last.shown, last.gone, last.values()["active"]) == ("A-3", True, False)


@pytest.mark.feature("P1")
async def test_an_article_that_is_refused_is_not_gone(room):
    wrong = Article(id=2, code="A-2", ean="4006381333930")
    found = await room.extract(products(gone="flag"), [*articles(1), wrong], known=["A-1", "A-2"])
    assert (found.refused, found.gone) == (1, 0)
    assert room.keys(found) == [["A-1"]]
    assert [one.rule for one in room.problems] == ["product.ean"]


async def test_a_value_of_another_form_is_told_with_the_record(room):
    found = await room.extract(products(), [Article(id=1, code="A-1", description="x" * 501), *articles(1)])
    assert (found.refused, found.staged) == (1, 1)
    assert (room.problems[0].record, room.problems[0].field) == ("A-1", "title")


async def test_inactive_articles_are_left_out_where_the_settings_say_so(room):
    found = await room.extract(products(inactive="skip"), articles(3, active=False))
    assert (found.left_out, found.batches) == (3, [])


@pytest.mark.feature("P1")
async def test_an_article_that_turned_inactive_is_reported_where_sap_has_it(room):
    items = [*articles(2), Article(id=3, code="A-3", active=False), Article(id=4, code="A-4", active=False)]
    found = await room.extract(products(inactive="report"), items, known=["A-1", "A-2", "A-3"])
    assert (found.left_out, room.keys(found)) == (2, [["A-1", "A-2"]])
    assert [(one.rule, one.record) for one in room.problems] == [("product.inactive", "A-3")]


def debtor(number, email, **values):
    return Debtor(id=number, customer_number=str(number), name=f"Klant {number}", email=email, **values)


@pytest.mark.feature("C2")
async def test_doubles_travel_not_at_all_and_those_without_identity_are_told(room):
    people = [
        debtor(1, "a@example.nl"),
        debtor(2, " A@EXAMPLE.nl "),
        debtor(3, "b@example.nl"),
        debtor(4, " "),
        debtor(5, "c@example.nl"),
    ]
    found = await room.extract(customers(), people, batch_size=2)
    assert [key for batch in room.keys(found) for key in batch] == ["3", "5"]
    assert sorted(one.rule for one in room.problems) == ["customer.double", "customer.no_identity"]
    told = " ".join(map(str, room.problems))
    assert "1, 2" in told
    assert "example" not in told.casefold()


@pytest.mark.feature("C2")
async def test_the_identity_is_a_setting_and_never_stored_in_clear(room):
    found = await room.extract(
        customers(identity="customer_number"), [debtor(1, "x@example.nl"), debtor(2, "")]
    )
    assert found.staged == 2
    assert all(
        record.key != record.shown and "@" not in record.key
        for record in records_of(room.staging, found.batches[0].reference)
    )


@pytest.mark.feature("C1", "C4")
async def test_company_and_person(room):
    people = [
        debtor(1, "a@example.nl", vat_number="NL1", attention_to="P. Smit", address="Kerkstraat 12-a"),
        debtor(2, "b@example.nl"),
    ]
    found = await room.extract(customers(), people)
    company, person = (record.values() for record in records_of(room.staging, found.batches[0].reference))
    assert (company["company"], company["person"]) == ("Klant 1", "P. Smit")
    assert (company["billing"]["street"], company["billing"]["house_number"]) == ("Kerkstraat", "12-a")
    assert (person.get("company"), person["person"]) == (None, "Klant 2")


class Pages:
    """A list whose entries come in pages, each asked for at a moment of its own."""

    def __init__(self, *pages):
        self._entries = [(at, item) for at, items in pages for item in items]
        self.asked_at = None

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self._entries:
            raise StopAsyncIteration
        self.asked_at, item = self._entries.pop(0)
        return item


@pytest.mark.feature("S1")
async def test_a_record_was_observed_when_its_page_was_asked_for(room):
    later = NOON + dt.timedelta(minutes=5)
    pages = Pages((NOON, articles(1)), (later, [Article(id=2, code="A-2")]))
    extractor = room.extractor(products())
    found = await extractor.extract(pages, known=["A-3"])
    records = records_of(room.staging, found.batches[0].reference)
    assert [record.observed_at for record in records] == [NOON, later]


@pytest.mark.feature("S1", "S3")
async def test_stock_is_no_newer_than_the_reservations_in_it(room):
    """Another run may have read the article earlier, the reservations later: its answer is the newer one."""

    class Asperion:
        names = Names()

        def open_order_lines(self):
            return listed([])

    before = NOON - dt.timedelta(minutes=5)
    source = StockSource(StockToSap(), clock=lambda: before)
    await source.prepare(Asperion())
    found = await room.extractor(source).extract(
        Pages((NOON, [Article(id=1, code="A-1", current_stock=5)])), known=None
    )
    (record,) = records_of(room.staging, found.batches[0].reference)
    assert record.observed_at == before
    assert record.values()["observed_at"] == before


@pytest.mark.feature("P1")
async def test_a_sku_that_several_mappings_sent_is_gone_once(room):
    found = await room.extract(products(gone="flag"), articles(1), known=["A-1", "A-2", "A-1", "A-2"])
    assert (found.gone, room.keys(found)) == (1, [["A-1", "A-2"]])


@pytest.mark.feature("P1")
async def test_an_entry_that_cannot_be_read_leaves_the_others_and_is_not_taken_for_gone(room):
    extractor = room.extractor(products(gone="flag"))

    async def items():
        yield articles(1)[0]
        extractor.unreadable(Problem(rule="asperion.unreadable", message="x", remedy="y", record="2"))

    found = await extractor.extract(items(), known=["A-1", "A-2", "A-3"])
    assert (room.keys(found), found.refused, found.gone) == ([["A-1"]], 1, 0)
    assert [one.rule for one in room.problems] == ["asperion.unreadable", "list.incomplete"]


@pytest.mark.feature("C2")
async def test_where_only_changes_are_read_a_double_that_did_not_change_is_found_all_the_same(room):
    changed = [debtor(1, "a@example.nl"), debtor(3, "b@example.nl")]

    class Asperion:
        def debtors(self, interval, *, on_problem):
            return listed(changed)

        async def find_debtors(self, field, value):
            everybody = [*changed, debtor(2, "A@example.nl")]
            return [one for one in everybody if one.email.casefold() == value.casefold()]

    for interval, sent in ((Interval(NOON, None), ["3"]), (None, ["1", "3"])):
        room.problems.clear()
        source = customers()
        found = await room.extract(source, source.walk(Asperion(), interval, room.problems.append))
        assert [key for batch in room.keys(found) for key in batch] == sent
        assert [one.rule for one in room.problems] == ["customer.double"] * (interval is not None)
