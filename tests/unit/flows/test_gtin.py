"""EAN numbers: checked, dropped or refused, without blanks."""

import pytest

from airflow_provider_asperion.flows.gtin import checked_ean
from airflow_provider_asperion.records import ProblemError

pytestmark = pytest.mark.feature("P5")
WHERE = {"setting": "wrong_ean", "record": "SKU-1", "source": "SAP"}


@pytest.mark.parametrize(
    ("text", "expected"), [(None, None), ("", None), (" ", None), ("40 06381 333931", "4006381333931")]
)
def test_blanks_are_no_part_of_a_number(text, expected):
    assert checked_ean(text, wrong="refuse", **WHERE) == expected


def test_a_wrong_one_is_refused_by_its_form_or_dropped():
    assert checked_ean("4006381333932", wrong="drop", **WHERE) is None
    with pytest.raises(ProblemError) as caught:
        checked_ean("4006381333932", wrong="refuse", **WHERE)
    problem = caught.value.problem
    assert (problem.rule, problem.record, problem.shape) == ("product.ean", "SKU-1", "9999999999999")
    assert "correct it in SAP" in problem.remedy
