"""IDocs as JSON, in the form of SAP Integration Suite."""

import json

import pytest

from tests.support.sap_documents import cpi_json

pytestmark = pytest.mark.feature("X6")


def without_control(document):
    return {name: value for name, value in document.data.items() if name != "EDI_DC40"}


@pytest.mark.parametrize("count", [1, 3])
def test_single_objects_and_lists_give_the_same(read, order, count):
    trees = [order(f"PO-{number}", ("1.00",) * number) for number in range(1, count + 1)]
    found = read(cpi_json(trees))
    assert [without_control(one) for one in found] == trees
    assert [one.position for one in found] == list(range(1, count + 1))
    assert (found[0].format, found[0].basic_type, found[0].document_number) == (
        "json",
        "ORDERS05",
        "0" * 15 + "1",
    )


def test_an_array_of_roots_and_no_root_at_all(read, order, rules):
    one, two = json.loads(cpi_json([order("PO-1")])), json.loads(cpi_json([order("PO-2")]))
    assert rules(read(json.dumps([one, two]))) == ["PO-1", "PO-2"]
    assert rules(read(json.dumps(one["ORDERS05"]))) == ["PO-1"]


def test_names_that_come_twice_are_a_list(read, order):
    text = cpi_json([order("PO-1", ("1.00",))])
    item = json.dumps(json.loads(text)["ORDERS05"]["IDOC"]["E1EDP01"])
    twice = text.replace('"E1EDP01": ', f'"E1EDP01": {item}, "E1EDP01": ', 1)
    assert len(read(twice, check_totals=False)[0].data["E1EDP01"]) == 2


def test_numbers_texts_with_attributes_and_empty_values(read, order):
    content = json.loads(cpi_json([order("PO-1", ("1.50",))]))
    content["ORDERS05"]["IDOC"]["E1EDP01"].update(
        MENGE=2, MENEE={"@x": "1", "$": "PCE"}, WERKS="", ABGRU=None
    )
    content["ORDERS05"]["IDOC"]["E1EDP01"]["E1EDP26"]["BETRG"] = 1.50
    item = read(json.dumps(content))[0].data["E1EDP01"][0]
    assert (item["MENGE"], item["MENEE"], item["E1EDP26"][0]["BETRG"]) == ("2", "PCE", "1.5")
    assert not {"WERKS", "ABGRU"} & item.keys()


@pytest.mark.parametrize("value", [True, ["1", "2"], [["1"]]])
def test_a_field_that_is_none_refuses_one_document(read, order, value):
    content = json.loads(cpi_json([order("PO-1"), order("PO-2")]))
    content["ORDERS05"]["IDOC"][0]["E1EDK01"]["CURCY"] = value
    bad, good = read(json.dumps(content))
    assert (bad.field, bad.position, good.key) == ("CURCY", 1, "PO-2")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"ORDERS05": {"IDOC": {', "file.cut_off"),
        ('{"ORDERS05": {"IDOC": {"A": "x', "file.cut_off"),
        ('{"a" 1}', "json.invalid"),
        ("{}", "json.no_idoc"),
        ("[1, 2]", "json.no_idoc"),
        ('{"a": NaN}', "json.invalid"),
        ('{"a": ' + "9" * 10_000 + "}", "json.invalid"),
        ("[" * 100_000, "json.nesting"),
        ('{"R": {"IDOC": ' + '{"A":' * 50 + '"x"' + "}" * 50 + "}}", "json.nesting"),
        ('{"R": {"IDOC": "text"}}', "json.shape"),
        ('{"R": {"IDOC": {"E1EDK01": [{"A": "1"}, "x"]}}}', "json.shape"),
    ],
)
def test_what_cannot_be_read(read, rules, text, rule):
    assert rules(read(text)) == [rule]


def test_a_number_of_a_million_digits_costs_nothing(read, order):
    text = cpi_json([order()]).replace('"EUR"', "1E999999", 1)
    assert read(text)[0].data["E1EDK01"][0]["CURCY"] == "1E+999999"


def test_a_file_too_large_to_be_read_whole(read, order, rules):
    assert rules(read(cpi_json([order()]), limits={"json_bytes": 100})) == ["file.too_large"]
