"""Finding segments: partners by role, qualifiers, paths, texts, material numbers."""

import pytest

from airflow_provider_asperion.mapping.faults import BadValueError
from airflow_provider_asperion.mapping.navigation import Scope, qualifier
from airflow_provider_asperion.mapping.sandbox import ABSENT

DATA = {
    "E1EDKA1": [{"PARVW": "WE", "PARTN": "2"}, {"PARVW": "AG", "PARTN": "1"}, {"PARVW": "AG", "PARTN": "9"}],
    "E1EDP01": [
        {"E1EDP26": [{"QUALF": "001"}, {"QUALF": "003"}], "E1EDPA1": [{"PARVW": "SP", "PARTN": "3"}]},
        {"E1EDP26": [{"QUALF": "003"}]},
    ],
}


def test_roles_are_tried_in_order_and_the_first_partner_of_a_role_is_taken():
    scope = Scope(DATA)
    assert scope.partner("AG", "WE")["PARTN"] == "1"
    assert scope.partner("RE", "WE")["PARTN"] == "2"
    assert scope.partner("RE") is ABSENT


def test_a_header_row_looks_at_the_items_when_the_header_has_no_such_partner():
    assert Scope(DATA).partner("SP")["PARTN"] == "3"


def test_items_that_name_different_partners_are_refused():
    data = {"E1EDP01": [{"E1EDPA1": [{"PARVW": "WE", "PARTN": number}]} for number in "12"]}
    with pytest.raises(BadValueError, match="different partners"):
        Scope(data).partner("WE")


def test_a_line_row_looks_at_the_line_first():
    line = {"E1EDPA1": [{"PARVW": "WE", "PARTN": "7"}]}
    assert Scope(DATA, line).partner("WE")["PARTN"] == "7"
    assert Scope(DATA, {}).partner("WE")["PARTN"] == "2"


@pytest.mark.parametrize("field", ["QUALF", "IDDAT", "SUMID", "TDID", "QUALP", "QUALZ", "PARVW"])
def test_a_qualifier_is_found_in_whichever_field_the_segment_has(field):
    segments = [{field: "001", "X": "a"}, {field: "002", "X": "b"}]
    assert qualifier(segments, "002", "001")["X"] == "b"
    assert qualifier(segments, "009") is ABSENT
    assert qualifier(ABSENT, "001") is ABSENT
    assert qualifier({field: "1"}, "1") == {field: "1"}


def test_a_path_gathers_segments_across_parents():
    assert len(Scope(DATA).segments("E1EDP01.E1EDP26")) == 3
    assert len(Scope(DATA).segments("E1EDP26", DATA["E1EDP01"][0])) == 2
    assert Scope(DATA).segments("E1EDP99.E1EDP26") == []


def test_texts_are_joined_by_paragraph_and_cut():
    texts = {
        "E1EDKT1": [
            {
                "TDID": "0001",
                "E1EDKT2": [{"TDLINE": "one"}, {"TDLINE": "two", "TDFORMAT": "*"}, {"TDLINE": "more"}],
            },
            {"TDID": "0002", "E1EDKT2": [{"TDLINE": "other"}]},
        ]
    }
    assert Scope(texts).texts("0001") == "one\ntwo more"
    assert Scope(texts).texts() == "one\ntwo more\nother"
    assert Scope(texts).texts("0001", length=6) == "one\ntwo more"[:5] + "…"
    assert Scope(texts).texts("0009") is None
    assert Scope(texts, {"E1EDPT1": [{"TDID": "1", "E1EDPT2": [{"TDLINE": "line"}]}]}).texts() == "line"


def test_a_material_number_prefers_the_qualifier_named_first_then_the_long_form():
    line = {
        "E1EDP19": [
            {"QUALF": "001", "IDTNR": "0005"},
            {"QUALF": "002", "IDTNR": "A", "IDTNR_EXTERNAL": "A-B"},
        ],
        "MATNR": "000000000000000009",
        "MATNR_LONG": "0000000000000000000000000000000000000010",
    }
    assert Scope({}, line).material("002", "001") == "A-B"
    assert Scope({}, line).material("001", "002") == "5"
    assert Scope({}, line).material("003") == "10"
    assert Scope({}).material("002") is None
