"""What SAP answers: which of our documents it posted, and why it did not."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.flows.to_sap.answers import answers_of
from airflow_provider_asperion.records import SourceDocument

pytestmark = pytest.mark.feature("W3")


def answers(kind, data, key="1"):
    document = SourceDocument("x", 1, None, "idoc_xml", kind, "", "1", key, data)
    return list(answers_of(document))


def test_a_posted_document_is_named_by_its_number():
    (found,) = answers("STATUS", {"E1STATS": [{"DOCNUM": "4711", "STATUS": "53"}]})
    assert (found.state, found.number, found.problem) == ("posted", "0000000000004711", None)


@pytest.mark.parametrize("code", ["51", "56", "60", "63", "65", "68"])
def test_a_refused_one_says_where_to_look_and_never_saps_text(code):
    segment = {"DOCNUM": "4711", "STATUS": code, "STATXT": "Jan Jansen", "STAMID": "VP", "STAMNO": "112"}
    (found,) = answers("STATUS", {"E1STATS": [segment]})
    assert found.state == "failed"
    assert "VP 112" in found.problem.message
    assert "Jansen" not in str(found.problem)


@pytest.mark.parametrize("code", ["03", "12", "62", "64", ""])
def test_a_step_on_the_way_says_nothing(code):
    assert answers("STATUS", {"E1STATS": [{"DOCNUM": "4711", "STATUS": code}]}) == []


def test_an_audit_tells_of_many():
    states = [
        {"DOCNUM": "1", "STATUS": "53"},
        {"DOCNUM": "2", "STATUS": "51"},
        {"DOCNUM": "3", "STATUS": "64"},
    ]
    found = answers("ALEAUD", {"E1ADHDR": [{"MESTYP": "MATMAS", "E1STATE": states}]})
    assert [(one.state, one.number[-1]) for one in found] == [("posted", "1"), ("failed", "2")]


def test_an_order_is_confirmed_unless_all_its_items_are_rejected():
    partly = {"E1EDP01": [{"POSEX": "10", "ABGRU": "01"}, {"POSEX": "20"}]}
    wholly = {"E1EDP01": [{"POSEX": "10", "ABGRU": "01"}, {"POSEX": "20", "ACTION": "003"}]}
    assert [one.state for one in answers("ORDRSP", partly, "VO1")] == ["posted"]
    (rejected,) = answers("ORDRSP", wholly, "VO1")
    assert (rejected.state, rejected.key) == ("failed", "VO1")
    assert "003, 01" in rejected.problem.message or "01, 003" in rejected.problem.message
