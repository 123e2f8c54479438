"""Numbers and dates: what is read, and what is refused rather than guessed."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import Undefined

from airflow_provider_asperion.sap.dialect import IDOC, Dialect, parse_date, parse_decimal

pytestmark = pytest.mark.feature("X6")

GERMAN = Dialect(decimal_sign=",", thousands=True)
ENGLISH = Dialect(decimal_sign=".", thousands=True)


@pytest.mark.parametrize(
    ("dialect", "text", "number"),
    [
        (IDOC, "907.20", "907.20"),
        (IDOC, "1440.000", "1440.000"),
        (IDOC, "302.35-", "-302.35"),
        (IDOC, "-302.35", "-302.35"),
        (IDOC, "302.35 -", "-302.35"),
        (IDOC, "- 302.35", "-302.35"),
        (IDOC, " +5 ", "5"),
        (IDOC, ".5", "0.5"),
        (IDOC, "5.", "5"),
        (IDOC, "0.0-", "0.0"),
        (GERMAN, "1.234,56", "1234.56"),
        (GERMAN, "1 234,56", "1234.56"),
        (GERMAN, "1\u00a0234\u00a0567,8", "1234567.8"),
        (GERMAN, "1234,56", "1234.56"),
        (GERMAN, "12,50-", "-12.50"),
        (ENGLISH, "1,234.56", "1234.56"),
        (ENGLISH, "1,234,567", "1234567"),
        (Dialect(decimal_sign=","), "12,5", "12.5"),
    ],
)
def test_numbers(dialect, text, number):
    assert str(dialect.decimal(text)) == number


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (IDOC, "1,5"),
        (IDOC, "1.234,56"),
        (IDOC, "1 234"),
        (IDOC, "-5-"),
        (IDOC, "--5"),
        (IDOC, "1.2.3"),
        (IDOC, "."),
        (IDOC, "-"),
        (IDOC, "1E5"),
        (IDOC, "NaN"),
        (IDOC, "Infinity"),
        (IDOC, "0x10"),
        (IDOC, "1_000"),
        (IDOC, "٣"),
        (IDOC, "²"),
        (IDOC, "1" * 32),
        (GERMAN, "1,234.56"),
        (GERMAN, "1.23,4"),
        (GERMAN, "1.2345"),
        (GERMAN, "1.234 567"),
        (ENGLISH, "1.234,56"),
        (Dialect(decimal_sign=","), "1.234"),
        (IDOC, 1.5),
        (IDOC, True),
        (IDOC, ["1"]),
        (IDOC, {"A": "1"}),
    ],
)
def test_what_is_no_number_is_refused(dialect, text):
    with pytest.raises(ValueError):
        dialect.decimal(text)


@pytest.mark.parametrize("value", [None, "", "   ", "/", Undefined()])
def test_nothing_is_nothing(value):
    assert parse_decimal(value) is None
    assert parse_date(value) is None


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=3), st.booleans())
@example(Decimal("-0.001"), True)
def test_a_number_written_in_any_dialect_reads_back(number, behind):
    number = number or abs(number)  # SAP knows no negative zero
    sign = "-" if number < 0 else ""
    for dialect, text in ((ENGLISH, f"{abs(number):,}"), (IDOC, str(abs(number)))):
        assert dialect.decimal(text + sign if behind else sign + text) == number
    german = f"{abs(number):,}".translate(str.maketrans(",.", ".,"))
    assert GERMAN.decimal(german + sign) == number


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text):
    for dialect in (IDOC, GERMAN, ENGLISH):
        try:
            number = dialect.decimal(text)
        except ValueError:
            continue
        assert number is None or number.is_finite()


def test_numbers_that_are_numbers_already():
    assert (parse_decimal(Decimal("1.50")), parse_decimal(3)) == (Decimal("1.50"), Decimal(3))
    assert parse_date(dt.date(2026, 1, 2)) == dt.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("YYYYMMDD", "20261123"),
        ("YYYY-MM-DD", "2026-11-23"),
        ("DD.MM.YYYY", "23.11.2026"),
        ("MM/DD/YYYY", "11/23/2026"),
        ("DD/MM/YYYY", "23/11/2026"),
        ("DD-MM-YYYY", "23-11-2026"),
    ],
)
def test_dates(form, text):
    assert Dialect(dates=(form,)).date(text) == dt.date(2026, 11, 23)
    assert parse_date(IDOC.date(text, form)) == dt.date(2026, 11, 23)
    assert Dialect(dates=("YYYYMMDD", form)).date(text) == dt.date(2026, 11, 23)


@pytest.mark.parametrize("text", ["00000000", "99991231", "00.00.0000", "31.12.9999", "9999-12-31"])
def test_no_date_and_for_ever_are_no_dates(text):
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text", ["20261332", "20260230", "2026112", "23.11.2026", "today", "٢٠٢٦١١٢٣", "11/23/2026"]
)
def test_what_is_no_date_is_refused_without_its_value(text):
    with pytest.raises(ValueError, match="no date") as caught:
        parse_date(text)
    assert text not in str(caught.value)


def test_day_and_month_that_could_be_exchanged_are_refused_in_the_settings():
    with pytest.raises(ValueError, match="told apart"):
        Dialect(dates=("DD/MM/YYYY", "MM/DD/YYYY"))


def test_a_form_needs_all_three_parts():
    with pytest.raises(ValueError, match="once each"):
        IDOC.date("11/26", "MM/YYYY")
