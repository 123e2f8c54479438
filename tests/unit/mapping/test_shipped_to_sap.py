"""The mappings to SAP that come with the package: they compile, their examples hold, and they lead back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.mapping.files import shipped_to_sap
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.records import (
    Address,
    ControlTotals,
    Customer,
    Order,
    OrderLine,
    ProblemError,
    Product,
    SourceDocument,
    StockLevel,
)
from airflow_provider_asperion.sap.dialect import Dialect
from airflow_provider_asperion.sap.layouts import load_layouts
from airflow_provider_asperion.sap.write_profile import WriteProfile
from airflow_provider_asperion.sap.writing import TargetDocument, write_documents, writer_of

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CUSTOMER = Customer(
    number="10001",
    company="Bakkerij De Molen",
    person="P. Smit",
    email="smit@example.nl",
    phone="+31 20 123",
    vat_number="NL001234567B01",
    billing=Address(
        name="Bakkerij De Molen",
        street="Kerkstraat",
        house_number="12-a",
        postcode="1012 AB",
        city="Gent",
        country="BE",
    ),
    shipping=Address(
        name="Depot", street="Plein", house_number="3", postcode="1040", city="Brussel", country="BE"
    ),
)
ORDER = Order(
    reference="VO100001",
    customer_reference="PO-7",
    date=dt.date(2026, 11, 2),
    delivery_date=dt.date(2026, 12, 1),
    customer=CUSTOMER,
    lines=(
        OrderLine(
            number="10",
            sku="SKU-1",
            description="Pen",
            quantity=Decimal("5"),
            unit="PCE",
            price=Decimal("1.50"),
            amount=Decimal("7.50"),
            vat_code="V21",
            vat_rate=Decimal(21),
        ),
        OrderLine(
            number="20",
            sku="SKU-2",
            description="Ink",
            quantity=Decimal("-2"),
            unit="PCE",
            price=Decimal("3.25"),
            amount=Decimal("-6.50"),
            vat_code="V9",
            vat_rate=Decimal(9),
        ),
    ),
    payment_condition="30",
    remarks="Ring twice",
    control=ControlTotals(line_count=2, net=Decimal("1.00"), vat=Decimal("1.00"), gross=Decimal("2.00")),
)


def load(name, rows=None, **more):
    return SapMapping.load(name, rows, lengths=load_layouts().lengths, **more)


def mapped(name, record, *, action="create", **more):
    return load(name, more.pop("overrides", None), **more).map(
        record.model_dump(exclude_none=True), action=action
    )


def document(name, record):
    """Return what a mapping makes of a record, as a reader would give it."""
    mapping = load(name)
    fields = mapping.map(record.model_dump(exclude_none=True))
    return SourceDocument(
        file="x",
        position=1,
        line=None,
        format="idoc_xml" if mapping.basic_type else "csv",
        message_type=mapping.message_type,
        basic_type=mapping.basic_type,
        document_number="1",
        key="1",
        data=mapping.data(fields.fields, fields.lines),
    )


@pytest.mark.feature("W2")
@pytest.mark.parametrize("name", shipped_to_sap())
def test_it_compiles_against_the_layouts_and_its_examples_hold(name):
    mapping = load(name)
    assert mapping.check() == []
    assert "always" in mapping.send.values() or mapping.send


@pytest.mark.feature("X6", "C4", "O13")
@pytest.mark.parametrize("name", [name for name in shipped_to_sap() if load(name).basic_type])
@pytest.mark.parametrize("form", ["idoc_xml", "idoc_flat", "json"])
def test_what_it_makes_can_be_written(name, form):
    mapping = load(name)
    record = {"product": Product(sku="A", title="Pen", unit="stuk"), "customer": CUSTOMER, "order": ORDER}
    fields = mapping.map(record[mapping.record].model_dump(exclude_none=True))
    data = mapping.data(fields.fields, fields.lines)
    target = TargetDocument("1", mapping.message_type, mapping.basic_type, "1", NOON, data)
    assert write_documents([target], writer_of(WriteProfile(format=form)))


@pytest.mark.feature("O1", "O13", "X6")
@pytest.mark.parametrize(("out", "back"), [("orders_orders05", "orders05"), ("orders_out_csv", "orders_csv")])
def test_an_order_leads_back_to_itself(out, back):
    functions = {}
    found = document(out, ORDER)
    if back == "orders_csv":
        found.data["header"] = found.data["lines"][0]
        dialect = Dialect()
        functions = {"decimal": dialect.decimal, "date": dialect.date}
    values = Mapping.load(back, functions=functions).map(found).values
    order = Order.model_validate({**values, "kind": "sales_order"})
    lost = {"kind", "customer_reference", "lines", "customer", "sales_type", "channel", "status"}
    assert order.model_dump(exclude=lost) == ORDER.model_dump(exclude=lost)
    assert order.customer_reference == "PO-7"
    for name in ("number", "company", "person", "email", "phone", "vat_number"):
        assert getattr(order.customer, name) == getattr(CUSTOMER, name), name
    assert order.customer.billing == CUSTOMER.billing
    assert order.customer.shipping == CUSTOMER.shipping
    for mine, theirs in zip(ORDER.lines, order.lines, strict=True):
        kept = {"sku", "description", "quantity", "price", "amount", "vat_code", "vat_rate"}
        assert theirs.model_dump(include=kept) == mine.model_dump(include=kept)


@pytest.mark.feature("O9")
def test_an_invoice_leads_back_with_its_amounts():
    values = Mapping.load("invoic02").map(document("invoices_invoic02", ORDER)).values
    assert values["reference"] == "VO100001"
    assert values["control"] == {"net": 1, "vat": 1, "gross": 2, "line_count": 2}
    assert [line["amount"] for line in values["lines"]] == [Decimal("7.50"), Decimal("-6.50")]


@pytest.mark.feature("C3")
def test_what_the_receiver_insists_on_is_a_setting():
    first = mapped("customers_debmas07", CUSTOMER)
    assert first.fields["E1KNA1M.KTOKD"] == "0001"
    names = {"account_group": "'KUNA'", "sales_organisation": "'NL01'"}
    own = mapped("customers_debmas07", CUSTOMER, names=names)
    assert own.fields["E1KNA1M.KTOKD"] == "KUNA"
    assert own.fields["E1KNA1M.E1KNVVM.VKORG"] == "NL01"
    assert mapped("customers_csv", CUSTOMER).fields["BUSINESS_BOOKING_GROUP"] == "NATIONAL"


@pytest.mark.feature("P2")
def test_an_update_holds_no_segment_that_says_nothing():
    mapping = load("products_matmas05")
    product = Product(sku="A", title="Pen", long_description="one\ntwo", unit="stuk", ean="4006381333931")
    fields = mapping.map(product.model_dump(exclude_none=True), action="update").fields
    stamps = {target: text for target, text in fields.items() if mapping.send[target] in ("stamp", "always")}
    data = mapping.data({**stamps, "E1MARAM.EAN11": fields["E1MARAM.EAN11"]})
    assert data == {"E1MARAM": [{"MSGFN": "004", "MATNR": "A", "EAN11": "4006381333931"}]}
    (whole,) = mapping.data(fields)["E1MARAM"]
    assert [line["TDLINE"] for line in whole["E1MTXHM"][0]["E1MTXLM"]] == ["one", "two"]


@pytest.mark.feature("P2", "X6")
def test_fields_that_do_not_travel_can_hold_saps_sign_for_that():
    mapping = load("products_matmas05")
    data = mapping.data(
        {"E1MARAM.MATNR": "A", "E1MARAM.EAN11": "", "E1MARAM.E1MAKTM.MAKTX": "Pen"}, untouched="/"
    )
    (material,) = data["E1MARAM"]
    assert (material["MATNR"], material["EAN11"], material["MEINS"]) == ("A", "", "/")
    assert (material["E1MAKTM"][0]["MAKTX"], material["E1MAKTM"][0]["SPRAS"]) == ("Pen", "/")
    assert set(material) - {"E1MAKTM"} == set(load_layouts().lengths("E1MARAM"))


@pytest.mark.feature("C3")
def test_a_sales_area_that_changes_is_named_by_its_key():
    mapping = load("customers_debmas07", {"E1KNA1M.E1KNVVM.ZTERM": {"value": "payment_terms"}})
    fields = mapping.map(CUSTOMER.model_dump(exclude_none=True), action="update").fields
    stamps = {target: text for target, text in fields.items() if mapping.send[target] in ("stamp", "always")}
    (quiet,) = mapping.data(stamps)["E1KNA1M"]
    assert "E1KNVVM" not in quiet
    (told,) = mapping.data({**stamps, "E1KNA1M.E1KNVVM.ZTERM": "0002"})["E1KNA1M"]
    assert told["E1KNVVM"] == [
        {"MSGFN": "004", "VKORG": "1000", "VTWEG": "10", "SPART": "00", "ZTERM": "0002"}
    ]


@pytest.mark.feature("P4")
def test_characteristics_and_custom_fields_can_be_assigned_freely():
    product = Product(sku="A", characteristics=("Pen", None, "Rood"), custom={"herkomst": "NL"})
    rows = {"COLOUR": "characteristics[2]", "ORIGIN": "custom.herkomst", "CHARACTERISTIC_3": None}
    fields = mapped("products_csv", product, overrides=rows).fields
    assert (fields["COLOUR"], fields["ORIGIN"]) == ("Rood", "NL")
    assert "CHARACTERISTIC_2" not in fields
    assert "CHARACTERISTIC_3" not in fields


@pytest.mark.feature("S4")
def test_whether_sap_manages_stock_is_a_column():
    level = StockLevel(sku="A", quantity=Decimal("12"), manage_stock=False, observed_at=NOON)
    assert mapped("stock_csv", level).fields == {
        "SKU": "A",
        "QUANTITY": "12",
        "MANAGE_STOCK": "-",
        "OBSERVED_AT": "2026-11-23T12:00:00Z",
    }


@pytest.mark.feature("O11")
def test_units_go_through_a_table_and_unknown_ones_stay():
    assert mapped("products_csv", Product(sku="A", unit="Stuk")).fields["UNIT"] == "PCE"
    assert mapped("products_csv", Product(sku="A", unit="krat")).fields["UNIT"] == "krat"


@pytest.mark.feature("P3")
@pytest.mark.parametrize(
    "rows", [{"IMAGE": "sku"}, {"X": "category"}, {"VARIANT_OF": "sku"}, {"X": "variants[0]"}]
)
def test_what_articles_do_not_have_is_refused_at_load(rows):
    with pytest.raises(ProblemError, match="simple articles"):
        load("products_csv", rows)


@pytest.mark.feature("W2")
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"E1MARAM.MATNRX": "sku"}, "no field MATNRX"),
        ({"E1MARAMX.MATNR": "sku"}, "no segment E1MARAMX"),
        ({"MATNR": "sku"}, "names no field"),
        ({"E1MARAM.MATNR": "skuu"}, "'skuu'"),
        ({"E1MARAM.MATNR": {"value": "sku", "send": "sometimes"}}, "sometimes"),
        ({"lines.E1MARAM.MATNR": "sku"}, "no `lines`"),
    ],
)
def test_a_fault_names_what_is_wrong(rows, words):
    with pytest.raises(ProblemError) as caught:
        load("products_matmas05", rows)
    assert words in str(caught.value)
    assert caught.value.problem.file == "settings"


def test_a_mapping_of_orders_from_sap_is_none_to_sap():
    with pytest.raises(ProblemError, match="no mapping to SAP"):
        load("orders05")
