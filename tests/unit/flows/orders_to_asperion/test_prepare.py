"""From a document to an order: mapping chosen, defaults filled in, forced values, filter, totals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered, Preparer
from airflow_provider_asperion.flows.orders_to_asperion.staged import fingerprint_of
from airflow_provider_asperion.mapping import LookUp, Mapping
from airflow_provider_asperion.records import ProblemError, SourceDocument
from tests.support.workshop import a_flow

ROW = {
    "ORDER_NO": "4711",
    "ORDER_DATE": "20261101",
    "STATUS": "paid",
    "NAME": "Jan Jansen",
    "EMAIL": "jan@example.com",
    "PAYMENT_TERMS": "Z030",
    "LINE_NO": "10",
    "SKU": "A1",
    "QUANTITY": "2",
    "PRICE": "3.50",
}


def document(**changes):
    row = {name: value for name, value in {**ROW, **changes}.items() if value is not None}
    return SourceDocument(
        file="o.csv",
        position=3,
        line=7,
        format="csv",
        message_type="orders_csv",
        basic_type="",
        document_number="4711",
        key="4711",
        data={"header": row, "lines": [row]},
    )


def prepare(source, **settings):
    flow = a_flow(**settings)
    mappings = [Mapping.load(name, look_ups=flow.look_ups) for name in ("orders05", "orders_csv")]
    return Preparer(flow, mappings, today=lambda: dt.date(2026, 11, 23)).prepare(source, claim="c1")


def problems(source, **settings):
    with pytest.raises(ProblemError) as caught:
        prepare(source, **settings)
    return caught.value.problems


@pytest.mark.feature("O1", "O13")
def test_a_document_becomes_an_order():
    staged = prepare(document())
    order = staged.order
    assert (order.reference, order.date, order.kind) == ("4711", dt.date(2026, 11, 1), "sales_order")
    assert (order.lines[0].sku, order.lines[0].quantity, order.lines[0].price) == ("A1", 2, Decimal("3.50"))
    assert (staged.file, staged.position, staged.line, staged.claim) == ("o.csv", 3, 7, "c1")


@pytest.mark.feature("O2")
@pytest.mark.parametrize(
    ("rules", "travels"),
    [
        ({"status": ["paid", "shipped"]}, True),
        ({"status": ["PAID"]}, True),
        ({"status": ["open"]}, False),
        ({"not_status": ["paid"]}, False),
        ({"channel": ["web"]}, False),
    ],
)
def test_the_filter_says_which_orders_travel(rules, travels):
    found = prepare(document(), filter=rules)
    assert isinstance(found, Filtered) is not travels
    if isinstance(found, Filtered):
        assert found.record == "4711"
        assert found.reason


@pytest.mark.feature("O3")
def test_missing_values_are_filled_in_and_named():
    defaults = {"date": "today", "customer.billing.country": "NL", "lines.vat_code": "V21", "status": "new"}
    staged = prepare(document(ORDER_DATE=None), defaults=defaults)
    assert (staged.order.date, staged.order.customer.billing.country) == (dt.date(2026, 11, 23), "NL")
    assert (staged.order.lines[0].vat_code, staged.order.status) == ("V21", "paid")
    assert set(staged.defaults) >= {"date", "customer.billing.country", "lines.vat_code"}
    assert "status" not in staged.defaults


@pytest.mark.feature("O11")
def test_look_up_tables_defaults_and_force():
    table = LookUp(table={"Z030": "30"})
    assert prepare(document(), look_ups={"payment_condition": table}).order.payment_condition == "30"
    (problem,) = problems(document(PAYMENT_TERMS="Z999"), look_ups={"payment_condition": table})
    assert "Z999" in str(problem)
    assert problem.record == "4711"
    forced = LookUp(table={}, default="14", force=True)
    assert prepare(document(), look_ups={"payment_condition": forced}).order.payment_condition == "14"
    assert prepare(document(), forced={"payment_method": "bank"}).order.payment_method == "bank"


@pytest.mark.feature("O9")
def test_the_kind_is_chosen_per_flow_or_per_order():
    assert prepare(document(ORDER_TYPE="INVOICE")).order.kind == "sales_invoice"
    assert prepare(document(), kind="sales_invoice").order.kind == "sales_invoice"


def test_what_is_missing_is_named_with_its_place():
    (problem,) = problems(document(SKU="A1", QUANTITY=None))
    assert (problem.file, problem.position, problem.line, problem.record) == ("o.csv", 3, 7, "4711")
    assert problem.field
    assert problem.remedy
    assert "jan@example.com" not in str(problem)


@pytest.mark.feature("W4")
def test_totals_that_do_not_tie_refuse_the_order():
    (problem,) = problems(document(AMOUNT="7.03"))
    assert problem.rule == "total.line"
    assert prepare(document(AMOUNT="7.01")).order.lines[0].amount == Decimal("7.01")


def test_no_mapping_for_a_message():
    other = document()
    invoice = SourceDocument(
        **{name: getattr(other, name) for name in other.__slots__}
        | {"format": "json", "message_type": "INVOIC"}
    )
    assert problems(invoice)[0].rule == "mapping.none"


def test_the_fingerprint_is_of_the_content_not_of_the_envelope():
    first, second = document(), document()
    first.data["EDI_DC40"] = {"DOCNUM": "1"}
    second.data["EDI_DC40"] = {"DOCNUM": "2"}
    assert fingerprint_of(first) == fingerprint_of(second) != fingerprint_of(document(QUANTITY="3"))
