"""How a plan to SAP looks: within the terminal, no value where none may be, problems by cause."""

from __future__ import annotations

import datetime as dt
import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.definition import moment
from airflow_provider_asperion.cli.plan_table import counted
from airflow_provider_asperion.cli.plan_to_sap import ProblemsByCause, lines_of
from airflow_provider_asperion.flows.to_sap.plan import PlanEntry, PlannedField
from airflow_provider_asperion.records import Problem

pytestmark = pytest.mark.feature("X3")


def a_field(name="MAKTX", then="Pen", send="if_changed", why="changed"):
    return PlannedField(field=name, send=send, why=why, then=then)


def lines(*fields, action="update", width=None, mappings=1, **changes):
    entry = PlanEntry(record="A-1", mapping="products_csv", action=action, fields=fields, **changes)
    return list(lines_of(entry, mappings, width))


def test_a_line_per_field_with_the_reason():
    assert lines(a_field(), a_field("EAN11", "", why="emptied")) == [
        "update  A-1",
        "    MAKTX: changed -> Pen",
        "    EAN11: emptied -> (empty)",
    ]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_a_long_value_stays_on_its_line_of_the_terminal(width):
    (_, line) = lines(a_field(then="x" * 500), width=width)
    assert line.endswith("...")
    assert len(line) == max(width, len("    MAKTX: changed -> ") + 20)
    assert lines(a_field(then="x" * 500))[1].endswith("x" * 500), "into a file it goes whole"


def test_a_text_of_several_lines_stays_one_line():
    assert lines(a_field(then="one\ntwo"))[1] == "    MAKTX: changed -> one\\ntwo"


@pytest.mark.feature("P2")
def test_what_travels_once_is_marked_where_others_travel_again():
    once = a_field("TEXT", send="create", why="new")
    assert lines(once, a_field(why="new"), action="create")[1:] == [
        "    TEXT: new (create only) -> Pen",
        "    MAKTX: new -> Pen",
    ]
    assert lines(once, action="create")[1:] == ["    TEXT: new -> Pen"]


def test_what_does_not_travel_says_why():
    assert lines(action="nothing") == ["nothing A-1 (unchanged)"]
    assert lines(action="nothing", older=True) == ["nothing A-1 (SAP has something newer)"]
    assert lines(action="refuse", mappings=2) == ["refuse  A-1 (products_csv) (see below)"]


def test_like_problems_are_shown_five_times():
    problems = ProblemsByCause()
    assert list(problems.lines()) == []
    for number in range(1_007):
        problems(Problem(rule="b.x", message="wrong", remedy="mend", record=str(number)))
    problems(Problem(rule="a.x", message="wrong", remedy="mend"))
    said = list(problems.lines())
    assert said[:2] == ["problems: 1 a.x, 1,007 b.x", "    [a.x] wrong -> mend"]
    assert said[-1] == "    [b.x] and 1,002 more like these"
    assert len(said) == 8


def test_a_moment_without_a_zone_is_utc():
    assert moment("2026-11-23") == dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    assert moment("2026-11-23T08:00+01:00") == dt.datetime(2026, 11, 23, 7, tzinfo=dt.UTC)
    with pytest.raises(ValueError, match="yesterday"):
        moment("yesterday")


def test_one_order_and_two_orders():
    assert [counted(number, "order") for number in (0, 1, 2, 10_000)] == [
        "0 orders",
        "1 order",
        "2 orders",
        "10,000 orders",
    ]
