"""Create, update or nothing: by the rule of each field and what SAP got last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.to_sap.decide import change_after_failure, change_of, deletion_of

SEND = {
    "SKU": "always",
    "TITLE": "if_changed",
    "TEXT": "create",
    "PRICE": "if_changed",
    "SEEN": "stamp",
    "NOTE": "never",
}
RECORD = {"SKU": "A", "TITLE": "Pen", "TEXT": "long", "PRICE": "1.00", "SEEN": "10:00", "NOTE": "x"}


def plainly(target, text):
    return f"{target}={text}"


def after(record, known=None, *, full=False):
    """Return (change, what SAP has then)."""
    change = change_of(record, known, SEND, plainly, full=full)
    return change, {**(known or {}), **change.hashes}


@pytest.mark.feature("P1")
def test_the_first_time_all_fields_travel_but_those_marked_never():
    change, _ = after(RECORD)
    assert change.action == "create"
    assert change.sent == ("SKU", "TITLE", "TEXT", "PRICE", "SEEN")


@pytest.mark.feature("P1")
def test_the_same_again_is_nothing():
    _, known = after(RECORD)
    assert after(RECORD, known)[0].action is None


@pytest.mark.feature("P2")
def test_an_update_holds_what_changed_and_what_always_goes_with_it():
    _, known = after(RECORD)
    change, known = after({**RECORD, "PRICE": "2.00", "SEEN": "11:00"}, known)
    assert (change.action, change.sent, change.changed) == ("update", ("SKU", "PRICE", "SEEN"), ("PRICE",))
    assert after({**RECORD, "PRICE": "2.00"}, known)[0].action is None


@pytest.mark.feature("P2")
def test_what_was_enriched_in_sap_is_not_overwritten():
    _, known = after(RECORD)
    assert after({**RECORD, "TEXT": "other"}, known)[0].action is None
    assert "TEXT" not in after({**RECORD, "TEXT": "other", "TITLE": "Pencil"}, known)[0].sent


@pytest.mark.parametrize("target", ["SEEN", "NOTE"])
def test_a_stamp_or_a_field_that_is_never_sent_is_no_reason(target):
    _, known = after(RECORD)
    assert after({**RECORD, target: "other"}, known)[0].action is None


def test_a_field_that_became_empty_is_sent_as_such_once():
    _, known = after(RECORD)
    without = {name: text for name, text in RECORD.items() if name != "TITLE"}
    change, known = after(without, known)
    assert (change.sent, change.cleared) == (("SKU", "TITLE", "SEEN"), ("TITLE",))
    assert after(without, known)[0].action is None


def test_a_row_that_was_added_to_the_mapping_counts_where_it_gives_something():
    _, known = after({"SKU": "A", "TITLE": "Pen"})
    del known["PRICE"]
    assert after({"SKU": "A", "TITLE": "Pen"}, known)[0].action is None
    assert after({"SKU": "A", "TITLE": "Pen", "PRICE": "1"}, known)[0].changed == ("PRICE",)


def test_full_sends_what_an_update_may_hold():
    _, known = after(RECORD)
    change, _ = after(RECORD, known, full=True)
    assert (change.action, change.sent, change.changed) == ("update", ("SKU", "TITLE", "PRICE", "SEEN"), ())


def test_a_deletion_holds_the_keys_and_what_says_so_and_goes_once():
    send = {"SKU": "always", "KIND": "if_changed", "GONE": "if_changed"}
    known = {"SKU": "SKU=A", "KIND": "KIND=HAWA"}
    dead, living = {"SKU": "A", "KIND": "HAWA", "GONE": "X"}, {"SKU": "A", "KIND": "HAWA"}
    change = deletion_of(dead, living, known, send, plainly)
    assert (change.action, change.sent) == ("delete", ("SKU", "GONE"))
    assert deletion_of(dead, living, {**known, **change.hashes}, send, plainly).action is None


records = st.dictionaries(st.sampled_from(["TITLE", "TEXT", "PRICE"]), st.sampled_from("abc"))


@pytest.mark.feature("P1")
@given(st.lists(records, min_size=1, max_size=8))
def test_who_takes_the_records_over_ends_with_what_may_be_updated(history):
    """Applying creates and updates in order gives the last record, but for what travels once."""
    known, receiver = None, {}
    for record in ({"SKU": "A", **one} for one in history):
        change, known = after(record, known)
        receiver |= {target: record.get(target) for target in change.sent}
    last = {"SKU": "A", **history[-1]}
    for target in ("SKU", "TITLE", "PRICE"):
        assert receiver.get(target) == last.get(target)
    assert receiver.get("TEXT") == history[0].get("TEXT")


@pytest.mark.feature("P1", "P2")
def test_after_a_create_that_sap_refused_a_correction_is_a_create_again():
    _, has = after(RECORD)
    for again in (RECORD, RECORD | {"SEEN": "11:00"}):
        assert change_after_failure(again, has, SEND, plainly, created=True).action is None, "not for ever"
    for corrected in (RECORD | {"TITLE": "Pencil"}, RECORD | {"TEXT": "other"}):
        change = change_after_failure(corrected, has, SEND, plainly, created=True)
        assert (change.action, change.sent) == ("create", ("SKU", "TITLE", "TEXT", "PRICE", "SEEN"))
    assert change_after_failure(RECORD, has, SEND, plainly, created=True, full=True).action == "create"


@pytest.mark.feature("P1", "P2")
def test_after_an_update_that_sap_refused_a_correction_holds_what_that_one_held():
    _, has = after(RECORD)
    refused, has = after(RECORD | {"TITLE": "Pencil"}, has)
    assert refused.sent == ("SKU", "TITLE", "SEEN")
    assert (
        change_after_failure(RECORD | {"TITLE": "Pencil"}, has, SEND, plainly, created=False).action is None
    )
    corrected = RECORD | {"TITLE": "Pencil", "PRICE": "2.00"}
    change = change_after_failure(corrected, has, SEND, plainly, created=False)
    assert (change.action, change.sent) == ("update", ("SKU", "TITLE", "PRICE", "SEEN"))
    assert change.changed == ("PRICE",)
