"""What a mapping does with a document: values, defaults, conditions, look-ups, and faults by row."""

from decimal import Decimal

import pytest

from airflow_provider_asperion.mapping import LookUp, Mapped, Mapping
from airflow_provider_asperion.records import Order, ProblemError

ORDER = {
    "E1EDK01": [{"CURCY": "EUR", "BELNR": "900", "ZTERM": "Z030"}],
    "E1EDK02": [{"QUALF": "001", "BELNR": "PO-7", "DATUM": "20261101"}],
    "E1EDKA1": [
        {
            "PARVW": "AG",
            "PARTN": "0000012345",
            "NAME1": "Bakkerij De Molen",
            "STRAS": "Kerkstraat 12",
            "LAND1": "NL",
            "E1EDKA3": [{"QUALP": "998", "STDPN": "jan@example.com"}],
        }
    ],
    "E1EDP01": [
        {"POSEX": "000010", "MENGE": "2.000", "VPREI": "10.00", "MATNR": "000000000000000123"},
        {"POSEX": "000020", "MENGE": "1.000", "VPREI": "5.50", "E1EDP19": [{"QUALF": "002", "IDTNR": "X"}]},
    ],
}


@pytest.mark.feature("O13", "W2")
def test_an_idoc_becomes_the_values_of_an_order(document):
    mapped = Mapping.load("orders05").map(document(ORDER))
    order = Order.model_validate(mapped.values)
    assert order.reference == "PO-7"
    assert order.date.isoformat() == "2026-11-01"
    assert order.customer.number == "12345"
    assert order.customer.company == "Bakkerij De Molen"
    assert order.customer.email == "jan@example.com"
    assert (order.customer.billing.street, order.customer.billing.house_number) == ("Kerkstraat", "12")
    assert order.customer.shipping is None
    assert [line.sku for line in order.lines] == ["123", "X"]
    assert [str(line.price) for line in order.lines] == ["10.00", "5.50"]


def test_fields_without_a_value_are_left_out_so_that_the_defaults_of_the_record_hold(document):
    values = (
        Mapping.load("orders05")
        .map(document({"E1EDP01": [{"POSEX": "1", "MENGE": "1"}], **REFERENCE}))
        .values
    )
    assert values == {
        "kind": "sales_order",
        "reference": "1",
        "customer": {},
        "lines": [{"number": "1", "quantity": 1}],
    }


REFERENCE = {"E1EDK01": [{"BELNR": "1"}]}


@pytest.mark.feature("O3")
def test_a_default_is_used_where_the_source_has_nothing_and_is_named(document):
    mapping = Mapping.load("orders05", {"currency": {"value": "E1EDK01.CURCY", "default": "USD"}})
    assert mapping.map(document(ORDER)).values["currency"] == "EUR"
    mapped = mapping.map(document(REFERENCE))
    assert mapped.values["currency"] == "USD"
    assert mapped.defaults_applied == ("currency",)


def test_a_row_whose_condition_does_not_hold_does_nothing_not_even_its_default(document):
    row = {"value": "'x'", "default": "y", "when": "E1EDK01.CURCY == 'USD'"}
    assert "remarks" not in Mapping.load("orders05", {"remarks": row}).map(document(ORDER)).values


@pytest.mark.feature("O11")
def test_a_value_goes_through_its_look_up_table_and_the_trail_names_the_table(document):
    table = {"payment_condition": LookUp(table={"Z030": "14"})}
    mapped = Mapping.load("orders05", look_ups=table).map(document(ORDER))
    assert mapped.values["payment_condition"] == "14"
    assert "payment_condition" in mapped.looked_up


@pytest.mark.feature("O11")
def test_an_unmapped_value_refuses_the_document_naming_table_value_and_field(document):
    table = {"payment_condition": LookUp(table={"Z014": "14"})}
    with pytest.raises(ProblemError) as error:
        Mapping.load("orders05", look_ups=table).map(document(ORDER))
    problem = error.value.problem
    assert (problem.rule, problem.field) == ("look_up.unmapped", "payment_condition")
    assert "'Z030'" in problem.message
    assert "look_ups.payment_condition.table" in problem.remedy


@pytest.mark.feature("O11")
def test_look_up_works_as_function_and_filter(document):
    table = {"stores": LookUp(table={"900": "north"})}
    rows = {"channel": "look_up(E1EDK01.BELNR, 'stores')", "status": "E1EDK01.BELNR | look_up('stores')"}
    mapped = Mapping.load("orders05", rows, look_ups=table).map(document(ORDER))
    assert (mapped.values["channel"], mapped.values["status"]) == ("north", "north")
    assert mapped.looked_up[0] == "stores"


@pytest.mark.feature("W2")
def test_all_bad_rows_of_a_document_are_reported_at_once_with_row_and_shape_but_no_value(document):
    broken = {
        **ORDER,
        "E1EDK02": [{"QUALF": "001", "BELNR": "PO-7", "DATUM": "Secretday"}],
        "E1EDKA1": [{"PARVW": "AG", "LAND1": "Atlantis"}],
        "E1EDP01": [{"POSEX": "1", "MENGE": "1"}, {"POSEX": "2", "MENGE": "1,5"}],
    }
    with pytest.raises(ProblemError) as error:
        Mapping.load("orders05").map(document(broken))
    fields = [problem.field for problem in error.value.problems]
    assert {"date", "customer.billing.country", "lines.2.quantity"} <= set(fields)
    date = error.value.problems[fields.index("date")]
    assert date.rule == "mapping.row"
    assert date.shape == "Aaaaaaaaa"
    assert "`date: " in date.message
    assert "orders05.yaml line" in date.message
    assert "E1EDK03[012/022].DATUM" in date.message
    assert "Secretday" not in str(error.value)
    assert "Atlantis" not in str(error.value)


def test_a_missing_required_value_is_a_problem_of_its_row(document):
    with pytest.raises(ProblemError) as error:
        Mapping.load("orders05").map(document({"E1EDP01": [{"MENGE": "1"}]}))
    assert [(problem.rule, problem.field) for problem in error.value.problems] == [
        ("mapping.required", "reference")
    ]


def test_a_fault_in_a_name_is_reported_once_not_per_row_that_uses_it(document):
    with pytest.raises(ProblemError) as error:
        Mapping.load("orders05", names={"buyer": "date(E1EDK01.BELNR)"}).map(document(ORDER))
    assert [problem.field for problem in error.value.problems] == ["names.buyer"]


@pytest.mark.feature("W6")
def test_the_values_are_not_in_the_repr(document):
    assert "Molen" not in repr(Mapping.load("orders05").map(document(ORDER)))
    assert isinstance(Mapping.load("orders05").map(document(ORDER)), Mapped)


def test_a_number_for_a_text_field_becomes_text(document):
    values = Mapping.load("orders05", {"lines.number": "decimal(index) * 10"}).map(document(ORDER)).values
    assert [line["number"] for line in values["lines"]] == ["10", "20"]


def test_functions_of_the_caller_replace_the_built_in_ones(document):
    def comma(value):
        return Decimal(value.replace(".", "").replace(",", "."))

    data = {
        "header": {"ORDER_NO": "1", "ORDER_DATE": "2026-11-23"},
        "lines": [{"SKU": "A", "QUANTITY": "1,5", "PRICE": "10,00", "PRICE_UNIT": "4"}],
    }
    mapping = Mapping.load("orders_csv", functions={"decimal": comma})
    line = mapping.map(document(data, format="csv")).values["lines"][0]
    assert (str(line["quantity"]), str(line["price"])) == ("1.5", "2.5")
    data["lines"][0]["QUANTITY"] = "secret"
    with pytest.raises(ProblemError) as error:
        mapping.map(document(data, format="csv"))
    assert (error.value.problem.field, error.value.problem.shape) == ("lines.1.quantity", "aaaaaa")
    assert "secret" not in str(error.value)


def test_a_number_that_was_read_is_not_read_again_by_the_dialect(document):
    def comma(value):
        return Decimal(value.replace(".", "").replace(",", "."))

    data = {"header": {"ORDER_NO": "1", "ORDER_DATE": "2026-11-23"}, "lines": [{"QUANTITY": "1,5"}]}
    rows = {"lines.quantity": "round(decimal(line.QUANTITY), 2)", "lines.price": "'1,5' | decimal | abs"}
    mapping = Mapping.load("orders_csv", rows, functions={"decimal": comma})
    line = mapping.map(document(data, format="csv")).values["lines"][0]
    assert (line["quantity"], line["price"]) == (Decimal("1.5"), Decimal("1.5"))


def test_a_mapping_applies_to_its_message_types_and_formats(document):
    mapping = Mapping.load("orders05")
    assert mapping.applies_to(document({}))
    assert not mapping.applies_to(document({}, message_type="INVOIC"))
    assert not mapping.applies_to(document({}, format="csv"))
    assert Mapping.load("orders_csv").applies_to(document({}, format="csv", message_type="shop"))


def test_describe_lists_every_row_with_what_it_reads():
    rows = {row.target: row for row in Mapping.load("orders05").describe()}
    assert rows["customer.number"].sources == ("buyer.PARTN",)
    assert rows["reference"].required
    assert rows["payment_condition"].look_up == "payment_condition"
    assert rows["lines.quantity"].line > 1
