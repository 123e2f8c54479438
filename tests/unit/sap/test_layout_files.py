"""Segment layouts that a customer brings: own segments are read without code."""

import pytest

from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sap.layouts import load_layouts
from tests.support.sap_documents import flat, record

pytestmark = pytest.mark.feature("X6")

WE63 = """BEGIN_RECORD_SECTION
  BEGIN_CONTROL_RECORD
    BEGIN_FIELDS
      NAME TABNAM
    END_FIELDS
  END_CONTROL_RECORD
END_RECORD_SECTION
BEGIN_SEGMENT_SECTION
  BEGIN_IDOC ORDERS05
    BEGIN_GROUP 1
      LEVEL 01
      BEGIN_SEGMENT E2EDP01011
        SEGMENTTYPE E1EDP01
        LEVEL 02
        BEGIN_FIELDS
          NAME        POSEX
          TEXT        Item number
          TYPE        CHARACTER
          LENGTH      000006
          FIELD_POS   0001
          CHARACTER_FIRST 000064
          CHARACTER_LAST  000069
        END_FIELDS
      END_SEGMENT
      BEGIN_SEGMENT Z2COLOUR000
        SEGMENTTYPE Z1COLOUR
        BEGIN_FIELDS
          NAME COLOUR
          BYTE_FIRST 000064
          BYTE_LAST 000073
          NAME SIZE
          LENGTH 000002
        END_FIELDS
      END_SEGMENT
    END_GROUP
  END_IDOC
END_SEGMENT_SECTION
"""
XSD = """<?xml version="1.0"?><xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">
<xsd:element name="ORDERS05">
<xsd:complexType><xsd:sequence><xsd:element name="IDOC"><xsd:complexType><xsd:sequence>
<xsd:element name="EDI_DC40"><xsd:complexType><xsd:sequence><xsd:element name="TABNAM"><xsd:simpleType>
<xsd:restriction base="xsd:string"><xsd:maxLength value="10"/></xsd:restriction>
</xsd:simpleType></xsd:element></xsd:sequence></xsd:complexType></xsd:element>
<xsd:element name="E1EDP01"><xsd:complexType><xsd:sequence>
<xsd:element name="Z1COLOUR"><xsd:complexType><xsd:sequence>
<xsd:element name="COLOUR"><xsd:simpleType><xsd:restriction base="xsd:string"><xsd:maxLength value="10"/>
</xsd:restriction></xsd:simpleType></xsd:element>
<xsd:element name="SIZE"><xsd:simpleType><xsd:restriction base="xsd:string"><xsd:maxLength value="2"/>
</xsd:restriction></xsd:simpleType></xsd:element>
</xsd:sequence></xsd:complexType></xsd:element>
</xsd:sequence></xsd:complexType></xsd:element>
</xsd:sequence></xsd:complexType></xsd:element></xsd:sequence></xsd:complexType></xsd:element></xsd:schema>"""
YAML = """
segments: {Z1COLOUR: COLOUR=10 SIZE=2}
parents: {E1EDP01: [Z1COLOUR]}
"""


@pytest.fixture
def layout_file(tmp_path):
    """Return a function that writes a layout file."""

    def write(text):
        path = tmp_path / "layout"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "name"),
    [(WE63, "Z2COLOUR000"), (XSD, "Z1COLOUR"), (XSD, "Z1COLOUR000"), (YAML, "Z1COLOUR000")],
)
def test_own_segments_are_read_where_they_stand(read, order, layout_file, text, name):
    lines = flat([order()]).split("\n")
    own = f"{name:<30}" + record("E1EDK03", {}, 99)[30:63] + "red".ljust(10) + "XL"
    second_item = [index for index, line in enumerate(lines) if line.startswith("E2EDP01")][1]
    lines.insert(second_item + 1, own)
    (document,) = read("\n".join(lines), layouts=(layout_file(text),))
    assert document.data["E1EDP01"][1]["Z1COLOUR"] == [{"COLOUR": "red", "SIZE": "XL"}]
    assert document.skipped == {}


def test_a_layout_file_goes_before_what_is_shipped(layout_file):
    assert load_layouts((layout_file(WE63),)).of("E2EDP01011") == (("POSEX", 63, 69),)
    assert len(load_layouts().of("E2EDP01011")) > 40


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "segments: {A: B}",
        "segments: {A: B=x}",
        "[1]",
        "<xsd:schema",
        "<a/>",
        "<!DOCTYPE a><a/>",
        "BEGIN_SEGMENT_SECTION\nEND_SEGMENT_SECTION",
        "BEGIN_SEGMENT_SECTION\nBEGIN_FIELDS\nNAME X\n",
    ],
)
def test_a_file_that_is_no_layout_is_refused(read, order, layout_file, text):
    with pytest.raises(ProblemError) as caught:
        read(flat([order()]), layouts=(layout_file(text),))
    assert caught.value.problem.rule == "layout.unreadable"
    assert caught.value.problem.file == "layout"


def test_a_layout_file_that_is_not_there_is_refused(read, order, tmp_path):
    with pytest.raises(ProblemError):
        read(flat([order()]), layouts=(tmp_path / "nowhere",))
