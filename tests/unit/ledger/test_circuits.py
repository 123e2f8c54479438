"""A flow of which too many records are refused stops, and goes on after a good probe or by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_provider_asperion.ledger import circuits

pytestmark = pytest.mark.feature("W4")
COOL_DOWN = dt.timedelta(minutes=60)
NAME = ("default", "orders_to_asperion")


class Flow:
    def __init__(self, ledger):
        self.ledger = ledger

    def admit(self, who="batch"):
        return self.ledger.run(circuits.admit, *NAME, who, COOL_DOWN)

    def count(self, seen, refused, *, run="dag/1", who="batch", minimum=20, share=0.5):
        counts = {"seen": seen, "refused": refused, "minimum": minimum, "share": share}
        return self.ledger.run(circuits.count, *NAME, run_id=run, who=who, **counts)

    def open(self):
        return [one.flow for one in self.ledger.run(circuits.circuits)]


@pytest.fixture
def flow(ledger):
    return Flow(ledger)


@pytest.fixture
def stopped(flow):
    assert flow.count(40, 40) == "opened"
    return flow


def test_batches_of_a_run_are_added_up_and_those_of_another_are_not(flow):
    assert flow.admit()
    assert flow.count(15, 15) is None, "too few to judge by"
    assert flow.count(15, 15, run="dag/2") is None, "another run begins at nothing"
    assert flow.count(4, 4, run="dag/2") is None
    assert flow.count(1, 1, run="dag/2") == "opened"
    assert flow.open() == ["orders_to_asperion"]


@pytest.mark.parametrize(("refused", "stops"), [(49, False), (50, True), (100, True)])
def test_it_stops_at_the_share_of_the_settings(flow, refused, stops):
    assert (flow.count(100, refused) == "opened") is stops


def test_nothing_begins_until_the_cool_down_is_over_then_one_batch_does(stopped, clock):
    assert not stopped.admit()
    clock.forward(59 * 60)
    assert not stopped.admit()
    clock.forward(60)
    assert stopped.admit("one")
    assert stopped.admit("one"), "a try of the same batch"
    assert not stopped.admit("two")


def test_a_good_probe_closes_it(stopped, clock):
    clock.forward(3600)
    stopped.admit("one")
    assert stopped.count(5, 5, who="two", run="dag/2") is None, "what was in flight says nothing"
    assert stopped.count(5, 2, who="one", run="dag/2") == "closed"
    assert stopped.admit("two")
    assert stopped.open() == []


def test_a_bad_probe_keeps_it_open_for_another_cool_down(stopped, clock):
    clock.forward(3600)
    stopped.admit("one")
    assert stopped.count(1, 1, who="one", run="dag/2") is None, "a probe is judged by itself, however small"
    assert not stopped.admit("two")
    clock.forward(3600)
    assert stopped.admit("two")


def test_a_probe_of_which_nothing_came_to_an_end_says_nothing(stopped, clock):
    clock.forward(3600)
    stopped.admit("one")
    assert stopped.count(0, 0, who="one", run="dag/2") is None
    assert stopped.open()
    assert stopped.admit("two"), "the next one is the probe"


def test_a_probe_that_died_does_not_stop_the_flow_for_ever(stopped, clock):
    clock.forward(3600)
    stopped.admit("one")
    clock.forward(circuits.PROBE_SECONDS - 1)
    assert not stopped.admit("two")
    clock.forward(1)
    assert stopped.admit("two")


def test_it_is_closed_by_hand(stopped):
    assert stopped.ledger.run(circuits.reset, *NAME)
    assert not stopped.ledger.run(circuits.reset, *NAME)
    assert stopped.admit()
    assert stopped.count(10, 10) is None, "it counts from nothing again"
