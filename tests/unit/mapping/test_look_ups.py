"""Look-up tables: default, force, and what an unmapped value does (O11)."""

import pytest
from pydantic import ValidationError

from airflow_provider_asperion.mapping import LookUp
from airflow_provider_asperion.records import ProblemError

pytestmark = pytest.mark.feature("O11")


@pytest.mark.parametrize(
    ("table", "value", "found"),
    [
        (LookUp(table={"A": "1"}), " A ", "1"),
        (LookUp(table={" A ": "1"}), "A", "1"),
        (LookUp(table={"A": "1"}, ignore_case=True), "a", "1"),
        (LookUp(table={"A": "1"}, default="9"), None, "9"),
        (LookUp(table={"A": "1"}, default="9"), "  ", "9"),
        (LookUp(table={"A": "1"}), None, None),
        (LookUp(table={"A": "1"}, default="9", unmapped="default"), "B", "9"),
        (LookUp(table={"A": "1"}, unmapped="default"), "B", None),
        (LookUp(table={"A": "1"}, unmapped="keep"), "B", "B"),
        (LookUp(table={"A": "1"}, default="9", force=True), "A", "9"),
    ],
)
def test_find(table, value, found):
    assert table.find(value, name="x") == found


@pytest.mark.parametrize("table", [LookUp(table={"A": "1"}), LookUp(table={"A": "1"}, default="9")])
def test_an_unmapped_value_is_refused_unless_set_otherwise(table):
    with pytest.raises(ProblemError) as error:
        table.find("a", name="vat_code")
    assert "'a'" in error.value.problem.message
    assert "vat_code" in error.value.problem.remedy


@pytest.mark.parametrize("personal", ["jan@example.com", "Jan Jansen", "x" * 31])
def test_what_is_no_code_is_not_shown(personal):
    with pytest.raises(ProblemError) as error:
        LookUp().find(personal, name="x")
    assert personal not in str(error.value)
    assert error.value.problem.shape


def test_force_needs_a_default():
    with pytest.raises(ValidationError, match="force"):
        LookUp(force=True)


@pytest.mark.parametrize("table", [{24: "x"}, {"x": 24}, {False: "x"}])
def test_codes_that_yaml_took_for_something_else_are_refused_with_the_way_to_write_them(table):
    with pytest.raises(ValidationError, match="put quotes around"):
        LookUp(table=table)
