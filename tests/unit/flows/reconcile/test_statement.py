"""Statements: what a task says of one, what is kept of it, and a CSV file that no spreadsheet runs."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.reconcile.amounts import Amounts
from airflow_provider_asperion.flows.reconcile.statement import (
    KEPT,
    WORDS,
    Cell,
    CountRow,
    Difference,
    RateRow,
    Statement,
    problem_of,
)
from airflow_provider_asperion.flows.reconcile.table import FORMULAS, HEADINGS, as_csv

pytestmark = pytest.mark.feature("X5")
DAY = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


def statement(*differences, **more):
    return Statement(
        integration="default",
        administration="1",
        flow="orders_to_asperion",
        start=DAY,
        end=DAY + dt.timedelta(days=1),
        sides=("file", "ledger", "asperion"),
        differences=differences,
        **more,
    )


def rows(found):
    return list(csv.DictReader(io.StringIO("".join(as_csv([found])))))


def test_what_ties_is_no_problem():
    assert problem_of(statement()) is None


def test_the_first_differences_are_named_by_key():
    found = statement(
        Difference(name="gone", key="4711"),
        *(Difference(name="amount_differs", key=str(key), by=Decimal("-0.01")) for key in range(10)),
    )
    problem = problem_of(found)
    assert problem.rule == "reconcile.difference"
    assert problem.message.startswith(
        "11 differences: 4711: no longer in Asperion; 0: amounts differ, by -0.01;"
    )
    assert problem.message.endswith("; and 6 more")
    assert not problem.transient
    assert found.by_name() == {"gone": 1, "amount_differs": 10}


def test_so_many_are_kept_and_the_others_are_counted():
    found = statement(*(Difference(name="gone", key=str(key)) for key in range(KEPT + 3)))
    kept = Statement.model_validate(found.shortened().model_dump(mode="json"))
    assert (len(kept.differences), kept.more, kept.found) == (KEPT, 3, KEPT + 3)


def test_amounts_survive_the_ledger_digit_by_digit():
    found = statement(
        counts=(CountRow(name="done", cells=(Cell(count=1, amount=Decimal("10.10")),) * 3),),
        rates=(
            RateRow(
                kind="sales_order",
                currency="EUR",
                rate=Decimal("5.5"),
                sides=(Amounts(Decimal("0.10"), Decimal("0.01"), Decimal("0.11")), Amounts()),
            ),
        ),
    )
    again = Statement.model_validate(found.model_dump(mode="json"))
    assert again == found
    assert str(again.counts[0].cells[0].amount) == "10.10"
    assert str(again.rates[0].sides[0].net) == "0.10"
    assert again.rates[0].difference == (Decimal("-0.10"), Decimal("-0.01"), Decimal("-0.11"))


def test_every_difference_says_what_to_do():
    for name in Difference.model_fields["name"].annotation.__args__:
        assert all(WORDS[name])


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30))
def test_no_text_is_a_formula_and_none_is_lost(text):
    found = statement(Difference(name="gone", key=text, file=text))
    (row,) = rows(found)
    stripped = found.differences[0].key  # a record has no blanks around it
    expected = f"'{stripped}" if stripped.startswith(FORMULAS) else stripped
    assert (row["record"], row["file"]) == (expected, expected)
    assert not [cell for name, cell in row.items() if cell.startswith(FORMULAS) and name != "difference"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_formulas_are_neutralised(sign):
    (row,) = rows(statement(Difference(name="gone", key="1", note=f"x{sign}", file=f"'{sign}")))
    assert row["record"] == "1"
    text = "".join(
        as_csv([statement(Difference.model_construct(name="gone", key=f"{sign}cmd|' /C calc'!A0"))])
    )
    assert f",'{sign}cmd" in text.replace('"', "")


def test_a_negative_amount_stays_a_number():
    (row,) = rows(statement(Difference(name="amount_differs", key="1", by=Decimal("-0.010"))))
    assert row["difference"] == "-0.010"
    assert tuple(row) == HEADINGS
