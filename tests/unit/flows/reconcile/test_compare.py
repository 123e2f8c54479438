"""The rules: a world that ties has no difference; any single fault is named, and nothing else is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.flows.reconcile.amounts import Amounts, split, total
from airflow_provider_asperion.flows.reconcile.compare import compare, pairs_of
from airflow_provider_asperion.flows.reconcile.facts import InAsperion, InFile, InLedger
from airflow_provider_asperion.settings import TotalRules

pytestmark = pytest.mark.feature("X5")
RULES = TotalRules()
NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
RATES = (Decimal(0), Decimal(9), Decimal(21))
CENT = Decimal("0.01")
STATES = ("done", "done", "done", "refused", "filtered", "repeated", "other_content")
LINES = st.lists(
    st.tuples(st.sampled_from(RATES), st.integers(1, 10**6).map(lambda cents: Decimal(cents) / 100)),
    min_size=1,
    max_size=5,
).map(tuple)
KINDS = st.sampled_from(["sales_order", "sales_invoice"])
DOCUMENTS = st.lists(st.tuples(st.sampled_from(STATES), LINES, KINDS, st.booleans()), min_size=1, max_size=12)


class World:
    """Three sides that tie."""

    def __init__(self, documents, *, include_vat=False, stated=True):
        self.file, self.ledger, self.held = [], [], {}
        for place, (state, lines, kind, keyed) in enumerate(documents, start=1):
            self._add(place, state, lines, kind, keyed=keyed, include_vat=include_vat, stated=stated)

    def _add(self, place, state, lines, kind, *, keyed, include_vat, stated):
        key = str(4710 + place)
        amount = sum(amount for _, amount in lines)
        verdict = {"refused": "refused", "filtered": "filtered", "repeated": "repeated"}.get(state, "order")
        nameless = state == "repeated" or (state == "refused" and not keyed)
        parts = lines if stated else tuple((None, amount) for _, amount in lines)
        self.file.append(
            InFile(
                kind,
                None if nameless and state == "refused" else key,
                "orders.xml",
                place,
                verdict,
                fingerprint=f"content {place}",
                currency="EUR",
                include_vat=include_vat,
                parts=parts if verdict == "order" else (),
                lines=len(lines),
                amount=amount if verdict == "order" else None,
            )
        )
        self.ledger.append(
            InLedger(
                "source_document" if nameless else kind,
                None if nameless else key,
                "orders.xml",
                place,
                state,
                fingerprint=f"content {place}" if state == "done" else "",
                asperion_id=f"id {place}" if state == "done" else None,
                amount=amount if state == "done" else None,
                ended_at=NOON,
            )
        )
        if state == "done":
            adds_up = total(split(lines, include_vat=include_vat, rounding="rate", half="up").values())
            one = InAsperion(
                kind,
                key,
                f"id {place}",
                adds_up,
                lines,
                currency="EUR",
                include_vat=include_vat,
                lines=len(lines),
                changed_at=NOON,
            )
            self.held[kind, key] = [one]

    def compared(self, rules=RULES):
        return compare(pairs_of(self.file, self.ledger), self.held, rules)

    def named(self):
        return [(one.name, one.key) for one in self.compared().differences]

    def delivered(self):
        return [number for number, one in enumerate(self.ledger) if one.state == "done"]


@given(DOCUMENTS, st.booleans(), st.booleans())
def test_a_world_that_ties_has_no_difference_and_its_sums_are_those_of_its_parts(documents, include, stated):
    world = World(documents, include_vat=include, stated=stated)
    found = world.compared()
    assert found.differences == []
    assert sum(row.cells[0].count for row in found.counts) == len(world.file)
    assert sum(row.cells[1].count for row in found.counts) == len(world.ledger)
    assert sum(row.cells[2].count for row in found.counts) == len(world.held)
    adds_up = total(one.whole for (one,) in world.held.values())
    for side in (0, 1):
        assert total(row.sides[side] for row in found.rates) == adds_up
    done = [row for row in found.counts if row.name == "done"]
    assert all(row.cells[0] == row.cells[1] == row.cells[2] for row in done)


def in_asperion(world, number, *changes):
    """Put as many documents there instead of the one as there are changes, each with its own."""
    ledger = world.ledger[number]
    (one,) = world.held[ledger.kind, ledger.key]
    world.held[ledger.kind, ledger.key] = [replace(one, **change(one)) for change in changes]


def whole(*, net=Decimal(0), vat=Decimal(0), gross=Decimal(0)):
    return lambda one: {"whole": one.whole.plus(Amounts(net, vat, gross))}


def not_in_ledger(world, number):
    in_asperion(world, number)
    del world.ledger[number]


def no_end(state):
    def broken(world, number):
        in_asperion(world, number)
        world.ledger[number] = replace(world.ledger[number], state=state, asperion_id=None, amount=None)

    return broken


def in_file(**changes):
    def broken(world, number):
        file = world.file[number]
        world.file[number] = replace(file, **{name: change(file) for name, change in changes.items()})

    return broken


def held(*changes):
    return lambda world, number: in_asperion(world, number, *changes)


def other_rate(one):
    (rate, amount), *rest = one.parts
    return {"parts": ((rate + 1, amount), *rest)}


def line_more(one):
    return {"parts": (*one.parts, (one.parts[0][0], Decimal(0))), "lines": one.lines + 1}


# What is broken, and how that is called.
FAULTS = {
    "missing in Asperion": ("gone", held()),
    "doubled in Asperion": ("twice", held(lambda one: {}, lambda one: {"id": "another"})),
    "another document": ("other_document", held(lambda one: {"id": "another"})),
    "another reference": ("other_document", held(lambda one: {"key": "another"})),
    "a cent of net": ("amount_differs", held(whole(net=CENT, gross=CENT))),
    "a cent of gross": ("vat_differs", held(whole(gross=-CENT))),
    "a cent of VAT": ("vat_differs", held(whole(vat=CENT, gross=CENT))),
    "a line of another rate": ("vat_differs", held(other_rate)),
    "a line more": ("content_differs", held(line_more)),
    "missing in the file": ("only_in_ledger", lambda world, number: world.file.pop(number)),
    "missing in the ledger": ("only_in_file", not_in_ledger),
    "a cent in the file": ("amount_differs", in_file(amount=lambda file: file.amount + CENT)),
    "other content": ("content_differs", in_file(fingerprint=lambda file: "other")),
    "open": ("open", no_end("open")),
    "held": ("held", no_end("held")),
}


@settings(deadline=None)
@pytest.mark.parametrize(("name", "broken"), FAULTS.values(), ids=FAULTS)
@given(DOCUMENTS, st.data())
def test_any_single_fault_is_named_and_is_the_only_one(name, broken, documents, data):
    world = World(documents)
    assume(world.delivered())
    number = data.draw(st.sampled_from(world.delivered()))
    key = world.ledger[number].key
    broken(world, number)
    assert world.named() == [(name, key)]


@pytest.mark.parametrize("stated", [True, False])
def test_a_cent_of_vat_is_seen_without_rates_in_the_file_too(stated):
    world = World([("done", ((Decimal(21), Decimal("34.99")),), "sales_order", True)], stated=stated)
    assert world.named() == []
    (one,) = world.held["sales_order", "4711"]
    more = Amounts(one.whole.net, one.whole.vat + CENT, one.whole.gross + CENT)
    world.held["sales_order", "4711"] = [replace(one, whole=more)]
    assert world.named() == [("vat_differs", "4711")]


def test_a_difference_within_the_tolerance_is_none():
    world = World([("done", ((Decimal(21), Decimal("34.99")),), "sales_order", True)])
    (one,) = world.held["sales_order", "4711"]
    more = Amounts(one.whole.net + CENT, one.whole.vat, one.whole.gross + CENT)
    world.held["sales_order", "4711"] = [replace(one, whole=more)]
    assert world.named() == [("amount_differs", "4711")]
    assert world.compared(TotalRules(tolerance=CENT)).differences == []


def test_what_was_refused_must_not_be_in_asperion():
    world = World([("refused", ((Decimal(21), Decimal(1)),), "sales_order", True)])
    assert world.named() == []
    world.held["sales_order", "4711"] = [InAsperion("sales_order", "4711", "9", Amounts(), (), lines=1)]
    assert world.named() == [("unexpected", "4711")]


def test_a_change_after_the_delivery_is_a_note_and_explains_a_difference():
    world = World([("done", ((Decimal(21), Decimal("34.99")),), "sales_order", True)])
    (one,) = world.held["sales_order", "4711"]
    later = replace(one, changed_at=NOON + dt.timedelta(hours=2))
    world.held["sales_order", "4711"] = [later]
    assert world.named() == []
    assert [one.name for one in world.compared().notes] == ["changed_since"]
    less = replace(later, whole=Amounts(one.whole.net - 1, one.whole.vat, one.whole.gross - 1))
    world.held["sales_order", "4711"] = [less]
    (found,) = world.compared().differences
    assert (found.name, found.by) == ("amount_differs", Decimal(-1))
    assert "changed in Asperion on 2026-11-25 14:00 UTC" in found.note
    assert world.compared().notes == []


def test_currencies_are_never_added_up():
    world = World([("done", ((Decimal(0), Decimal(1)),), "sales_order", True)] * 2)
    world.file[1] = replace(world.file[1], currency="USD")
    world.held["sales_order", "4712"] = [replace(world.held["sales_order", "4712"][0], currency="USD")]
    found = world.compared()
    assert [(row.currency, row.sides[0].net) for row in found.rates] == [("EUR", 1), ("USD", 1)]
    assert [(row.currency, row.cells[0].amount) for row in found.counts] == [("EUR", 1), ("USD", 1)]


@given(DOCUMENTS, st.data())
def test_pairing_loses_nothing(documents, data):
    world = World(documents)
    kept = [one for one in world.file if data.draw(st.booleans())]
    pairs = pairs_of(kept, world.ledger)
    assert sorted(one.position for one in kept) == sorted(p.file.position for p in pairs if p.file)
    places = sorted(pair.ledger.position for pair in pairs if pair.ledger)
    assert places == sorted(one.position for one in world.ledger)
    for pair in pairs:
        if pair.file and pair.ledger and pair.file.key and pair.ledger.key:
            assert pair.file.key == pair.ledger.key
