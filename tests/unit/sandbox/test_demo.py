"""What the demo tells of SAP's answers, and that it sees when the ledger knows something else."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.sandbox import demo_answers, demo_orders, demo_to_sap
from airflow_provider_asperion.sandbox.demo_answers import Noted, faults_of, table
from airflow_provider_asperion.sandbox.demo_to_sap import Sent
from airflow_provider_asperion.sandbox.sap_answers import Answered
from airflow_provider_asperion.settings import load_settings

pytestmark = pytest.mark.feature("X1", "W3")

SENT = [
    Sent("products", "M.xml", "MATMAS", 3, 0),
    Sent("stock", "stock.csv", "stock", 2, 0),
    Sent("orders", "O.json", "ORDERS", 2, 0),
]
ANSWERED = [
    Answered("1", "VO1", "ORDERS", "53", "accepted"),
    Answered("2", "VO2", "ORDERS", "53", "rejected"),
    Answered("3", "000000000000000099", "MATMAS", "53"),
    Answered("4", "000000000000000100", "MATMAS", "51"),
    Answered("5", "SKU-200", "MATMAS", "51"),
]
WHY = "SAP did not post the document: status 51, message MK 101 -> see the IDoc in SAP"
KNOWN = {
    "1": Noted("posted"),
    "2": Noted("failed", "SAP rejects all items of the order (reason 01) -> see the order in SAP"),
    "3": Noted("posted"),
    "4": Noted("failed", WHY),
    "5": Noted("failed", WHY),
}
SUCCESS = {"state": "success"}


def test_the_settings_of_the_demo_switch_every_leg_on(tmp_path):
    path = tmp_path / "asperion.yaml"
    path.write_text(demo_orders.settings("out/orders") + demo_to_sap.SETTINGS + demo_answers.SETTINGS)
    flows = load_settings(path).integrations["default"].flows
    assert flows.answers_from_sap.enabled
    assert flows.answers_from_sap.folder.inbox == demo_answers.ANSWERS
    # The sender renames complete files into place, and the run begins seconds later: an age would hide them.
    for flow in (flows.orders_to_asperion, flows.answers_from_sap):
        assert flow.folder.minimum_age_seconds == 0


def test_the_table_counts_each_kind_and_names_what_failed_with_its_reason():
    text = table(SENT, ANSWERED, KNOWN)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "products MATMAS 3 1 2 0" in lines
    assert "stock stock 2 0 0 2 rows have no IDoc number that SAP could name" in lines
    assert "orders ORDERS 2 1 1 0" in lines
    material = next(
        place for place, line in enumerate(lines) if line.startswith("MATMAS 100 SKU-200 SAP did")
    )
    rejected = next(place for place, line in enumerate(lines) if line.startswith("ORDERS VO2 SAP rejects"))
    assert material < rejected, "in the order of the flows"
    assert max(map(len, text.splitlines())) <= 132


def test_what_has_no_answer_yet_is_counted_as_such():
    lines = [" ".join(line.split()) for line in table(SENT, ANSWERED, {}).splitlines()]
    assert "products MATMAS 3 0 0 3" in lines


def test_all_as_expected():
    assert faults_of(ANSWERED, KNOWN, SUCCESS) == []


@pytest.mark.parametrize(
    ("known", "fault"),
    [
        (KNOWN | {"2": Noted("posted")}, "ORDERS VO2: SAP says failed, the ledger posted"),
        (KNOWN | {"9": Noted("posted")}, "document 9: SAP said nothing of it"),
        ({key: one for key, one in KNOWN.items() if key != "3"}, "SAP says posted, the ledger nothing"),
    ],
)
def test_a_ledger_that_knows_something_else_is_a_fault(known, fault):
    (found,) = faults_of(ANSWERED, known, SUCCESS)
    assert fault in found


def test_a_run_that_failed_is_a_fault_and_so_is_an_sap_that_refuses_nothing():
    assert faults_of(ANSWERED, KNOWN, {"state": "failed"}) == ["the run of sap_answers ended as failed"]
    (found,) = faults_of(ANSWERED[:1], {"1": KNOWN["1"]}, SUCCESS)
    assert "refused others" in found


def test_many_faults_are_told_in_few_lines():
    answered = [Answered(str(place), f"SKU-{place}", "MATMAS", "53") for place in range(30)]
    found = faults_of([*answered, ANSWERED[3]], {}, SUCCESS)
    assert len(found) == 11
    assert found[-1] == "and 21 more"
