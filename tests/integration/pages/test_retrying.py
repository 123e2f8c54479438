"""From a page: what a retry would do, a value changed for it, the retry; nothing of it readable at rest."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import patches
from airflow_provider_asperion.ledger.patches import PatchBook, Place
from airflow_provider_asperion.monitoring import data
from tests.support.orders_runner import add_article
from tests.support.pages import client, form, record_id

pytestmark = pytest.mark.feature("X3", "X4", "W4")
RECORD = f"/record/{record_id('4712')}"


def orders(place):
    return {order["reference"] for order in place.sandbox.summary()["orders"]}


def change(who, level, field, value, *, record=RECORD):
    return who.post(f"{record}/patch", data=form(level, field=field, value=value))


def planned(who, level, wanted):
    return who.post("/plan", data=form(level, integration="default", wanted=wanted))


def test_a_plan_shows_what_a_retry_would_do_and_writes_nothing(operator, place):
    before = place.sandbox.summary()
    text = planned(operator, 2, "*").text
    assert "Nothing was written" in text
    assert text.count(">refuse</span>") == 2
    assert "article SKU-99999 does not exist in Asperion" in text
    add_article(place, "SKU-99999")
    text = planned(operator, 2, "4712").text
    assert ">create</span>" in text
    assert "kees.kwik@example.org" in text, "who may trigger sees what would be sent"
    assert place.sandbox.summary()["orders"] == before["orders"]
    assert "There is no such refused record" in planned(operator, 2, "9999").text
    assert planned(client(1), 1, "*").status_code == 403


def test_a_value_is_changed_planned_and_delivered(operator, place, inbox):
    (archived,) = (inbox / "archive").rglob("orders.csv")
    content = archived.read_bytes()
    shown = operator.get(f"{RECORD}/values").text
    assert 'value="lines.1.SKU"' in shown
    answer = change(operator, 2, "lines.1.SKU", "SKU-00003")
    assert answer.status_code == 303, answer.text
    text = operator.get(answer.headers["location"]).text
    assert "The value is changed for the next try" in text
    assert "person-2 changed field lines.1.SKU for the next try" in text
    assert "SKU-00003" not in text
    held = b"".join(path.read_bytes() for path in (place.home / "asperion").rglob("*") if path.is_file())
    assert b"SKU-00003" not in held
    assert ">create</span>" in planned(operator, 2, "4712").text
    assert orders(place) == {"4711"}
    assert place.run("4712") == {"created": 1}
    assert orders(place) == {"4711", "4712"}
    assert archived.read_bytes() == content
    text = operator.get(RECORD).text
    assert 'changed by a person <span class="key">lines.1.SKU</span>' in text
    assert change(operator, 2, "lines.1.SKU", "SKU-1").status_code == 409, "it is delivered"
    assert data.ask(patches.of_document, record_id("4712")) != []
    assert data.ledger().run(patches.expire) == 1, "a delivered record needs none"


def test_a_change_is_no_change_of_the_order_to_the_ledger(operator, place, inbox):
    """The sender may send the same file once more: it holds what was delivered, as far as he knows."""
    change(operator, 2, "lines.1.SKU", "SKU-00003")
    assert place.run("4712") == {"created": 1}
    (archived,) = (inbox / "archive").rglob("orders.csv")
    (inbox / "again.csv").write_bytes(archived.read_bytes())
    assert place.run() == {"skipped": 2, "refused": 1}


@pytest.mark.parametrize("field", ["lines.2.SKU", "lines.1", "nothing.SKU", "lines.x.SKU", "lines..", "."])
def test_a_field_that_is_not_there_cannot_be_changed(operator, field):
    answer = change(operator, 2, field, "x")
    assert answer.status_code == 409
    assert "patch.stale" in answer.text


def test_a_change_that_applies_no_more_is_told_and_can_be_taken_back(operator, place):
    seen = data.ask(data_record, record_id("4712"))
    book = PatchBook(data.ledger(), runtime.cipher())
    book.put(Place(record_id("4712"), *seen), "lines.9.SKU", "x", by="somebody", hours=1)
    add_article(place, "SKU-99999")
    assert place.run("4712") == {"refused": 1}
    assert "lines.9.SKU does not apply" in operator.get("/refused").text
    gone = operator.post(f"{RECORD}/unpatch", data=form(2, field="lines.9.SKU"))
    assert "as in the file again" in operator.get(gone.headers["location"]).text
    again = operator.post(f"{RECORD}/unpatch", data=form(2, field="lines.9.SKU"))
    assert "no change to take back" in operator.get(again.headers["location"]).text
    assert place.run("4712") == {"created": 1}


def data_record(work, record_id):
    from airflow_provider_asperion.ledger.record import record

    seen = record(work, record_id).sightings[0]
    return seen.file.id, seen.position


def test_only_who_may_trigger_changes_values_and_only_of_refused_records(operator, place):
    assert change(client(1), 1, "lines.1.SKU", "x").status_code == 403
    assert client(1).post(f"{RECORD}/unpatch", data=form(1, field="lines.1.SKU")).status_code == 403
    done = f"/record/{record_id('4711')}"
    assert change(operator, 2, "lines.1.SKU", "x", record=done).status_code == 409
    assert change(operator, 2, "", "x").status_code == 422
    assert change(operator, 2, "lines.1.SKU", "x" * 1001).status_code == 409
    assert data.ask(patches.of_document, record_id("4711")) == []
    assert "Change a value" not in operator.get(f"{done}/values").text
