"""Publishing: each record once in SAP's folder, whatever dies in between, and whoever publishes beside it."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from lxml import etree

from airflow_provider_asperion.flows.to_sap.publish import publish
from airflow_provider_asperion.ledger import Ledger, outbox, snapshots
from airflow_provider_asperion.ledger.outbox import OutboxKey
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.layouts import load_layouts
from airflow_provider_asperion.settings import LedgerSettings
from tests.support.outgoing import (
    ADMINISTRATION,
    FLOW,
    NOON,
    Countdown,
    Killed,
    Press,
    a_batch,
    a_flow,
    a_product,
)

LATER = NOON + dt.timedelta(minutes=5)
SKUS = ["A-1", "A-2", "A-3"]


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def press(url):
    return Press(url)


def known(url):
    ledger = Ledger.open(url)
    try:
        return ledger.run(snapshots.look_up, ADMINISTRATION, FLOW, SKUS)
    finally:
        ledger.close()


def state_of(press, batch):
    """Return where the ledger says that a batch is; None when it was never begun."""
    ledger = Ledger.open(press.url)
    try:
        found = ledger.run(outbox.find, OutboxKey(ADMINISTRATION, FLOW, batch.extraction, batch.number))
        return None if found is None else found.state
    finally:
        ledger.close()


def sent(press):
    return [(row["SKU"], row["ACTION"]) for row in press.folder.rows()]


@pytest.mark.feature("P1")
async def test_create_then_nothing_then_an_update_of_what_changed(press):
    first = await press.publish([a_product(), a_product("A-2")])
    assert first.counts == {"create": 2}
    again = await press.publish([a_product(), a_product("A-2")], batch=a_batch(extraction="run2"))
    assert (again.counts, again.files) == ({"none": 2}, [])
    changed = a_product(price_net="2.00", at=LATER)
    third = await press.publish([changed, a_product("A-2")], batch=a_batch(extraction="run3"))
    assert third.counts == {"update": 1, "none": 1}
    row = press.folder.rows()[-1]
    assert (row["SKU"], row["ACTION"], row["PRICE"], row["TITLE"]) == ("A-1", "update", "2.00", "")


@pytest.mark.feature("P1", "X4")
async def test_a_cleared_task_that_was_done_does_nothing_and_tells_the_same(press):
    first = await press.publish([a_product()])
    again = await press.publish([a_product()])
    assert again.counts == first.counts
    assert again.files == first.files
    assert sent(press) == [("A-1", "create")]


@pytest.mark.feature("S1")
async def test_an_older_observation_never_overwrites_a_newer_one(press):
    await press.publish([a_product(price_net="2.00", at=LATER)])
    late = await press.publish([a_product(price_net="1.00", at=NOON)], batch=a_batch(extraction="run2"))
    assert late.counts == {"older": 1}
    assert len(press.folder.rows()) == 1


@pytest.mark.feature("X4")
async def test_full_sends_what_did_not_change(press):
    await press.publish([a_product()])
    again = await press.publish([a_product()], batch=a_batch(extraction="run2"), full=True)
    assert again.counts == {"update": 1}


async def test_a_record_that_is_gone_is_flagged_once(press):
    await press.publish([a_product()])
    gone = a_product(gone=True, at=LATER)
    assert (await press.publish([gone], batch=a_batch(extraction="run2"))).counts == {"delete": 1}
    assert (await press.publish([gone], batch=a_batch(extraction="run3"))).counts == {"none": 1}
    assert sent(press) == [("A-1", "create"), ("A-1", "delete")]


@pytest.mark.pain(5)
async def test_a_record_that_cannot_be_written_is_refused_and_the_others_go_through(press):
    flow = a_flow(writing={"format": "csv", "csv": {"encoding": "iso-8859-1"}})
    found = await press.publish([a_product(), a_product("A-2", title="Кофе")], flow=flow)
    assert found.counts == {"create": 1, "refused": 1}
    assert press.problems[0].record == "A-2"
    assert "A-2" not in known(press.url)


async def test_two_records_that_people_know_by_one_name_are_told_apart(press):
    """One of them cannot be written: the other's file is no proof that it went out."""
    flow = a_flow(writing={"format": "csv", "csv": {"encoding": "iso-8859-1"}})
    good, bad = a_product("A-1"), a_product("A-2", title="Кофе").model_copy(update={"shown": "A-1"})
    found = await press.publish([good, bad], flow=flow)
    assert found.counts == {"create": 1, "refused": 1}
    assert set(known(press.url)) == {"A-1"}


async def _tried_until_done(press, records, batch, kill):
    """Publish, be killed, and let Airflow try the same task again; once more, as somebody would clear it."""
    try:
        await press.publish(records, batch=batch, kill=kill)
    except Killed:
        await press.publish(records, batch=batch)
    await press.publish(records, batch=batch)


@pytest.mark.feature("X2")
@pytest.mark.parametrize("greedy", [False, True], ids=["SAP-waits", "SAP-fetches-at-once"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.pain(4)
async def test_killed_at_any_effect_and_tried_again_each_record_is_there_once(tmp_path, after, greedy):
    records = [a_product(sku) for sku in SKUS]
    for at in range(1, 30):
        press = Press(f"sqlite:///{tmp_path / f'{at}.db'}", greedy=greedy)
        kill = Countdown(at, after=after)
        await _tried_until_done(press, records, a_batch(), kill)
        assert sorted(sent(press)) == [(sku, "create") for sku in SKUS], f"killed at effect {at}"
        assert {key: one.action for key, one in known(press.url).items()} == dict.fromkeys(SKUS, "create")
        if not kill.reached:
            break
    else:
        pytest.fail("the run never ended by itself")
    assert at > 5, "hold, plan, upload, uploaded, reveal and published are effects"


@pytest.mark.feature("X2")
@pytest.mark.parametrize("greedy", [False, True], ids=["SAP-waits", "SAP-fetches-at-once"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_any_effect_and_taken_up_by_another_run(tmp_path, after, greedy):
    """Nobody clears the task: the next run, with a batch of its own, brings it to its end."""
    records = [a_product(sku) for sku in SKUS]
    for at in range(1, 30):
        press = Press(f"sqlite:///{tmp_path / f'{at}.db'}", greedy=greedy)
        kill = Countdown(at, after=after)
        try:
            await press.publish(records, kill=kill)
        except Killed:
            await press.publish(records, batch=a_batch(extraction="run2"))
        await press.publish(records, batch=a_batch(extraction="run3"))
        assert sorted(sent(press)) == [(sku, "create") for sku in SKUS], f"killed at effect {at}"
        if not kill.reached:
            break


@pytest.mark.feature("X2")
async def test_the_shortest_lease_of_the_settings_is_long_enough(press):
    shortest = next(
        one.ge for one in LedgerSettings.model_fields["lease_seconds"].metadata if hasattr(one, "ge")
    )
    await press.publish([a_product()], lease=shortest)
    assert len(press.folder.rows()) == 1


async def test_a_server_that_is_slow_to_rename_is_given_up_before_the_lease_is_over(press):
    """Whoever takes the batch over must not meet a rename of this one: the next try ends it."""
    async with press.parts(a_batch(), lease=1.2) as parts:
        quick = parts.dropbox.reveal

        async def slow(name, **more):
            await asyncio.sleep(5)
            await quick(name, **more)

        parts.dropbox.reveal = slow
        with pytest.raises(ProblemError, match=r"sftp\.stalled") as told:
            await publish([a_product()], parts)
    assert told.value.transient
    assert press.folder.rows() == []
    await press.publish([a_product()])
    assert len(press.folder.rows()) == 1


async def test_two_runs_at_once_send_each_record_once(press):
    records = [a_product(sku) for sku in SKUS]
    await asyncio.gather(
        *(press.publish(records, batch=a_batch(extraction=f"run{number}")) for number in range(4))
    )
    assert sorted(sent(press)) == [(sku, "create") for sku in SKUS]


@pytest.mark.feature("X2")
async def test_without_holding_two_runs_would_send_a_record_twice(press, monkeypatch):
    """The protection switched off: the test above goes red."""

    def let_everybody(work, session, key, observations):
        found = snapshots.look_up(work, key.administration, key.flow, [one for one, _ in observations])
        return outbox.Held({one: found.get(one) for one, _ in observations}, set(), [])

    monkeypatch.setattr(outbox, "hold", let_everybody)
    records = [a_product(sku) for sku in SKUS]
    await asyncio.gather(
        *(press.publish(records, batch=a_batch(extraction=f"run{number}")) for number in range(4)),
        return_exceptions=True,
    )
    assert sorted(sent(press)) != [(sku, "create") for sku in SKUS]


@pytest.mark.feature("P2", "X6")
@pytest.mark.parametrize(
    ("writing", "ean", "unit"),
    [({}, "/", None), ({"no_data": "", "untouched": "/"}, None, "/"), ({"no_data": ""}, None, None)],
)
async def test_what_became_empty_and_what_does_not_travel_as_sap_understands_it(press, writing, ean, unit):
    flow = a_flow(mappings={"products_matmas05": {}}, writing={"format": "idoc_xml", **writing})
    idoc = {"flow": flow, "mapping": SapMapping.load("products_matmas05", lengths=load_layouts().lengths)}
    await press.publish([a_product(ean="4006381333931")], **idoc)
    first = [*press.folder.files.values()]
    await press.publish([a_product(at=LATER)], batch=a_batch(extraction="run2"), **idoc)
    (update,) = [etree.fromstring(body) for body in press.folder.files.values() if body not in first]
    assert update.findtext(".//E1MARAM/MSGFN") == "004"
    assert (update.findtext(".//E1MARAM/EAN11"), update.findtext(".//E1MARAM/MEINS")) == (ean, unit)
    assert all(b"<MEINS>PCE</MEINS>" in body for body in first), "a create is whole"


@pytest.mark.feature("W2")
async def test_two_mappings_of_one_message_type_do_not_write_over_each_other(press):
    flow = a_flow(mappings={"products_matmas05": {}}, writing={"format": "idoc_xml"})
    mapping = SapMapping.load("products_matmas05", lengths=load_layouts().lengths)
    await press.publish([a_product()], flow=flow, mapping=mapping)
    other = SapMapping.load("products_matmas05", lengths=load_layouts().lengths)
    other.name = "plant.yaml"
    await press.publish([a_product()], flow=flow, mapping=other)
    assert len(press.folder.files) == 2


@pytest.mark.feature("S1")
@pytest.mark.parametrize(
    ("full", "whole", "scope"), [(True, True, "full"), (True, False, "delta"), (False, True, "delta")]
)
async def test_the_name_of_a_file_can_tell_whether_it_holds_everything(press, full, whole, scope):
    flow = a_flow(folder={"folder": "x", "file_name": "{scope}_{run}_{batch}-{part}{suffix}"})
    batch = a_batch().model_copy(update={"whole": whole})
    await press.publish([a_product()], flow=flow, batch=batch, full=full)
    (name,) = press.folder.files
    assert name.startswith(f"{scope}_")


@pytest.mark.feature("X2")
async def test_a_folder_that_was_changed_while_files_waited_hidden_loses_none(press):
    """In the new folder their temporary files are not found, which else means that SAP has seen them."""
    before = a_flow(folder={"folder": "old"})
    after = a_flow(folder={"folder": "new"})
    for at in range(1, 30):
        kill = Countdown(at)
        with pytest.raises(Killed):
            await press.publish([a_product()], flow=before, kill=kill)
        if state_of(press, a_batch()) == "uploaded":
            break
    assert press.folder.hidden
    for batch in (a_batch(), a_batch(extraction="run2")):
        with pytest.raises(ProblemError, match="lie hidden in old"):
            await press.publish([a_product()], flow=after, batch=batch)
    await press.publish([a_product()], flow=before, batch=a_batch(extraction="run2"))
    assert sent(press) == [("A-1", "create")]
    await press.publish([a_product()], flow=after, batch=a_batch(extraction="run3"))
    assert sent(press) == [("A-1", "create")]


@pytest.mark.feature("W1")
async def test_each_integration_has_an_account_of_its_own(press):
    """Two systems of SAP take one administration: what one has says nothing of the other."""
    await press.publish([a_product()])
    other = a_batch(extraction="run2")
    assert (await press.publish([a_product()], batch=other, integration="plant")).counts == {"create": 1}
    again = a_batch(extraction="run3")
    assert (await press.publish([a_product()], batch=again, integration="plant")).counts == {"none": 1}
