"""IDocs are written flat and as XML: offsets to the character, order, limits; and read back equal."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sandbox.sap_files import idoc_flat, idoc_xml, order_tree, sample_orders
from airflow_provider_asperion.sap.idoc_flat import CONTROL_FIELDS
from airflow_provider_asperion.sap.idoc_writing import FlatWriter, XmlWriter
from airflow_provider_asperion.sap.json_writing import JsonWriter
from airflow_provider_asperion.sap.write_profile import ControlRecord, WriteProfile
from airflow_provider_asperion.sap.writing import write_files
from tests.support.idoc_trees import MESSAGES, document, trees, written
from tests.support.idoc_xsd import schema_of

pytestmark = pytest.mark.feature("X6")

# Offsets of EDI_DC40, from SAP's parser file (WE63), typed in again.
CONTROL = {
    "TABNAM": (0, 10, "EDI_DC40"), "MANDT": (10, 13, "100"), "DOCNUM": (13, 29, "0000000000004711"),
    "DOCREL": (29, 33, "756"), "STATUS": (33, 35, "64"), "DIRECT": (35, 36, "2"), "OUTMOD": (36, 37, "4"),
    "EXPRSS": (37, 38, "X"), "TEST": (38, 39, "X"),
    "IDOCTYP": (39, 69, "MATMAS05"), "CIMTYP": (69, 99, "ZMATMAS"), "MESTYP": (99, 129, "MATMAS"),
    "MESCOD": (129, 132, "COD"), "MESFCT": (132, 135, "FCT"), "STD": (135, 136, "E"),
    "STDVRS": (136, 142, "D.96A"), "STDMES": (142, 148, "PRICAT"), "SNDPOR": (148, 158, "ASPERION"),
    "SNDPRT": (158, 160, "LI"), "SNDPFC": (160, 162, "VN"), "SNDPRN": (162, 172, "SHOP"),
    "SNDSAD": (172, 193, "SADR-1"), "SNDLAD": (193, 263, "logical 1"), "RCVSAD": (287, 308, "SADR-2"),
    "RCVLAD": (308, 378, "logical 2"), "REFINT": (392, 406, "20261123101500"), "REFGRP": (406, 420, "G1"),
    "REFMES": (420, 434, "K-1"), "ARCKEY": (434, 504, "K-1/0000000000004711"),
    "RCVPOR": (263, 273, "SAPPRD"), "RCVPRT": (273, 275, "LS"), "RCVPFC": (275, 277, "AG"),
    "RCVPRN": (277, 287, "S4DCLNT100"), "CREDAT": (378, 386, "20261123"), "CRETIM": (386, 392, "101500"),
    "SERIAL": (504, 524, "20261123101500"),
}  # fmt: skip
PARTNER = ControlRecord(
    client="100", release="756", test=True, extension="ZMATMAS", message_code="COD", message_function="FCT",
    sender_type="LI", sender_function="VN", sender="SHOP", receiver_port="SAPPRD", receiver_function="AG",
    receiver="S4DCLNT100", status="64", output_mode="4", express=True, standard="E", standard_version="D.96A",
    standard_message="PRICAT", sender_address="SADR-1", sender_logical_address="logical 1",
    receiver_address="SADR-2", receiver_logical_address="logical 2", interchange="{moment}",
    message_group="G1", message_reference="{key}", archive_key="{key}/{number}", serial="{moment}",
)  # fmt: skip
WRITERS = [FlatWriter, XmlWriter, JsonWriter]

# Fields and segments out of order on purpose.
EAN = {"HPEAN": "X", "EAN11": "8712345678906"}
MATERIAL = {
    "E1MARAM": [
        {
            "E1MVKEM": [{"VKORG": "1000", "VTWEG": "10", "PRODH": "0001"}],
            "E1MARMM": [
                {"UMREN": "1", "UMREZ": "12", "MEINH": "KAR", "E1MEANM": [EAN]},
                {"MEINH": "ST"},
            ],
            "E1MAKTM": [{"SPRAS_ISO": "NL", "MAKTX": "Fiets"}, {"SPRAS_ISO": "EN", "MAKTX": "Bicycle"}],
            "MATNR_LONG": "SKU-1",
            "EAN11": "08712345678906",
            "MSGFN": "009",
            "MATNR": "SKU-1",
        }
    ]
}  # fmt: skip


def lines_of(content):
    text = content.decode()
    assert text.endswith("\n")
    return text[:-1].split("\n")


def refusal(writer, data, **options):
    with pytest.raises(ProblemError) as caught:
        writer.add(document("MATMAS05", data, **options))
    return caught.value.problems


class TestFlat:
    def test_the_control_record_has_every_value_at_its_place(self):
        content = written(FlatWriter(WriteProfile(control=PARTNER)), document("MATMAS05", MATERIAL))
        control = lines_of(content)[0]
        assert len(control) == 524
        found = {name: control[begin:end].rstrip() for name, (begin, end, _) in CONTROL.items()}
        assert found == {name: value for name, (_, _, value) in CONTROL.items()}
        rest = list(control)
        for begin, end, _ in CONTROL.values():
            rest[begin:end] = " " * (end - begin)
        assert not "".join(rest).strip()

    def test_every_field_of_the_control_record_is_a_setting_or_the_documents_own(self):
        assert {name for name, _, _ in CONTROL_FIELDS} == set(CONTROL)

    def test_a_unicode_port_and_what_does_not_fit_into_the_control_record(self):
        control = ControlRecord(table="EDI_DC40_U", message_reference="{number}{number}")
        writer = FlatWriter(WriteProfile(control=control.model_copy(update={"message_reference": ""})))
        assert lines_of(written(writer, document("MATMAS05", MATERIAL)))[0].startswith("EDI_DC40_U")
        (problem,) = refusal(FlatWriter(WriteProfile(control=control, overlong="cut")), MATERIAL)
        assert (problem.rule, problem.field) == ("field.too_long", "EDI_DC40.REFMES")

    @pytest.mark.parametrize("template", ["{order}", "{number.real.__class__}", "{", "{0}"])
    def test_a_template_of_the_control_record_names_what_there_is(self, template):
        with pytest.raises(ValueError, match="archive_key"):
            ControlRecord(archive_key=template)

    def test_heads_of_data_records_tell_the_tree(self):
        content = written(FlatWriter(WriteProfile(control=PARTNER)), document("MATMAS05", MATERIAL))
        heads = [
            (line[0:30].rstrip(), line[30:33], line[33:49], line[49:55], line[55:61], line[61:63])
            for line in lines_of(content)[1:]
        ]
        number = "0000000000004711"
        assert heads == [
            ("E2MARAM009", "100", number, "000001", "000000", "02"),
            ("E2MAKTM001", "100", number, "000002", "000001", "03"),
            ("E2MAKTM001", "100", number, "000003", "000001", "03"),
            ("E2MARMM002", "100", number, "000004", "000001", "03"),
            ("E2MEANM", "100", number, "000005", "000004", "04"),
            ("E2MARMM002", "100", number, "000006", "000001", "03"),
            ("E2MVKEM003", "100", number, "000007", "000001", "03"),
        ]

    def test_the_head_of_an_order_is_at_level_01_as_in_files_of_sap(self):
        order = {
            "E1EDP01": [{"POSEX": "000010", "E1EDP19": [{"QUALF": "002"}]}],
            "E1EDK01": [{"CURCY": "EUR"}],
        }
        content = written(FlatWriter(WriteProfile()), document("ORDERS05", order))
        assert [(line[:10], line[49:63]) for line in lines_of(content)[1:]] == [
            ("E2EDK01005", "00000100000001"),
            ("E2EDP01011", "00000200000002"),
            ("E2EDP19003", "00000300000203"),
        ]

    def test_values_stand_at_the_published_offsets(self):
        material = lines_of(written(FlatWriter(WriteProfile()), document("MATMAS05", MATERIAL)))[1:]
        assert len(material[0]) == 988
        assert material[0][63:84] == "009SKU-1".ljust(21)
        assert material[0][426:446] == "08712345678906".ljust(20)
        assert material[0][948:988] == "SKU-1".ljust(40)
        assert not material[0][84:426].strip()
        assert material[3][66:79] == "KAR12   1    "
        assert material[4][74:95] == "8712345678906".ljust(20) + "X"
        assert material[6][66:72] == "100010"
        assert material[6][159:177].rstrip() == "0001"

    def test_offsets_count_characters_and_not_bytes(self):
        data = {"E1MARAM": [{"MATNR": "A", "E1MAKTM": [{"MAKTX": "Zoë €", "SPRAS_ISO": "NL"}]}]}
        for encoding in ("utf-8", "iso-8859-15", "utf-16"):
            content = written(FlatWriter(WriteProfile(flat_encoding=encoding)), document("MATMAS05", data))
            text = content.decode(encoding).split("\n")[2]
            assert (text[67:72], text[107:109]) == ("Zoë €", "NL")

    def test_a_sign_that_the_encoding_lacks_is_told_by_field(self):
        data = {"E1MARAM": [{"MATNR": "A", "E1MAKTM": [{"MAKTX": "Café Ω"}]}]}
        (problem,) = refusal(FlatWriter(WriteProfile(flat_encoding="iso-8859-15")), data)
        assert (problem.rule, problem.field, problem.record) == ("field.encoding", "E1MAKTM.MAKTX", "K-1")
        assert "U+03A9" in problem.message
        assert "Caf" not in str(problem)

    def test_a_byte_order_mark_stands_once(self, read):
        documents = [document("MATMAS05", MATERIAL, number=str(number)) for number in (1, 2)]
        content = written(FlatWriter(WriteProfile(flat_encoding="utf-8-sig")), *documents)
        assert content.count(b"\xef\xbb\xbf") == 1
        assert len(read(content, message_types=("MATMAS",))) == 2


class TestXml:
    def test_the_form_is_that_of_the_xml_port(self):
        content = written(XmlWriter(WriteProfile(control=PARTNER)), document("MATMAS05", MATERIAL)).decode()
        assert content.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<ZMATMAS>\n<IDOC BEGIN="1">')
        assert '<EDI_DC40 SEGMENT="1"><TABNAM>EDI_DC40</TABNAM><MANDT>100</MANDT>' in content
        assert '<E1MARAM SEGMENT="1"><MSGFN>009</MSGFN><MATNR>SKU-1</MATNR><EAN11>' in content
        assert content.endswith("</E1MARAM></IDOC>\n</ZMATMAS>\n")

    def test_the_control_record_has_every_value(self):
        root = etree.fromstring(
            written(XmlWriter(WriteProfile(control=PARTNER)), document("MATMAS05", MATERIAL))
        )
        found = {field.tag: field.text for field in root.find("IDOC/EDI_DC40")}
        assert found == {name: value for name, (_, _, value) in CONTROL.items() if value}

    def test_children_stand_in_the_order_of_the_basic_type(self):
        root = etree.fromstring(written(XmlWriter(WriteProfile()), document("MATMAS05", MATERIAL)))
        segments = [child.tag for child in root.find("IDOC/E1MARAM") if child.get("SEGMENT")]
        assert segments == ["E1MAKTM", "E1MAKTM", "E1MARMM", "E1MARMM", "E1MVKEM"]

    def test_signs_of_xml_are_escaped_and_names_of_namespaces_rewritten(self, read):
        data = {"E1MARAM": [{"MATNR": "A<&>]]>", "/CWM/TARA": "X"}]}
        content = written(XmlWriter(WriteProfile()), document("MATMAS05", data))
        assert b"<_-CWM_-TARA>X</_-CWM_-TARA>" in content
        (found,) = read(content, message_types=("MATMAS",))
        assert found.data["E1MARAM"] == data["E1MARAM"]

    def test_another_basic_type_does_not_fit_into_the_file(self):
        writer = XmlWriter(WriteProfile())
        writer.add(document("MATMAS05", MATERIAL))
        with pytest.raises(ProblemError) as caught:
            writer.add(document("ADRMAS02", {"E1ADRMAS": [{"OBJ_ID": "1"}]}))
        assert caught.value.problem.rule == "file.mixed_types"

    def test_the_schema_refuses_what_the_writer_must_not_do(self):
        """The schema has teeth: wrong order, a value too long, an unknown field, no attribute."""
        schema = schema_of("MATMAS05")
        good = written(XmlWriter(WriteProfile()), document("MATMAS05", MATERIAL)).decode()
        assert schema.validate(etree.fromstring(good.encode()))
        for this, other in (
            ("<MSGFN>009</MSGFN><MATNR>SKU-1</MATNR>", "<MATNR>SKU-1</MATNR><MSGFN>009</MSGFN>"),
            ("<MATNR>SKU-1</MATNR>", "<MATNR>1234567890123456789</MATNR>"),
            ("<MATNR>SKU-1</MATNR>", "<MATNO>SKU-1</MATNO>"),
            ('<E1MVKEM SEGMENT="1">', "<E1MVKEM>"),
        ):
            assert this in good
            assert not schema.validate(etree.fromstring(good.replace(this, other, 1).encode()))


@pytest.mark.parametrize("make", WRITERS)
class TestLimits:
    def test_a_value_longer_than_its_field_is_refused(self, make):
        (problem,) = refusal(make(WriteProfile()), {"E1MARAM": [{"MATNR": "ABCDEFGH-1234567890"}]})
        assert (problem.rule, problem.field, problem.record) == ("field.too_long", "E1MARAM.MATNR", "K-1")
        assert problem.shape == "AAAAAAAA-9999999999"
        assert "19 characters, the field holds 18" in problem.message

    def test_all_faults_of_a_document_are_told_at_once(self, make):
        data = {
            "E1MARAM": [{"MATNR": "9" * 19, "COLOUR": "red", "E1MAKTM": [{"MAKTX": "a\nb"}], "E1MZZZM": [{}]}]
        }
        problems = refusal(make(WriteProfile()), data)
        assert [(problem.rule, problem.field) for problem in problems] == [
            ("field.too_long", "E1MARAM.MATNR"),
            ("field.unknown", "E1MARAM.COLOUR"),
            ("field.control_character", "E1MAKTM.MAKTX"),
            ("segment.unknown", "E1MZZZM"),
        ]

    def test_a_text_is_cut_where_the_settings_say_so_and_reported(self, make, read):
        writer = make(WriteProfile(overlong="cut"))
        name = "Vouwfiets met bagagedrager en verlichting, rood"
        data = {"E1MARAM": [{"MATNR": "A", "E1MAKTM": [{"MAKTX": name}]}]}
        content = written(writer, document("MATMAS05", data))
        (problem,) = writer.cut
        assert (problem.rule, problem.field, problem.record) == ("field.cut", "E1MAKTM.MAKTX", "K-1")
        assert name[:10] not in str(problem)
        (found,) = read(content, message_types=("MATMAS",))
        assert found.data["E1MARAM"][0]["E1MAKTM"][0]["MAKTX"] == name[:40].rstrip()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("BRGEW", "123456789012.345"),
            ("EAN11", "9" * 19),
            ("MATNR", "SKU-" + "A" * 20),
            ("ERSDA", "2026-11-23"),
        ],
    )
    def test_numbers_dates_and_keys_are_never_cut(self, make, field, value):
        writer = make(WriteProfile(overlong="cut"))
        (problem,) = refusal(writer, {"E1MARAM": [{"MATNR": "A", field: value}]})
        assert (problem.rule, problem.field) == ("field.too_long", f"E1MARAM.{field}")
        assert writer.cut == []

    def test_what_was_cut_of_a_refused_document_is_not_reported(self, make):
        writer = make(WriteProfile(overlong="cut"))
        refusal(writer, {"E1MARAM": [{"MATNR": "9" * 19, "E1MAKTM": [{"MAKTX": "x" * 41}]}]})
        assert writer.cut == []

    @pytest.mark.parametrize(
        "sign", ["\n", "\r", "\t", "\0", "\x1a", "\x7f", "\x85", "\u2028", "\ufffe", "\ud800"]
    )
    def test_control_characters_are_never_written(self, make, sign):
        for overlong in ("refuse", "cut"):
            writer = make(WriteProfile(overlong=overlong))
            (problem,) = refusal(writer, {"E1MARAM": [{"MATNR": f"A{sign}B"}]})
            assert problem.rule == "field.control_character"

    def test_a_segment_in_the_wrong_place_is_refused(self, make):
        (problem, _) = refusal(make(WriteProfile()), {"E1MAKTM": [{"MAKTX": "x"}]})
        assert (problem.rule, problem.field) == ("segment.misplaced", "E1MAKTM")
        (problem,) = refusal(make(WriteProfile()), {"E1MARAM": [{"MATNR": "A", "E1MARAM": [{"MATNR": "B"}]}]})
        assert (problem.rule, problem.field) == ("segment.misplaced", "E1MARAM")

    def test_a_segment_of_another_basic_type_is_refused(self, make):
        (problem, _) = refusal(make(WriteProfile()), {"E1EDK01": [{"CURCY": "EUR"}]})
        assert problem.message == "E1EDK01 is no segment of MATMAS05"

    def test_a_number_instead_of_a_text_is_refused(self, make):
        (problem,) = refusal(make(WriteProfile()), {"E1MARAM": [{"MATNR": "A", "BRGEW": 1.5}]})
        assert (problem.rule, problem.field) == ("field.no_text", "E1MARAM.BRGEW")

    @pytest.mark.parametrize("number", ["", "A1", "1" * 17])
    def test_a_document_number_that_is_none_is_refused(self, make, number):
        (problem,) = refusal(make(WriteProfile()), MATERIAL, number=number)
        assert problem.field == "EDI_DC40.DOCNUM"

    def test_a_document_without_segments_is_refused(self, make):
        (problem,) = refusal(make(WriteProfile()), {})
        assert problem.rule == "document.empty"

    def test_the_control_record_of_what_was_read_is_not_written_again(self, make, read):
        data = {"EDI_DC40": {"SNDPRN": "OTHER"}, **MATERIAL}
        (found,) = read(written(make(WriteProfile()), document("MATMAS05", data)), message_types=("MATMAS",))
        assert found.data["EDI_DC40"]["SNDPRN"] == "ASPERION"


@pytest.mark.parametrize("make", WRITERS)
def test_several_documents_stand_in_one_file(make, read):
    documents = [
        document("MATMAS05", {"E1MARAM": [{"MATNR": f"SKU-{number}"}]}, number=str(number))
        for number in range(1, 6)
    ]
    found = read(written(make(WriteProfile()), *documents), message_types=("MATMAS",))
    assert [(one.position, one.key, int(one.document_number)) for one in found] == [
        (number, f"SKU-{number}", number) for number in range(1, 6)
    ]


@pytest.mark.parametrize("make", WRITERS)
def test_the_same_documents_give_the_same_bytes_whatever_the_order_of_the_dict(make):
    turned = {"E1MARAM": [dict(reversed(MATERIAL["E1MARAM"][0].items()))]}
    assert written(make(WriteProfile()), document("MATMAS05", MATERIAL)) == written(
        make(WriteProfile()), document("MATMAS05", turned)
    )


@pytest.mark.parametrize("make", WRITERS)
def test_own_segments_are_written_with_a_layout_file(make, read, tmp_path):
    layout = tmp_path / "own.yaml"
    layout.write_text("segments:\n  Z1COLOUR000: COLOUR=10 SIZE=3\ntypes:\n  Z1COLOUR000: Z1COLOUR\n"
                      "parents:\n  E1MARAM: [Z1COLOUR]\n")  # fmt: skip
    data = {
        "E1MARAM": [
            {"Z1COLOUR": [{"COLOUR": "red", "SIZE": "XL"}], "E1MAKTM": [{"MAKTX": "x"}], "MATNR": "A"}
        ]
    }
    content = written(make(WriteProfile(layouts=(layout,))), document("MATMAS05", data))
    assert content.index(b"Z1COLOUR") > content.index(b"MAKTM")
    (found,) = read(content, message_types=("MATMAS",), layouts=(layout,))
    assert found.data["E1MARAM"] == data["E1MARAM"]


@pytest.mark.parametrize("make", WRITERS)
@pytest.mark.parametrize(
    ("basic_type", "message", "data", "key"),
    [
        ("MATMAS05", "MATMAS", {"E1MARAM": [{"MATNR": "A", "MATNR_LONG": "LONG-A"}]}, "LONG-A"),
        ("DEBMAS07", "DEBMAS", {"E1KNA1M": [{"KUNNR": "0000001005"}]}, "0000001005"),
        ("ADRMAS02", "ADRMAS", {"E1ADRMAS": [{"OBJ_TYPE": "KNA1", "OBJ_ID": "0000001005"}]}, "0000001005"),
        (
            "ORDERS05",
            "ORDRSP",
            {"E1EDK02": [{"QUALF": "002", "BELNR": "SO-7"}, {"QUALF": "001", "BELNR": "PO-1"}]},
            "PO-1",
        ),
        ("ORDERS05", "ORDRSP", {"E1EDK02": [{"QUALF": "002", "BELNR": "SO-7"}]}, "SO-7"),
        ("SYSTAT01", "STATUS", {"E1STATS": [{"DOCNUM": "0042", "STATUS": "53"}]}, "0042"),
        ("ALEAUD01", "ALEAUD", {"E1ADHDR": [{"E1STATE": [{"DOCNUM": "42"}]}]}, "0000000000004711"),
    ],
)  # fmt: skip
def test_message_types_are_read_with_their_key_where_the_settings_name_them(
    make, read, basic_type, message, data, key
):
    content = written(make(WriteProfile()), document(basic_type, data, message_type=message))
    (found,) = read(content, message_types=(message,), require_totals=message != "ORDRSP")
    assert (found.message_type, found.basic_type, found.key) == (message, basic_type, key)
    (other,) = read(content)
    assert isinstance(other, Problem)
    assert other.rule == "document.type"


@pytest.mark.parametrize(("make", "other"), [(FlatWriter, idoc_flat), (XmlWriter, idoc_xml)])
def test_the_sandbox_writes_the_same_orders_in_its_own_way(make, other, read):
    orders = list(sample_orders(5))
    documents = [
        document("ORDERS05", order_tree(order), number=str(place)) for place, order in enumerate(orders, 1)
    ]
    ours, theirs = read(written(make(WriteProfile()), *documents)), read(other(orders))
    assert [one.key for one in ours] == [order.reference for order in orders]
    for one, expected in zip(ours, theirs, strict=True):
        assert {**one.data, "EDI_DC40": {}} == {**expected.data, "EDI_DC40": {}}


def test_the_command_reads_what_was_written(tmp_path):
    settings = tmp_path / "asperion.yaml"
    settings.write_text(
        "version: 1\nintegrations:\n  shop:\n"
        "    sap: {connection: s}\n    asperion: {connection: a}\n    flows:\n"
        "      orders_to_asperion:\n        folder: {inbox: in}\n"
        "        reading: {message_types: [MATMAS, ADRMAS]}\n"
    )
    mail = {"E1ADRMAS": [{"OBJ_TYPE": "KNA1", "OBJ_ID": "1", "E1BPADSMTP": [{"E_MAIL": "a@example.org"}]}]}
    files = []
    for make in WRITERS:
        for basic_type, data in (("MATMAS05", MATERIAL), ("ADRMAS02", mail)):
            files.append(tmp_path / f"{basic_type}{make.suffix}")
            files[-1].write_bytes(written(make(WriteProfile()), document(basic_type, data)))
    done = subprocess.run(
        [sys.executable, "-m", "airflow_provider_asperion", "read", *files, "--settings", settings],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line[:11] for line in done.stdout.splitlines()] == ['{"document"'] * len(files)


@pytest.mark.parametrize("basic_type", MESSAGES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flat_is_read_back_equal(read, basic_type, data):
    tree = data.draw(trees(basic_type))
    content = written(FlatWriter(WriteProfile()), document(basic_type, tree))
    (found,) = read(content, message_types=(MESSAGES[basic_type],), check_totals=False)
    assert {name: value for name, value in found.data.items() if name != "EDI_DC40"} == tree
    assert found.skipped == {}


@pytest.mark.parametrize("basic_type", MESSAGES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_xml_is_read_back_equal_and_fits_the_schema(read, basic_type, data):
    tree = data.draw(trees(basic_type))
    content = written(XmlWriter(WriteProfile()), document(basic_type, tree))
    (found,) = read(content, message_types=(MESSAGES[basic_type],), check_totals=False)
    assert {name: value for name, value in found.data.items() if name != "EDI_DC40"} == tree
    _SCHEMAS.setdefault(basic_type, schema_of(basic_type)).assertValid(etree.fromstring(content))


_SCHEMAS = {}


@pytest.mark.parametrize("make", WRITERS)
def test_no_file_is_larger_than_it_may_be_to_the_byte(make):
    documents = [
        document("MATMAS05", MATERIAL, number=str(number), key=f"K-{number}") for number in range(1, 7)
    ]
    three = len(written(make(WriteProfile()), *documents[:3]))
    for maximum, counts in ((three, [3, 3]), (three - 1, [2, 2, 2])):
        found = write_files(documents, lambda: make(WriteProfile()), maximum_bytes=maximum)
        assert [len(file.keys) for file in found.files] == counts
        assert max(len(file.body) for file in found.files) <= maximum
