"""IDoc flat files: widths, line ends, versions, hierarchy, damage."""

import pytest

from airflow_provider_asperion.sap.layouts import load_layouts, segment_type
from tests.support.sap_documents import control, flat, record

pytestmark = pytest.mark.feature("X6")


def without_control(document):
    return {name: value for name, value in document.data.items() if name != "EDI_DC40"}


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("width", ["full", "trimmed"])
@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("table", ["EDI_DC40", "EDI_DC40_U"])
def test_every_form_of_a_flat_file_gives_the_same_content(read, order, end, width, versioned, table):
    trees = [order("PO-1"), order("PO-2", ("5.00",))]
    if not end:
        width = "full"
    found = read(flat(trees, end=end, width=width, versioned=versioned, table=table))
    assert [without_control(document) for document in found] == trees
    assert [(one.key, one.position, one.message_type, one.basic_type) for one in found] == [
        ("PO-1", 1, "ORDERS", "ORDERS05"),
        ("PO-2", 2, "ORDERS", "ORDERS05"),
    ]
    assert found[0].data["EDI_DC40"]["TABNAM"] == table
    assert found[0].format == "idoc_flat"


def test_control_records_may_be_padded_where_there_are_no_line_ends(read, order, rules):
    text = flat([order("PO-1"), order("PO-2")], end="")
    padded = text.replace(control("1"), control("1").ljust(1063)).replace(
        control("2"), control("2").ljust(1063)
    )
    assert rules(read(padded)) == ["PO-1", "PO-2"]


def test_characters_are_counted_not_bytes(read, order):
    tree = order()
    tree["E1EDKA1"][0].update(NAME1="é" * 35, NAME2="日本語")
    (document,) = read(flat([tree]))
    assert without_control(document) == tree


def test_another_encoding_is_a_setting_and_never_guessed(read, order):
    tree = order()
    tree["E1EDKA1"][0]["NAME1"] = "Müller €"
    text = flat([tree])
    assert read(text, "iso-8859-15", flat_encoding="iso-8859-15")[0].data["E1EDKA1"] == tree["E1EDKA1"]
    (problem,) = read(text, "iso-8859-15")
    assert (problem.rule, problem.position, problem.line) == ("file.encoding", None, 3)
    assert "Müller" not in str(problem)


def test_a_byte_order_mark_goes_before_the_setting(read, order, rules):
    text = flat([order()])
    assert rules(read(text, "utf-8-sig")) == ["PO-1"]
    assert rules(read(text, "utf-16")) == ["PO-1"]


def test_documents_before_an_undecodable_byte_are_read(read, order, rules):
    text = flat([order(f"PO-{number}") for number in range(1, 5)]).encode()
    place = text.index("Café".encode(), text.index(b"PO-3")) + 3
    for broken in (text[:place] + b"\xff" + text[place + 1 :],):
        assert rules(read(broken)) == ["PO-1", "PO-2", "file.encoding"]


def test_unknown_segments_are_skipped_and_counted(read, order):
    lines = flat([order()]).split("\n")
    lines.insert(3, record("E1EDK01", {}, 99).replace("E2EDK01", "Z1OWN00"))
    lines.insert(4, record("E1EDK01", {}, 99).replace("E2EDK01", "/ABC/X1"))
    (document,) = read("\n".join(lines))
    assert document.skipped == {"Z1OWN00": 1, "/ABC/X1": 1}


def test_an_unknown_version_gives_the_fields_that_all_versions_agree_on():
    layouts = load_layouts()
    unknown = {name: (begin, end) for name, begin, end in layouts.of("E2EDKA1002")}
    assert unknown["NAME1"] == (100, 135)
    assert "KNREF" not in unknown
    assert layouts.of("E2NOSUCH") is None


@pytest.mark.parametrize(
    ("definition", "field", "begin", "end"),
    [
        ("E2EDK01005", "RECIPNT_NO", 275, 285),
        ("E2EDKA1", "KNREF", 906, 929),
        ("E2EDKA1003", "KNREF", 906, 936),
        ("E2EDKA1003", "SPRAS_ISO", 1041, 1043),
        ("E2EDKA1003", "TITLE", 1043, 1058),
        ("E2EDP01011", "MATNR_EXTERNAL", 523, 563),
        ("E2EDP01", "UEPOS", 247, 253),
        ("E2EDP01", "LGORT", 446, 450),
        ("E2EDP19003", "IDTNR_EXTERNAL", 223, 263),
        ("E2EDP05002", "KRATE", 176, 191),
        ("E2EDP05002", "KOEIN", 275, 278),
        ("E2EDK05001", "KOEIN", 245, 248),
        ("E2EDK18", "ZTERM_TXT", 82, 152),
        ("E2EDP20", "EDATU", 93, 101),
        ("E2EDKT2001", "TDFORMAT", 133, 135),
    ],
)
def test_offsets_are_those_that_sap_publishes(definition, field, begin, end):
    assert (field, begin, end) in load_layouts().of(definition)


@pytest.mark.parametrize(
    ("definition", "kind"),
    [("E2EDP01011", "E1EDP01"), ("E2EDP01", "E1EDP01"), ("E2CUREF", "E1CUREF"), ("Z1OWN", "Z1OWN"),
     ("E2EDKA1003", "E1EDKA1"), ("E2EDPT1", "E1EDPT1")],
)  # fmt: skip
def test_the_type_of_a_definition(definition, kind):
    assert segment_type(definition) == kind


def test_the_grammar_decides_on_the_parent_whatever_psgnum_says(read, order):
    text = flat([order()])
    nonsense = "\n".join(
        line[:55] + line[49:55] + "24" + line[63:] if line.startswith("E2") else line
        for line in text.split("\n")
    )
    assert without_control(read(nonsense)[0]) == order()


def test_a_parent_number_that_names_another_item_refuses_the_document(read, order, rules):
    lines = flat([order(), order("PO-2")]).split("\n")
    items = [index for index, line in enumerate(lines) if line.startswith("E2EDP01")]
    first = lines[items[0]][49:55]
    child = items[1] + 1
    lines[child] = lines[child][:55] + first + lines[child][61:]
    found = read("\n".join(lines))
    assert rules(found) == ["idoc.hierarchy", "PO-2"]
    assert (found[0].record, found[0].position, found[0].line) == ("PO-1", 1, child + 1)


def test_a_child_before_any_parent_refuses_the_document(read, order, rules):
    lines = flat([order(), order("PO-2")]).split("\n")
    child = next(line for line in lines if line.startswith("E2EDP19"))
    lines.insert(2, child)
    assert rules(read("\n".join(lines))) == ["idoc.hierarchy", "PO-2"]


@pytest.mark.parametrize("damage", ["FDI_DC40", "        "])
def test_a_missing_control_record_does_not_merge_two_documents(read, order, rules, damage):
    text = flat([order("PO-1"), order("PO-2"), order("PO-3")])
    second = control("2")
    found = read(text.replace(second, damage + second[8:]))
    assert rules(found) in (["idoc.segment_name", "PO-3"], ["idoc.mixed", "PO-3"])


def test_two_heads_without_idoc_numbers_are_not_one_document(read, order, rules):
    text = flat([order("PO-1"), order("PO-2")]).replace(control("2") + "\n", "")
    blank = "\n".join(
        line[:33] + " " * 16 + line[49:] if line[:2] == "E2" else line for line in text.split("\n")
    )
    assert rules(read(blank)) == ["idoc.mixed"]


def test_a_record_that_is_cut_off_is_never_read_as_whole(read, order, rules):
    text = flat([order("PO-1"), order("PO-2")], width="trimmed").removesuffix("EUR\n").rstrip() + "\n"
    assert rules(read(text)) == ["PO-1", "PO-2"]
    assert rules(read(text[:-3])) == ["PO-1", "file.cut_off"]
    assert rules(read(text[:-1])) == ["PO-1", "file.cut_off"]
    assert rules(read(text[:-1], accept_open_end=True)) == ["PO-1", "PO-2"]


def test_a_last_record_as_wide_as_its_segment_needs_no_line_end(read, order, rules):
    assert rules(read(flat([order()])[:-1])) == ["PO-1"]


def test_a_document_without_its_summary_is_refused_where_the_others_have_one(read, order, rules):
    text = flat([order("PO-1"), order("PO-2")])
    cut = text[: text.rindex("E2EDP01")]
    assert rules(read(cut)) == ["PO-1", "file.cut_off"]


def test_a_document_without_summary_is_refused_when_one_is_required(read, order, rules):
    tree = order()
    del tree["E1EDS01"]
    assert rules(read(flat([tree]))) == ["PO-1"]
    assert rules(read(flat([tree]), require_totals=True)) == ["totals.missing"]


def test_limits_refuse_one_document_and_go_on(read, order, rules):
    big = order("PO-1", tuple(["1.00"] * 30))
    found = read(flat([big, order("PO-2")]), limits={"segments": 40})
    assert rules(found) == ["idoc.too_large", "PO-2"]


def test_a_file_that_is_too_large_ends_in_a_problem(read, order, rules):
    text = flat([order(f"PO-{number}") for number in range(1, 20)])
    found = read(text, limits={"file_bytes": len(text) // 2})
    assert rules(found)[-1] == "file.too_large"
    assert found[-1].position is None


def test_aliases_give_own_types_their_meaning(read, order, rules):
    text = flat([order()], kind="ZORDERS")
    assert rules(read(text)) == ["document.type"]
    (document,) = read(text, aliases={"ZORDERS": "ORDERS"})
    assert document.message_type == "ORDERS"


def test_a_confirmation_is_not_taken_for_an_order(read, order, rules):
    (problem,) = read(flat([order()], kind="ORDRSP"))
    assert problem.rule == "document.type"
    assert "ORDRSP" in problem.message


def test_the_samples_are_read_right(read, sample, rules):
    (document,) = read(sample("orders05_flat.txt"))
    assert document.key == "TESTPONUMBER"
    assert [item["E1EDP19"][0]["IDTNR"] for item in document.data["E1EDP01"]] == [
        "ITEM1",
        "ITEM2",
        "ITEM3",
        "ITEM4",
    ]


def test_a_sample_whose_totals_do_not_tie_is_held(read, sample):
    content = sample("invoic02_flat_extension.txt")
    (problem,) = read(content)
    assert (problem.rule, problem.record, problem.position) == ("totals.items", "0012345678", 1)
    assert "7349.68" in problem.message
    (document,) = read(content, check_totals=False)
    assert len(document.data["E1EDP01"]) == 2
    assert document.data["E1EDP01"][0]["E1EDP19"][1]["QUALF"] == "002"
    assert document.skipped == {"ZE1EDK810000": 1, "ZE1EDP810000": 2}


def test_a_sample_of_another_type_is_refused_by_name(read, sample):
    (problem,) = read(sample("shpmnt05_flat_crlf.txt"))
    assert problem.rule == "document.type"
    assert "SHPMNT" in problem.message
