"""What a document says of customers and articles, and no more."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.master_data.prepare import Preparer, Said
from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.records import ArticleMaster, CustomerMaster, SourceDocument
from airflow_provider_asperion.settings import CustomersToAsperion, ProductsToAsperion

pytestmark = pytest.mark.feature("W2")
TODAY = dt.date(2026, 11, 24)


def document(message, data, *, format_="idoc_xml", position=1):
    key = next(iter(data.values()))[0].get("KUNNR", "") if message == "DEBMAS" else ""
    return SourceDocument("f.xml", position, 1, format_, message, "", "1", key, data)


def prepared(message, data, *, format_="idoc_xml", **settings):
    products = message in ("MATMAS", "articles_csv")
    flow = (ProductsToAsperion if products else CustomersToAsperion)(enabled=True, **settings)
    mappings = [Mapping.load(name, choice.rows) for name, choice in flow.mappings.items()]
    kind = ArticleMaster if products else CustomerMaster
    preparer = Preparer(kind, flow, mappings, today=lambda: TODAY)
    return list(preparer.prepare(document(message, data, format_=format_)))


def test_a_missing_segment_and_saps_sign_for_no_data_say_nothing():
    (said,) = prepared(
        "DEBMAS", {"E1KNA1M": [{"KUNNR": "0000000007", "ORT01": "Ede", "TELF1": "/", "NAME1": "/"}]}
    )
    assert said.record.model_dump(exclude_none=True) == {"number": "7", "city": "Ede"}


def test_a_default_is_for_a_new_record_only_and_a_forced_value_for_every():
    (said,) = prepared(
        "DEBMAS",
        {"E1KNA1M": [{"KUNNR": "7", "ORT01": "Ede"}]},
        defaults={"city": "Nowhere", "country": "NL"},
        forced={"debtor_kind": "B"},
    )
    assert (said.record.country, said.record.debtor_kind) == (None, "B")
    assert (said.whole.country, said.whole.city) == ("NL", "Ede")


def test_an_idoc_with_several_materials_is_several_and_the_faulty_one_is_named():
    data = {"E1MARAM": [{"MATNR": "A"}, {"EAN11": "1"}, {"MATNR": "C" * 600}, {"MATNR": "D"}]}
    first, second, third, fourth = prepared("MATMAS", data)
    assert (first.key, fourth.key) == ("A", "D")
    assert [problem.rule for problem in second] == ["mapping.required"]
    assert (third[0].rule, third[0].field, third[0].record) == ("record.field", "sku", "C" * 600)


def test_each_row_of_a_delimited_file_is_a_record():
    rows = [{"SKU": "A", "TITLE": "One"}, {"SKU": "A", "PRICE": "1.5"}]
    data = {"header": rows[0], "lines": rows}
    first, second = prepared("articles_csv", data, format_="csv")
    assert (first.record.title, first.record.price) == ("One", None)
    assert (second.record.title, str(second.record.price)) == (None, "1.5")


def test_a_type_that_no_mapping_is_for_is_refused():
    ((problem,),) = prepared("CREMAS", {"E1LFA1M": [{"LIFNR": "1"}]})
    assert (problem.rule, problem.file, problem.position) == ("mapping.none", "f.xml", 1)


FIELDS = ("title", "unit", "ean", "characteristic_3")
PARTS = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(("a", "b", "c")))


def said_of(values, custom):
    record = ArticleMaster(sku="A", custom=custom, **values)
    return Said(key="A", file="f", position=1, line=None, record=record, whole=record)


@given(st.lists(st.tuples(PARTS, st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"))), min_size=1))
def test_of_several_documents_the_last_word_on_each_field_counts(several):
    together = said_of(*several[0])
    for values, custom in several[1:]:
        together = together.then(said_of(values, custom))
    expected, expected_custom = {}, {}
    for values, custom in several:
        expected |= values
        expected_custom |= custom
    record = together.record.model_dump(exclude_none=True, exclude={"sku", "custom"})
    assert (record, together.record.custom) == (expected, expected_custom)
    assert together.whole == together.record


def test_defaults_of_the_first_document_give_way_to_what_the_second_one_says():
    first = Said("1", "f", 1, None, CustomerMaster(number="1"), CustomerMaster(number="1", city="Default"))
    second = Said(
        "1", "f", 2, None, CustomerMaster(number="1", city="Ede"), CustomerMaster(number="1", city="Ede")
    )
    assert first.then(second).whole.city == "Ede"
    assert second.then(first).whole.city == "Ede"
