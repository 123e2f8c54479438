"""Delimited files: dialects, encodings, grouping, damage."""

import pytest

from airflow_provider_asperion.sap.profile import CsvProfile

pytestmark = pytest.mark.feature("X6")

HEADER = "ORDER_NO;NAME;SKU;QUANTITY;PRICE"
ROWS = ["A1;Café Zoë;X-1;2;12,50", "A1;Café Zoë;X-2;1;3,00", "A2;Jansen;X-1;5;12,50"]


def table(*rows, header=HEADER, end="\n"):
    return "".join(line + end for line in (header, *rows))


def csv(**settings):
    return {"csv": settings}


def test_consecutive_rows_with_the_same_key_are_one_document(read):
    first, second = read(table(*ROWS))
    assert (first.key, first.position, first.line, first.format, first.message_type) == (
        "A1", 1, 2, "csv", "orders_csv",
    )  # fmt: skip
    assert first.data["header"] is first.data["lines"][0]
    assert first.data["lines"][1] == {
        "ORDER_NO": "A1", "NAME": "Café Zoë", "SKU": "X-2", "QUANTITY": "1", "PRICE": "3,00",
    }  # fmt: skip
    assert (second.key, second.position, second.line, second.document_number) == ("A2", 2, 4, "A2")


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_is_found_in_the_header(read, delimiter, end):
    text = table(*ROWS, end=end).replace(",", ".").replace(";", delimiter)
    assert [one.data["lines"][0]["SKU"] for one in read(text)] == ["X-1", "X-1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "iso-8859-15", "cp1252", "utf-16"])
def test_encodings(read, encoding):
    setting = encoding if encoding not in ("utf-8-sig", "utf-16") else "iso-8859-1"
    found = read(table(*ROWS), encoding, **csv(encoding=setting))
    assert found[0].data["header"]["NAME"] == "Café Zoë"


def test_an_undecodable_byte_names_its_line_and_keeps_what_came_before(read, rules):
    text = table(*ROWS, "A3;Zoë;X;1;1").encode().replace("A3;Zoë".encode(), "A3;Zoë".encode("latin-1"))
    found = read(text)
    assert rules(found) == ["A1", "file.encoding"]
    assert (found[-1].position, found[-1].line) == (None, 5)


def test_quotes_hold_delimiters_quotes_and_line_ends(read):
    found = read(table('A1;"a;b ""c""\nd";X-1;2;1', "A2;x;y;1;1"))
    assert found[0].data["header"]["NAME"] == 'a;b "c"\nd'
    assert (found[1].key, found[1].line) == ("A2", 4)


def test_without_quotes_a_quote_is_a_letter(read):
    found = read(table('A1;17" monitor;X-1;2;1'), **csv(quote=""))
    assert found[0].data["header"]["NAME"] == '17" monitor'


def test_a_quote_that_is_never_closed_ends_the_reading(read, rules):
    found = read(table(ROWS[0], 'A2;"open;X;1;1', "A3;x;y;1;1"))
    assert rules(found) == ["csv.quotes"]
    assert found[0].line == 3


def test_a_field_that_swallowed_a_row_is_refused(read, rules):
    found = read(table('A1;"x;X-1;2;1\nA2;y;X-1;2;1\nA3;z";X-1;2;1', "A4;x;y;1;1"))
    assert rules(found) == ["csv.quotes", "A4"]


def test_files_without_header_and_lines_before_it(read, rules):
    columns = tuple(HEADER.split(";"))
    text = "".join(row + "\n" for row in ROWS)
    assert rules(read(text, **csv(columns=columns, delimiter=";"))) == ["A1", "A2"]
    assert rules(read("Report of today\n\n" + table(*ROWS), **csv(skip_lines=2))) == ["A1", "A2"]
    with pytest.raises(ValueError, match="delimiter"):
        CsvProfile(columns=columns)
    with pytest.raises(ValueError, match="among the columns"):
        CsvProfile(columns=("A",), delimiter=";")


@pytest.mark.parametrize(
    ("header", "word"),
    [("A;B;C", "ORDER_NO"), ("ORDER_NO;SKU;SKU", "SKU"), ("ORDER_NO;ORDER_NO", "ORDER_NO")],
)
def test_a_header_that_cannot_be_used(read, header, word):
    (problem,) = read(table("1;2;3", header=header))
    assert (problem.rule, problem.position, problem.line) == ("csv.header", None, 1)
    assert word in problem.message


@pytest.mark.parametrize("row", ["A2;x;y;1", "A2;x;y;1;1;1"])
def test_a_row_with_the_wrong_number_of_fields_refuses_its_document_only(read, rules, row):
    found = read(table(*ROWS[:2], "A2;x;y;1;1", row, "A3;x;y;1;1"))
    assert rules(found) == ["A1", "csv.columns", "A3"]
    assert (found[1].record, found[1].position, found[1].line) == ("A2", 2, 5)


def test_two_rows_that_ran_together_refuse_both_documents(read, rules):
    found = read(table(*ROWS[:2], "A2;x;y;1;1A3;x;y;1;1", "A3;x;z;1;1", "A4;x;y;1;1"))
    assert rules(found) == ["A1", "csv.columns", "csv.columns", "A4"]


def test_a_row_without_key_refuses_what_it_may_belong_to(read, rules):
    found = read(table("A0;x;y;1;1", *ROWS[:2], ";x;y;1;1", "A2;x;y;1;1", "A3;x;y;1;1"))
    assert rules(found) == ["A0", "csv.key.missing", "csv.key.missing", "csv.key.missing", "A3"]
    assert [one.position for one in found] == [1, 2, 3, 4, 5]


def test_a_key_that_returns_is_refused(read, rules):
    found = read(table(*ROWS, ROWS[0]))
    assert rules(found) == ["A1", "A2", "csv.key.returns"]
    assert (found[2].record, found[2].position, found[2].line) == ("A1", 3, 5)


def test_what_a_spreadsheet_destroyed_is_refused_by_row_and_field(read, rules):
    found = read(table("A1;x;1,23457E+12;1;1", "A2;x;2E5;1;1", "A3;x;8.7E+12;1;1"))
    assert rules(found) == ["csv.excel", "A2", "csv.excel"]
    assert (found[0].field, found[0].line, found[0].shape) == ("SKU", 2, "9,99999A+99")


def test_blank_lines_and_columns_without_name(read):
    found = read(table("A1;x;1", ";;", "", header="ORDER_NO;NAME;"))
    assert found[0].data["lines"] == [{"ORDER_NO": "A1", "NAME": "x"}]
    assert found[0].skipped == {"(no name)": 1}


def test_a_last_row_without_line_end_is_not_read_as_whole(read, rules):
    text = table(*ROWS)[:-1]
    assert rules(read(text)) == ["A1", "file.cut_off"]
    assert rules(read(text, accept_open_end=True)) == ["A1", "A2"]


class TestTrailer:
    PROFILE = {"decimal_sign": ","}  # noqa: RUF012
    TRAILER = {"marker": "END", "rows": 2, "sums": {"PRICE": 3}}  # noqa: RUF012

    def settings(self):
        return csv(trailer=self.TRAILER, dialect=self.PROFILE)

    def test_that_ties(self, read, rules):
        assert rules(read(table(*ROWS, "END;3;28,00"), **self.settings())) == ["A1", "A2"]
        assert rules(read(table(*ROWS, "END;3;28,00")[:-1], **self.settings())) == ["A1", "A2"]

    @pytest.mark.parametrize("trailer", ["END;4;28,00", "END;3;28,01", "END;3", "END;3;many"])
    def test_that_does_not(self, read, rules, trailer):
        assert rules(read(table(*ROWS, trailer), **self.settings()))[-1] == "csv.trailer"

    def test_that_is_missing_keeps_the_last_document_back(self, read, rules):
        assert rules(read(table(*ROWS), **self.settings())) == ["A1", "file.cut_off"]

    def test_behind_which_rows_stand(self, read, rules):
        assert rules(read(table(*ROWS, "END;3;28,00", "A9;x;y;1;1"), **self.settings()))[-1] == "csv.trailer"

    def test_of_a_column_that_is_not_there(self, read, rules):
        settings = csv(trailer={"marker": "END", "sums": {"WEIGHT": 2}})
        assert rules(read(table(*ROWS), **settings)) == ["csv.header"]


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        ({"segments": 1}, "csv.too_large"),
        ({"field_length": 7}, "csv.field_length"),
        ({"document_bytes": 30}, "csv.too_large"),
    ],
)
def test_limits_refuse_one_document(read, rules, limits, rule):
    assert rules(read(table(*ROWS), limits=limits)) == [rule, "A2"]


def test_a_row_without_end_costs_no_memory_without_end(read, rules):
    assert rules(read(HEADER + "\nA1;" + "x" * 3_000_000)) == ["csv.row_length"]


def test_nothing_personal_is_in_a_problem(read):
    found = read(table("A1;Jan Jansen;X-1;2", "A2;Jan Jansen", ';Jan Jansen;"Jan Jansen'))
    assert found
    assert not any("Jansen" in str(one) for one in found)
