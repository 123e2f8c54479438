"""JSON of IDocs: the shape of Integration Suite's converter, read back equal."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.json_writing import JsonWriter
from airflow_provider_asperion.sap.profile import Limits
from airflow_provider_asperion.sap.write_profile import ControlRecord, WriteProfile
from tests.support.idoc_trees import MESSAGES, document, trees, written

pytestmark = pytest.mark.feature("X6")

MATERIAL = {
    "E1MARAM": [{"MATNR": "A", "/CWM/TARA": "X", "E1MAKTM": [{"SPRAS_ISO": "NL", "MAKTX": 'Fiets "é"'}]}]
}


def test_the_shape_is_that_of_the_converter():
    content = written(JsonWriter(WriteProfile()), document("MATMAS05", MATERIAL))
    (idoc,) = json.loads(content)["MATMAS05"]["IDOC"]
    assert (idoc["@BEGIN"], idoc["EDI_DC40"]["@SEGMENT"]) == ("1", "1")
    assert idoc["EDI_DC40"]["MESTYP"] == "MATMAS"
    assert idoc["E1MARAM"] == [
        {
            "@SEGMENT": "1",
            "MATNR": "A",
            "_-CWM_-TARA": "X",
            "E1MAKTM": [{"@SEGMENT": "1", "MAKTX": 'Fiets "é"', "SPRAS_ISO": "NL"}],
        }
    ]


def test_several_documents_are_one_array(read):
    content = written(
        JsonWriter(WriteProfile()),
        *(
            document("MATMAS05", {"E1MARAM": [{"MATNR": key}]}, number=str(place))
            for place, key in enumerate("AB", 1)
        ),
    )
    assert [one.key for one in read(content, message_types=("MATMAS",))] == ["A", "B"]
    assert [one.document_number for one in read(content, message_types=("MATMAS",))] == [
        "0" * 15 + "1",
        "0" * 15 + "2",
    ]


def test_a_refused_document_leaves_the_file_whole(read):
    writer = JsonWriter(WriteProfile())
    parts = [writer.begin()]
    with pytest.raises(ProblemError):
        writer.add(document("MATMAS05", {"E1MARAM": [{"MATNR": "9" * 19}]}))
    parts += [writer.add(document("MATMAS05", MATERIAL)), writer.end()]
    assert [one.key for one in read(b"".join(parts), message_types=("MATMAS",))] == ["A"]


def test_another_basic_type_does_not_fit_into_the_file():
    writer = JsonWriter(WriteProfile())
    writer.add(document("MATMAS05", MATERIAL))
    with pytest.raises(ProblemError) as caught:
        writer.add(document("ADRMAS02", {"E1ADRMAS": [{"OBJ_ID": "1"}]}))
    assert caught.value.problem.rule == "file.mixed_types"


def test_an_extension_names_the_root():
    profile = WriteProfile(control=ControlRecord(extension="ZMATMAS"))
    assert list(json.loads(written(JsonWriter(profile), document("MATMAS05", MATERIAL)))) == ["ZMATMAS"]


@pytest.mark.parametrize("basic_type", MESSAGES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_written_is_read_back_equal(read, basic_type, data):
    tree = data.draw(trees(basic_type))
    content = written(JsonWriter(WriteProfile()), document(basic_type, tree))
    (found,) = read(content, message_types=(MESSAGES[basic_type],), check_totals=False)
    assert {name: value for name, value in found.data.items() if name != "EDI_DC40"} == tree


@pytest.mark.feature("X6")
def test_a_file_as_large_as_we_write_is_one_that_we_read():
    assert Limits().json_bytes >= WriteProfile().maximum_bytes
