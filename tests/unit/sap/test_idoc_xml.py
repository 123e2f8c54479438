"""IDoc XML: forms in the wild, hostile content, damage."""

import pytest

from tests.support.sap_documents import xml

pytestmark = pytest.mark.feature("X6")


def without_control(document):
    return {name: value for name, value in document.data.items() if name != "EDI_DC40"}


def test_many_documents_in_one_file(read, order):
    trees = [order("PO-1"), order("PO-2", ("5.00",))]
    found = read(xml(trees))
    assert [without_control(one) for one in found] == trees
    assert [(one.key, one.position, one.line, one.format, one.basic_type) for one in found] == [
        ("PO-1", 1, 2, "idoc_xml", "ORDERS05"),
        ("PO-2", 2, 3, "idoc_xml", "ORDERS05"),
    ]


@pytest.mark.parametrize(
    "declaration",
    ["", '<?xml version="1.1" encoding="UTF-8"?>', "\n\n", "<?xml version='1.0'?>", "<!-- made by hand -->"],
)
def test_declarations_seen_in_the_wild(read, order, declaration):
    assert without_control(read(xml([order()], declaration=declaration))[0]) == order()


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "iso-8859-15", "cp1252", "utf-16", "us-ascii"])
def test_the_declaration_states_the_encoding_not_the_settings(read, order, encoding):
    tree = order()
    if encoding == "us-ascii":
        tree["E1EDKA1"][0]["NAME1"] = "Cafe"
    text = xml([tree], declaration=f'<?xml version="1.0" encoding="{encoding}"?>')
    assert without_control(read(text, encoding, flat_encoding="cp1252")[0]) == tree


def test_a_mark_and_a_declaration_together(read, order, rules):
    assert rules(read(xml([order()]), "utf-8-sig")) == ["PO-1"]


def test_names_of_definitions_become_types(read, order):
    text = xml([order()]).replace("E1EDK01", "E2EDK01005").replace("E1EDP01", "E2EDP01011")
    assert without_control(read(text)[0]) == order()


def test_namespaces_and_prefixes_do_not_matter(read, order):
    text = xml([order()]).replace("<", "<ns0:").replace("<ns0:/", "</ns0:").replace("<ns0:?", "<?")
    text = text.replace("<ns0:ORDERS05>", '<ns0:ORDERS05 xmlns:ns0="http://example.com/idoc">')
    assert without_control(read(text)[0]) == order()


def test_groups_of_the_adapter_of_microsoft(read, rules):
    text = """<Receive xmlns="http://Microsoft.LobServices.Sap/2007/03/Idoc/3/ORDERS05//731/Receive"><idocData>
    <EDI_DC40 xmlns="x"><DOCNUM>1</DOCNUM><MESTYP>ORDERS</MESTYP><IDOCTYP>ORDERS05</IDOCTYP></EDI_DC40>
    <E2EDK01005><BELNR>PO-1</BELNR></E2EDK01005>
    <E2EDP01007GRP><E2EDP01007><POSEX>10</POSEX></E2EDP01007><E2EDP19001><QUALF>002</QUALF></E2EDP19001>
    </E2EDP01007GRP>
    <E2EDP01007GRP><E2EDP01007><POSEX>20</POSEX></E2EDP01007></E2EDP01007GRP>
    </idocData></Receive>"""
    (document,) = read(text)
    assert document.data["E1EDP01"] == [
        {"POSEX": "10", "E1EDP19": [{"QUALF": "002"}]},
        {"POSEX": "20"},
    ]
    assert document.data["EDI_DC40"]["IDOCTYP"] == "ORDERS05"


def test_own_segments_inside_standard_ones_are_kept(read, order):
    text = xml([order()]).replace("</E1EDP19>", "</E1EDP19><ZMARM1 SEGMENT='1'><COL>red</COL></ZMARM1>", 1)
    assert read(text)[0].data["E1EDP01"][0]["ZMARM1"] == [{"COL": "red"}]


def test_empty_elements_and_blanks_are_absent(read, order):
    text = xml([order()]).replace("<CURCY>EUR</CURCY>", "<CURCY>\t EUR\n</CURCY><ZTERM/><BSART>\t</BSART>", 1)
    text = text.replace("<E1EDKA1", "<E1EDKA3/><E1EDKA1", 1)
    assert read(text)[0].data["E1EDK01"] == order()["E1EDK01"]


def test_without_a_control_record_the_root_says_what_it_is(read, order):
    text = xml([order()])
    bare = text[: text.index("<EDI_DC40")] + text[text.index("</EDI_DC40>") + 11 :]
    (document,) = read(bare)
    assert (document.message_type, document.basic_type, document.document_number) == (
        "ORDERS",
        "ORDERS05",
        "",
    )
    other = bare.replace("ORDERS05>", "Z_OUR_ORDER>")
    assert read(other)[0].rule == "document.type"
    assert read(other, aliases={"Z_OUR_ORDER": "ORDERS"})[0].key == "PO-1"


def test_the_root_of_an_extension_does_not_decide(read, order, rules):
    assert rules(read(xml([order()], root="ZORDERS_EXT"))) == ["PO-1"]


def test_stray_text_and_other_elements_in_the_root_do_not_matter(read, order, rules):
    text = xml([order()]).replace("<IDOC", "stray<note>x</note><IDOC", 1)
    assert rules(read(text)) == ["PO-1"]


def test_a_raw_ampersand_is_named(read, order, rules):
    text = xml([order("PO-1"), order("PO-2")])
    place = text.rindex("Fiets")
    found = read(text[:place] + "A & B" + text[place:])
    assert rules(found) == ["PO-1", "xml.raw_sign"]
    assert (found[1].position, found[1].line) == (None, 3)
    assert "&amp;" in found[1].remedy


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE ORDERS05>",
        '<!DOCTYPE ORDERS05 SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
    ],
)
def test_a_document_type_declaration_ends_the_reading(read, order, doctype):
    text = xml([order()], declaration='<?xml version="1.0"?>' + doctype).replace("Fiets", "&a;&c;")
    (problem,) = read(text)
    assert (problem.rule, problem.position) == ("xml.doctype", None)


def test_every_cut_of_a_file_gives_the_documents_before_it(read, order, rules):
    text = xml([order("PO-1"), order("PO-2")])
    first_end = text.index("</IDOC>") + len("</IDOC>")
    for place in range(text.index("<ORDERS05>") + 12, len(text) - 2, 37):
        found = read(text[:place])
        whole = text[:place].count("</IDOC>")
        assert rules(found)[:-1] == ["PO-1", "PO-2"][:whole], place
        assert found[-1].rule == "file.cut_off"
        assert found[-1].position is None
    assert first_end


def test_a_bad_document_is_refused_and_the_next_one_is_read(read, order, rules):
    text = xml([order("PO-1"), order("PO-2"), order("PO-3")])
    place = text.index("<CURCY>", text.index("<IDOC", text.index("</IDOC>")))
    found = read(text[:place] + "<CURCY>USD</CURCY>" + text[place:])
    assert rules(found) == ["PO-1", "idoc.field_twice", "PO-3"]
    assert (found[1].position, found[1].field, found[1].line) == (2, "E1EDK01.CURCY", 3)


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"segments": 5}, "idoc.too_large"),
        ({"field_length": 6}, "idoc.field_length"),
    ],
)
def test_limits_refuse_single_documents(read, order, rules, limits, rule):
    assert rules(read(xml([order(), order()]), limits=limits)) == [rule, rule]


def test_a_document_beyond_its_limit_ends_the_reading(read, order, rules):
    big = order("PO-2", ("1.00",) * 2000)
    found = read(xml([order("PO-1"), big, order("PO-3")]), limits={"document_bytes": 150_000})
    assert rules(found) == ["PO-1", "idoc.too_large"]
    assert found[1].position is None


@pytest.mark.parametrize("entity", ["&nbsp;", "&a;"])
def test_entities_are_never_resolved(read, order, rules, entity):
    text = xml([order("PO-1"), order("PO-2")])
    place = text.rindex("Fiets")
    assert rules(read(text[:place] + entity + text[place:])) == ["PO-1", "xml.entity"]


def test_deep_nesting_ends_the_reading(read, order, rules):
    deep = "<ORDERS05><IDOC>" + "<A>" * 5000 + "</A>" * 5000 + "</IDOC></ORDERS05>"
    assert rules(read(deep)) == ["xml.nesting"]
    assert rules(read("<A>" * 5000 + "</A>" * 5000)) == ["xml.nesting"]


def test_a_field_of_megabytes_costs_no_more_than_its_limit(read, order, rules):
    text = xml([order()]).replace("Fiets", "x" * 5_000_000, 1)
    assert rules(read(text)) == ["idoc.field_length"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<html><body>Login</body></html>", "xml.no_idoc"),
        ("<ORDERS05></ORDERS05>", "xml.no_idoc"),
        ("<ORDERS05><IDOC></ORDERS05>", "xml.not_well_formed"),
        ('<?xml version="1.0" encoding="klingon"?><ORDERS05/>', "file.encoding"),
        ("<ORDERS05><IDOC BEGIN='1'></IDOC></ORDERS05>", "document.key"),
        ("<", "file.cut_off"),
    ],
)
def test_what_is_no_idoc(read, rules, text, rule):
    assert rules(read(text)) == [rule]


def test_undecodable_bytes(read, order, rules):
    text = xml([order("PO-1"), order("PO-2")]).encode()
    place = text.rindex(b"Caf") + 3
    assert rules(read(text[:place] + b"\xff" + text[place + 2 :])) == ["PO-1", "file.encoding"]


def test_two_control_records_refuse_the_document(read, order, rules):
    text = xml([order("PO-1"), order("PO-2")])
    twice = text.replace("</EDI_DC40>", "</EDI_DC40><EDI_DC40 SEGMENT='1'><DOCNUM>9</DOCNUM></EDI_DC40>", 1)
    found = read(twice)
    assert rules(found) == ["idoc.control_record", "PO-2"]
    assert found[0].record == "PO-1"
