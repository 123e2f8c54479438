"""A plan to SAP: which fields travel and why, the same that publishing writes, and nothing written."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.flows.to_sap.plan import in_words, plan
from airflow_provider_asperion.ledger import Ledger, snapshots
from airflow_provider_asperion.mapping.to_sap import SapMapping
from tests.support.outgoing import ADMINISTRATION, FLOW, NOON, Press, a_batch, a_flow, a_product

pytestmark = pytest.mark.feature("X3")
LATER = NOON + dt.timedelta(minutes=5)


@pytest.fixture
def press(tmp_path):
    return Press(f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
def planned(press):
    async def planned(*records, **options):
        async with press.parts(a_batch(extraction="plan"), **options) as parts:
            return plan(records, parts)

    return planned


def why(entry):
    return {one.field: one.why for one in entry.fields}


def then(entry):
    return {one.field: one.then for one in entry.fields}


@pytest.mark.feature("P1", "P2")
async def test_a_create_holds_all_fields_and_when_each_travels_again(planned):
    (entry,) = await planned(a_product(long_description="Of steel"))
    assert (entry.record, entry.mapping, entry.action) == ("A-1", "products_csv", "create")
    assert set(why(entry).values()) == {"new"}
    assert {one.field: (one.send, one.then) for one in entry.fields} == {
        "ACTION": ("stamp", "create"),
        "SKU": ("always", "A-1"),
        "TITLE": ("if_changed", "Pen"),
        "LONG_DESCRIPTION": ("create", "Of steel"),
        "PRICE": ("if_changed", "1.00"),
        "UNIT": ("if_changed", "PCE"),
        "CURRENCY": ("if_changed", "EUR"),
    }


@pytest.mark.feature("P1", "P2")
async def test_an_update_says_what_changed_and_what_goes_with_it(press, planned):
    await press.publish([a_product(long_description="Of steel"), a_product("A-2", ean="40063813")])
    first, second, third = await planned(
        a_product(price_net="2.00", long_description="Of gold", at=LATER),
        a_product("A-2", at=LATER),
        a_product("A-3"),
    )
    assert why(first) == {"PRICE": "changed", "ACTION": "stamp", "SKU": "always"}
    assert next(iter(why(first))) == "PRICE", "the reason stands first"
    assert then(first) == {"PRICE": "2.00", "ACTION": "update", "SKU": "A-1"}
    assert (why(second)["EAN"], then(second)["EAN"]) == ("emptied", "/")
    assert third.action == "create"


async def test_nothing_for_what_is_the_same_or_older(press, planned):
    await press.publish([a_product(at=LATER), a_product("A-2")])
    older, same = await planned(a_product(price_net="9.00", at=NOON), a_product("A-2", at=LATER))
    assert (older.action, older.older, older.counted_as) == ("nothing", True, "older")
    assert (same.action, same.older, same.counted_as) == ("nothing", False, "none")
    assert older.fields == same.fields == ()


async def test_full_sends_what_did_not_change_and_says_so(press, planned):
    await press.publish([a_product()])
    (entry,) = await planned(a_product(at=LATER), full=True)
    assert entry.action == "update"
    assert why(entry)["TITLE"] == "unchanged"
    assert in_words(entry).startswith("update: asked for, nothing changed; with it ACTION, SKU, TITLE")


async def test_what_is_gone_is_a_deletion_by_its_flag(press, planned):
    await press.publish([a_product()])
    (entry,) = await planned(a_product(gone=True, at=LATER))
    assert (entry.action, then(entry)["ACTION"]) == ("delete", "delete")
    assert "changed" in why(entry).values() or "emptied" in why(entry).values()


async def test_what_cannot_be_written_is_refused_as_in_publishing(press, planned):
    flow = a_flow(writing={"format": "csv", "csv": {"encoding": "iso-8859-1"}})
    records = [a_product(), a_product("A-2", title="Кофе")]
    good, bad = await planned(*records, flow=flow)
    assert (good.action, bad.action, bad.fields) == ("create", "refuse", ())
    (problem,) = bad.problems
    assert (problem.record, problem.flow) == ("A-2", "products_to_sap")
    assert (await press.publish(records, flow=flow)).counts == {"create": 1, "refused": 1}
    assert press.problems == [problem]


@pytest.mark.feature("X6")
async def test_of_an_idoc_a_segment_of_stamps_alone_does_not_travel(press, planned):
    options = {
        "mapping": SapMapping.load("products_matmas05"),
        "flow": a_flow(writing={"format": "idoc_xml"}),
    }
    (entry,) = await planned(a_product(long_description=None), **options)
    assert not [name for name in why(entry) if "E1MTXHM" in name]
    (entry,) = await planned(a_product(long_description="Of steel"), **options)
    assert then(entry)["E1MARAM.E1MTXHM.TDID"] == "GRUN"
    assert then(entry)["E1MARAM.E1MTXHM.E1MTXLM[*].TDLINE"] == "Of steel"


async def test_a_mapping_without_an_answer_for_an_action_refuses_the_record_alone(press, planned):
    rows = {"KIND": {"value": "'C' if action == 'create'", "required": True, "send": "stamp"}}
    options = {"mapping": SapMapping.load("products_csv", rows)}
    await press.publish([a_product(), a_product("A-2")], **options)
    changed, fresh = await planned(a_product(price_net="2.00", at=LATER), a_product("A-3"), **options)
    assert (changed.action, fresh.action) == ("refuse", "create")


async def test_nothing_is_written(press, planned):
    await press.publish([a_product()])

    def held():
        ledger = Ledger.open(press.url)
        try:
            return ledger.run(snapshots.look_up, ADMINISTRATION, FLOW, ["A-1", "A-2"])
        finally:
            ledger.close()

    before = held()
    await planned(a_product(price_net="2.00", at=LATER), a_product("A-2"))
    assert held() == before
    assert len(press.folder.rows()) == 1
    assert press.problems == []


async def test_no_value_is_in_words_nor_in_what_may_be_logged(planned):
    (entry,) = await planned(a_product(title="Geheim"))
    assert "Geheim" in entry.model_dump_json()
    assert "Geheim" not in repr(entry) + in_words(entry) + entry.masked().model_dump_json()
    assert then(entry.masked())["TITLE"] == "Aaaaaa"


TEXTS = st.sampled_from(["a", "b", None])
PRODUCT = st.fixed_dictionaries(
    {"title": TEXTS, "long_description": TEXTS, "ean": st.sampled_from([None, "40063813"])}
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(PRODUCT, min_size=2, max_size=2), min_size=1, max_size=4))
async def test_what_is_planned_is_what_is_published(tmp_path_factory, runs):
    """Whatever came before: the plan's fields are those of the rows that SAP finds next."""
    press = Press(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}")
    for number, products in enumerate(runs):
        at = NOON + dt.timedelta(minutes=number)
        records = [a_product(f"A-{place}", at=at, **values) for place, values in enumerate(products)]
        async with press.parts(a_batch(extraction="plan")) as parts:
            expected = plan(records, parts)
        before = len(press.folder.rows())
        published = await press.publish(records, batch=a_batch(extraction=f"run{number}"))
        counts = {name: 0 for name in published.counts}
        for entry in expected:
            counts[entry.counted_as] += 1
        assert counts == published.counts
        rows = {row["SKU"]: row for row in press.folder.rows()[before:]}
        assert {entry.record: then(entry) for entry in expected if entry.fields} == {
            key: {name: text for name, text in row.items() if text} for key, row in rows.items()
        }
