"""The mappings that come with the package: their examples hold, and real files map."""

import pytest

from airflow_provider_asperion.mapping import Mapping, shipped
from airflow_provider_asperion.mapping.targets import targets
from airflow_provider_asperion.records import Order

BILLING_AND_SHIPPING = [
    f"customer.{kind}.{field}"
    for kind in ("billing", "shipping")
    for field in ("street", "house_number", "postcode", "city", "country")
]


@pytest.mark.feature("W2")
@pytest.mark.parametrize("name", shipped())
def test_the_examples_of_a_shipped_mapping_hold(name):
    assert [str(problem) for problem in Mapping.load(name).check()] == []


@pytest.mark.feature("O13")
@pytest.mark.parametrize("name", [name for name in shipped() if Mapping.load(name).record == "order"])
def test_a_shipped_mapping_covers_what_the_mission_asks(name):
    mapped = {row.target for row in Mapping.load(name).describe()}
    assert {*BILLING_AND_SHIPPING, "customer.company", "customer.person"} <= mapped
    assert {"lines.sku", "lines.quantity", "lines.price"} <= mapped
    assert mapped <= set(targets())


@pytest.mark.feature("X6")
def test_the_sample_order_maps_when_given_the_date_that_it_lacks(document, sample):
    content = sample("orders05_flat.txt", "orders05_structure.csv")
    mapping = Mapping.load("orders05", {"date": {"value": "date(E1EDK03.NONE)", "default": "2026-11-23"}})
    mapped = mapping.map(document(content))
    order = Order.model_validate(mapped.values)
    assert mapped.defaults_applied == ("date",)
    assert (order.reference, order.currency) == ("TESTPONUMBER", "USD")
    assert [(line.sku, str(line.quantity), str(line.price)) for line in order.lines] == [
        ("ITEM1", "5", "140.99"),
        ("ITEM2", "5", "165.99"),
        ("ITEM3", "2", "190.55"),
        ("ITEM4", "2", "77.79"),
    ]
    assert order.customer.billing.city == "Dillon"


@pytest.mark.feature("X6", "O9")
def test_the_sample_invoice_maps_with_its_control_totals(document, sample):
    content = sample("invoic02_flat_extension.txt", "invoic02_structure.csv")
    mapped = Mapping.load("invoic02").map(document(content, message_type="INVOIC"))
    order = Order.model_validate(mapped.values)
    assert (order.kind, order.reference, order.customer.number) == ("sales_invoice", "0012345678", "1234567")
    assert [str(line.amount) for line in order.lines] == ["474.37", "306.94"]
    # The file was shortened by its authors: it announces more than it holds.
    assert (order.control.line_count, str(order.control.net)) == (11, "7349.68")


def test_a_credit_note_with_positive_amounts_gets_negative_lines(document):
    content = {
        "E1EDK01": [{"BSART": "CRME", "BELNR": "9"}],
        "E1EDK03": [{"IDDAT": "026", "DATUM": "20261101"}],
        "E1EDP01": [{"POSEX": "10", "MENGE": "2.000", "E1EDP26": [{"QUALF": "003", "BETRG": "20.00"}]}],
        "E1EDS01": [{"SUMID": "010", "SUMME": "20.00"}],
    }
    order = Order.model_validate(
        Mapping.load("invoic02").map(document(content, message_type="INVOIC")).values
    )
    line = order.lines[0]
    assert (line.quantity, line.price, line.amount) == (-2, 10, -20)
    assert order.control.net == -20


def test_items_rejected_or_deleted_are_not_ordered(document):
    content = {
        "E1EDK01": [{"BELNR": "9"}],
        "E1EDP01": [
            {"POSEX": "1", "MENGE": "1"},
            {"POSEX": "2", "MENGE": "1", "ABGRU": "01"},
            {"POSEX": "3", "MENGE": "1", "ACTION": "003"},
        ],
        "E1EDS01": [{"SUMID": "001", "SUMME": "3"}],
    }
    values = Mapping.load("orders05").map(document(content)).values
    assert [line["number"] for line in values["lines"]] == ["1"]
    assert "control" not in values
