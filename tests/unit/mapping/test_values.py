"""Functions on values: numbers, dates, keys, countries, e-mail addresses, names, streets."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.mapping import values
from airflow_provider_asperion.mapping.addresses import split_street
from airflow_provider_asperion.mapping.countries import alpha_2
from airflow_provider_asperion.mapping.faults import BadValueError


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=3))
def test_a_number_is_read_with_its_sign_on_either_side(number):
    size = f"{abs(number):f}"
    assert values.decimal(f"{number:f}") == number
    assert values.decimal(f"{size}-") == -abs(number)
    assert values.decimal(f" - {size}") == -abs(number)
    assert values.decimal(f"+{size}") == abs(number)


@pytest.mark.parametrize("text", ["1,5", "1.234,56", "1E5", "--1", "-1-", "abc", "1" * 30, "NaN", "1 2", "."])
def test_what_is_no_number_is_refused_without_showing_it(text):
    with pytest.raises(BadValueError) as error:
        values.decimal(text)
    assert error.value.shape
    assert text not in error.value.reason or len(text) == 1


@pytest.mark.parametrize("nothing", [None, "", "  ", "/"])
def test_nothing_gives_nothing(nothing):
    functions = (values.decimal, values.date, values.strip_zeros, values.country, values.email)
    assert [function(nothing) for function in functions] == [None] * 5
    assert split_street(nothing) == {}


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_a_date_is_read_in_both_forms(day):
    if day == dt.date(9999, 12, 31):
        return
    assert values.date(f"{day:%Y%m%d}") == values.date(day.isoformat()) == day
    assert values.date(f"{day:%m/%d/%Y}", "MM/DD/YYYY") == day


def test_no_date_and_unlimited_are_no_dates():
    assert values.date("00000000") is None
    assert values.date("99991231") is None


@pytest.mark.parametrize(
    ("text", "picture"), [("20261301", None), ("23.11.2026", None), ("23.11.2026", "DD-MM-YYYY")]
)
def test_what_is_no_date_is_refused(text, picture):
    with pytest.raises(BadValueError):
        values.date(text, picture)


def test_a_picture_needs_all_three_parts():
    with pytest.raises(BadValueError, match="YYYY, MM and DD"):
        values.date("2026", "YYYY")


@pytest.mark.parametrize(
    ("key", "bare"),
    [
        ("0001005022", "1005022"),
        ("0000", "0"),
        ("X-RAY 80003-A", "X-RAY 80003-A"),
        ("00A1", "00A1"),
        ("٠١", "٠١"),
    ],
)
def test_leading_zeros_go_only_from_keys_of_digits(key, bare):
    assert values.strip_zeros(key) == bare


@pytest.mark.parametrize(
    ("text", "code"),
    [("nl", "NL"), ("BEL", "BE"), ("UK", "GB"), ("EL", "GR"), ("The Netherlands", "NL"), ("ÖSTERREICH", "AT"),
     ("United  Kingdom", "GB"), ("Allemagne", "DE")],
)  # fmt: skip
def test_countries(text, code):
    assert values.country(text) == code
    assert alpha_2("Atlantis") is None


@pytest.mark.parametrize(
    "text",
    [" jan@example.com ", "mailto:jan@example.com", "Jan <jan@example.com>", "jan@example.com; piet@x.nl"],
)
def test_an_email_address_is_found_in_what_people_write(text):
    assert values.email(text) == "jan@example.com"


@pytest.mark.parametrize(
    "text", ["jan", "jan@", "jan@example", "a b@example.com", "a@b@c.nl", "a@b..nl", "@x.nl"]
)
def test_what_is_no_email_address_is_refused_by_its_shape(text):
    with pytest.raises(BadValueError) as error:
        values.email(text)
    assert "jan" not in str(error.value)


@pytest.mark.parametrize(
    ("title", "person"),
    [("Dhr.", True), ("De heer", True), ("MEVROUW", True), ("Herr Dr.", True), ("Mrs", True),
     ("Firma", False), ("Company", False), (None, False)],
)  # fmt: skip
def test_forms_of_address(title, person):
    assert values.is_person(title) is person


def test_names_and_first_values():
    assert values.concat_names(" A  B ", None, "", "C") == "A B C"
    assert values.concat_names(None, "/") is None
    assert values.first_of(None, "", [], Decimal(0), "x") == 0
    assert values.first_of(None, "") is None


def test_prices_are_rounded_to_ten_decimals_and_keep_no_zeros():
    assert str(values.tidy(Decimal(10) / Decimal(3))) == "3.3333333333"
    assert str(values.tidy(Decimal("100.00"))) == "100"


def test_rounding_is_half_away_from_zero():
    assert [str(values.round_half_up(Decimal(text), 2)) for text in ("1.005", "-1.005", "2")] == [
        "1.01",
        "-1.01",
        "2.00",
    ]


@pytest.mark.feature("O13")
@pytest.mark.parametrize(
    ("line", "street", "number"),
    [
        ("Kerkstraat 12", "Kerkstraat", "12"),
        ("Kerkstraat 12a", "Kerkstraat", "12a"),
        ("Kerkstraat 12 bis", "Kerkstraat", "12 bis"),
        ("Kerkstraat 12-14", "Kerkstraat", "12-14"),
        ("Kerkstraat 12, bus 4", "Kerkstraat", "12, bus 4"),
        ("Kerkstraat nr. 5", "Kerkstraat", "5"),
        ("Plein 1945 12", "Plein 1945", "12"),
        ("2e Hugo de Grootstraat 15-II", "2e Hugo de Grootstraat", "15-II"),
        ("2e Hugo de Grootstraat", "2e Hugo de Grootstraat", None),
        ("1e Helmersstraat 1-hs", "1e Helmersstraat", "1-hs"),
        ("Straße des 17. Juni 135", "Straße des 17. Juni", "135"),
        ("Straße des 17. Juni", "Straße des 17. Juni", None),
        ("Hauptstr. 5 b", "Hauptstr.", "5 b"),
        ("Am Markt 7/9", "Am Markt", "7/9"),
        ("16, Rue de la Loi", "Rue de la Loi", "16"),
        ("12bis Rue Haute", "Rue Haute", "12bis"),
        ("C 4, 12", "C 4", "12"),
        ("Kerkstraat", "Kerkstraat", None),
        ("12", "12", None),
    ],
)
def test_streets(line, street, number):
    assert split_street(line) == {
        name: value for name, value in (("street", street), ("number", number)) if value
    }


def test_a_house_number_of_its_own_leaves_the_street_line_as_it_is():
    assert split_street("Plein 1945", "12") == {"street": "Plein 1945", "number": "12"}


@given(st.text(max_size=300))
def test_splitting_a_street_loses_no_letter_or_digit(line):
    kept = "".join(split_street(line).values())
    assert sorted(filter(str.isdigit, kept)) == sorted(filter(str.isdigit, line))
