"""The content of a file says what it is, whatever its name."""

import pytest

from tests.support.sap_documents import cpi_json, flat, xml

pytestmark = pytest.mark.feature("X6")


def test_each_format_is_seen(read, order):
    trees = [order()]
    texts = (flat(trees), xml(trees), cpi_json(trees), "ORDER_NO;SKU\n1;x\n")
    assert [read(text)[0].format for text in texts] == ["idoc_flat", "idoc_xml", "json", "csv"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_do_not_hide_the_format(read, order, encoding):
    for text in (flat([order()]), cpi_json([order()]), "ORDER_NO;SKU\n1;x\n"):
        assert read(text, encoding)[0].position == 1
    assert read(xml([order()], declaration=""), encoding)[0].key == "PO-1"


@pytest.mark.parametrize("content", [b"", b"  \r\n\n", b"\xef\xbb\xbf"])
def test_nothing_is_a_problem_of_its_own(read, content):
    (problem,) = read(content)
    assert (problem.rule, problem.file, problem.position) == ("file.empty", "f", None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "Excel"),
        (b"\xd0\xcf\x11\xe0rest", "Excel"),
        (b"%PDF-1.4", "PDF"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"UNA:+.? 'UNB+UNOC", "EDIFACT"),
        (b"ISA*00*", "X12"),
        (b"EDI_DC    100" + b" " * 500, "3.x"),
        (b"E2EDK01005                    100" + b" " * 500, "control record"),
        (
            b"20.11.2026   Dynamic List Display   1\n---------------\n|Order|Net|\n---------------\n|1|2|\n",
            "ALV",
        ),
        (b"IDoc display\nIDoc number 123", "WE02"),
        (b"ORDER_NO;\x00\x01\x02", "binary"),
    ],
)
def test_what_is_refused_by_name(read, content, words):
    (problem,) = read(content)
    assert problem.rule == "file.format"
    assert words in problem.message
    assert problem.remedy


def test_columns_between_bars_are_no_list_without_its_rules(read):
    assert read("ORDER_NO|SKU\n1|x\n")[0].key == "1"
