"""JSON whose numbers keep every digit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.exact_json import decode, encode

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=6)
SCALARS = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text() | NUMBERS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_round_trip(value):
    assert decode(encode(value).encode()) == value


@given(NUMBERS)
def test_every_digit_is_written(number):
    assert Decimal(encode(number)) == number
    assert "E" not in encode(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("0.1") + Decimal("0.2"), "0.3"),
        (Decimal("1234567890123456789"), "1234567890123456789"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.10"), "1.10"),
        (Decimal("-0.000001"), "-0.000001"),
    ],
)
def test_numbers_as_they_are_written(number, text):
    assert encode(number) == text


@pytest.mark.parametrize("value", [0.1, {"a": 1.5}, {1: "a"}, b"bytes", {"a", "b"}])
def test_what_has_no_exact_form_is_refused(value):
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1E999999", "1E-999999"])
def test_numbers_that_are_none_are_refused(number):
    with pytest.raises(ValueError, match=r"digits|form"):
        encode(Decimal(number))


@pytest.mark.parametrize(
    "text", ["NaN", "1e999999999999", "{", "\xff", "[" * 200_000, '"\ud800"', "1" * 5000]
)
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        decode(text.encode("utf-8", "surrogatepass") if text != "\xff" else b"\xff")


def test_a_byte_order_mark_is_passed_over():
    assert decode(b"\xef\xbb\xbf{}") == {}


def test_plain_json_agrees():
    value = {"a": ["ü", 1, None, True, {"b": ""}]}
    assert json.loads(encode(value)) == value
