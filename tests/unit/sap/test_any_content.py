"""Any order in any format reads the same; any damage is a problem, never another order."""

import copy
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.dialect import Dialect
from tests.support.sap_documents import cpi_json, flat, xml

pytestmark = pytest.mark.feature("X6")

WRITERS = {
    "flat": flat,
    "xml": xml,
    "json": cpi_json,
    "trimmed": lambda trees: flat(trees, width="trimmed", end="\r\n"),
}
TEXT = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Co", "Cn"), include_characters=" &<>\"'/"
    ),
    min_size=1,
    max_size=30,
).filter(lambda text: text == text.strip())
NETS = st.lists(st.decimals(0, 99999, places=2).map(lambda net: f"{net:f}"), min_size=1, max_size=4)


@st.composite
def trees(draw):
    """Make orders whose control totals tie."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        nets = draw(NETS)
        found.append(
            {
                "E1EDK01": [{"CURCY": "EUR", "BELNR": f"PO-{number}"}],
                "E1EDKA1": [
                    {"PARVW": role, "NAME1": draw(TEXT), "E1EDKA3": [{"QUALP": "998", "STDPN": draw(TEXT)}]}
                    for role in draw(st.sets(st.sampled_from(["AG", "WE", "RE"])))
                ],
                "E1EDK02": [{"QUALF": "001", "BELNR": f"PO-{number}"}],
                "E1EDP01": [
                    {
                        "POSEX": f"{place:06d}",
                        "E1EDP19": [{"QUALF": "002", "IDTNR": draw(TEXT), "KTEXT": draw(TEXT)}],
                        "E1EDP26": [{"QUALF": "003", "BETRG": net}],
                    }
                    for place, net in enumerate(nets, start=1)
                ],
                "E1EDS01": [
                    {"SUMID": "001", "SUMME": str(len(nets))},
                    {"SUMID": "002", "SUMME": f"{sum(map(Decimal, nets)):f}", "WAERQ": "EUR"},
                ],
            }
        )
        if not found[-1]["E1EDKA1"]:
            del found[-1]["E1EDKA1"]
    return found


def content_of(document):
    return {name: value for name, value in document.data.items() if name != "EDI_DC40"}


def items_of(content):
    """Return all but the sums: a cut between two sums leaves a document whole in all that is ordered."""
    return {name: value for name, value in content.items() if name != "E1EDS01"}


def total_of(document):
    """Return what the items add up to, None when no item states anything."""
    amounts = [
        Decimal(row["BETRG"])
        for item in document.data.get("E1EDP01", [])
        for row in item.get("E1EDP26", [])
        if row.get("QUALF") == "003" and "BETRG" in row
    ]
    return sum(amounts) if amounts else None


@pytest.mark.parametrize("form", WRITERS)
@given(trees=trees())
def test_what_is_written_in_any_format_is_read_back(read, form, trees):
    before = copy.deepcopy(trees)
    assert [content_of(document) for document in read(WRITERS[form](trees))] == before


@pytest.mark.parametrize("form", WRITERS)
@given(trees=trees(), data=st.data())
@settings(max_examples=60)
def test_a_file_cut_off_anywhere_gives_whole_documents_or_none(read, form, trees, data):
    content = WRITERS[form](trees).encode()
    place = data.draw(st.integers(0, len(content) - 1))
    for found in read(content[:place], require_totals=True):
        assert isinstance(found, Problem) or items_of(content_of(found)) == items_of(
            trees[found.position - 1]
        )


@pytest.mark.parametrize("form", WRITERS)
@given(trees=trees(), data=st.data())
@settings(max_examples=100)
def test_one_changed_byte_never_changes_an_amount(read, form, trees, data):
    content = bytearray(WRITERS[form](trees).encode())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    totals = {tree["E1EDK01"][0]["BELNR"]: sum(map(Decimal, _nets(tree))) for tree in trees}
    for found in read(bytes(content)):
        if not isinstance(found, Problem) and found.key in totals:
            assert total_of(found) in (totals[found.key], None)


def _nets(tree):
    return [row["BETRG"] for item in tree["E1EDP01"] for row in item["E1EDP26"]]


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"EDI_DC40  ", b"<ORDERS05><IDOC>", b"{", b"ORDER_NO;SKU\n"]),
)
@settings(max_examples=100)
def test_any_bytes_give_problems_and_no_exception(read, content, begin):
    for found in read(begin + content):
        assert found.file == "f"


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "C"]), TEXT, st.sampled_from(["1", "2,50"])),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([";", ",", "\t", "|"]),
    st.data(),
)
def test_delimited_rows_are_read_back_and_damage_never_raises(read, rows, delimiter, data):
    rows = sorted(rows, key=lambda row: row[0])
    lines = [
        delimiter.join(f'"{value}"' for value in (key, text.replace('"', "'"), price))
        for key, text, price in rows
    ]
    content = "\r\n".join([delimiter.join(["ORDER_NO", "NAME", "PRICE"]), *lines, ""]).encode()
    found = read(content)
    assert [line for document in found for line in document.data["lines"]] == [
        {"ORDER_NO": key, "NAME": text.replace('"', "'"), "PRICE": price} for key, text, price in rows
    ]
    place = data.draw(st.integers(0, len(content) - 1))
    lengths = {document.key: len(document.data["lines"]) for document in found}
    for cut in read(content[:place]):
        # A cut between two rows cannot be seen without a trailer; within a row it can.
        assert isinstance(cut, Problem) or len(cut.data["lines"]) <= lengths[cut.key]
    damaged = bytearray(content)
    damaged[place] = data.draw(st.integers(0, 255))
    read(bytes(damaged))


@pytest.mark.parametrize("form", ["flat", "xml"])
def test_the_protection_is_that_of_the_control_totals(read, order, form):
    text = WRITERS[form]([order()]).replace("2.50", "2.51", 1)
    assert isinstance(read(text)[0], Problem)
    assert not isinstance(read(text, check_totals=False)[0], Problem)


@pytest.mark.parametrize("form", WRITERS)
def test_a_refused_document_is_named_by_its_key(read, order, form):
    tree = order("PO-1")
    tree["E1EDP01"][1]["E1EDP19"][0]["KTEXT"] = "x" * 40
    limits = {"segments": 7} if form in ("flat", "trimmed") else {"field_length": 30}
    (problem,) = read(WRITERS[form]([tree]), limits=limits)
    assert (problem.record, problem.position) == ("PO-1", 1)


def test_a_document_that_was_cut_off_is_named_by_its_key(read, order):
    (problem,) = read(flat([order("PO-1")], width="trimmed")[:-1].rstrip("EUR "))
    assert (problem.rule, problem.record, problem.position) == ("file.cut_off", "PO-1", None)


def test_a_wrong_number_in_a_csv_dialect_is_named_by_the_mapping_without_its_value(read):
    text = "ORDER_NO;ORDER_DATE;SKU;QUANTITY;PRICE\nA1;20.11.2026;X;1.234,50;twelve\n"
    dialect = Dialect(decimal_sign=",", thousands=True, dates=("DD.MM.YYYY",))
    mapping = Mapping.load("orders_csv", functions={"decimal": dialect.decimal, "date": dialect.date})
    with pytest.raises(ProblemError) as caught:
        mapping.map(read(text)[0])
    assert "twelve" not in str(caught.value)
    values = mapping.map(read(text.replace("twelve", "1,10-"))[0]).values
    assert (values["lines"][0]["quantity"], values["lines"][0]["price"]) == (
        Decimal("1234.50"),
        Decimal("-1.10"),
    )
    assert str(values["date"]) == "2026-11-20"
