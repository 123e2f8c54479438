"""Control totals: a document that does not add up is held."""

import pytest

from airflow_provider_asperion.sap.control import check_control_totals
from tests.support.sap_documents import xml

pytestmark = pytest.mark.feature("X6")

INVOICE = {"kind": "INVOIC", "basic": "INVOIC02", "root": "INVOIC02"}


@pytest.fixture
def problems(read, order):
    """Return a function that gives the rules broken by an order with other items and sums."""

    def check(sums, nets=("10.00", "2.50"), change=lambda tree: None, **options):
        tree = order("PO-1", nets)
        tree["E1EDS01"] = [{"SUMID": kind, "SUMME": amount} for kind, amount in sums.items()]
        change(tree)
        (document,) = read(xml([tree], **options), check_totals=False)
        return [problem.rule for problem in check_control_totals(document)]

    return check


@pytest.mark.parametrize(
    ("sums", "rules"),
    [
        ({}, []),
        ({"001": "2", "002": "12.50"}, []),
        ({"001": "2.000", "002": "12.5"}, []),
        ({"001": "3"}, ["totals.items"]),
        ({"002": "12.51"}, ["totals.net"]),
        ({"001": "1", "002": "1"}, ["totals.items", "totals.net"]),
        ({"010": "99", "011": "1"}, []),
        ({"002": "twelve"}, ["totals.no_number"]),
    ],
)
def test_orders(problems, sums, rules):
    assert problems(sums) == rules


@pytest.mark.parametrize(
    ("sums", "rules"),
    [
        ({"001": "2", "010": "12.50", "005": "2.63", "011": "15.13"}, []),
        ({"010": "12.50-"}, []),
        ({"010": "12.51"}, ["totals.net"]),
        ({"010": "12.50", "005": "2.63", "011": "15.12"}, ["totals.gross"]),
        ({"002": "99"}, []),
    ],
)
def test_invoices(problems, sums, rules):
    assert problems(sums, **INVOICE) == rules


def test_rejected_items_may_or_may_not_be_counted(problems):
    def reject(tree):
        tree["E1EDP01"][1]["ABGRU"] = "01"

    assert problems({"001": "2", "002": "12.50"}, change=reject) == []
    assert problems({"001": "1", "002": "10.00"}, change=reject) == []
    assert problems({"001": "0", "002": "2.50"}, change=reject) == ["totals.items", "totals.net"]


def test_the_value_of_the_item_is_used_where_it_has_no_amounts(problems):
    def move(tree):
        for item in tree["E1EDP01"]:
            item["NETWR"] = item.pop("E1EDP26")[0]["BETRG"]

    assert problems({"002": "12.50"}, change=move) == []
    assert problems({"002": "12.51"}, change=move) == ["totals.net"]


def test_without_any_amount_there_is_nothing_to_compare(problems):
    def drop(tree):
        for item in tree["E1EDP01"]:
            del item["E1EDP26"]

    assert problems({"002": "12.51"}, change=drop) == []


def test_the_reader_holds_such_a_document_unless_it_is_told_not_to(read, order, rules):
    bad, good = order("PO-1"), order("PO-2")
    bad["E1EDS01"][1]["SUMME"] = "12.51"
    found = read(xml([bad, good]))
    assert rules(found) == ["totals.net", "PO-2"]
    assert (found[0].record, found[0].position, found[0].line) == ("PO-1", 1, 2)
    assert rules(read(xml([bad, good]), check_totals=False)) == ["PO-1", "PO-2"]
