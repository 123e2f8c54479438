"""Mapping files: `extends`, changes of single rows, and faults that name line, column and remedy."""

import pytest

from airflow_provider_asperion.mapping import LookUp, Mapping
from airflow_provider_asperion.records import ProblemError


@pytest.fixture
def write(tmp_path):
    def write(text, name="own.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def problems_of_loading(name, *args, **kwargs):
    with pytest.raises(ProblemError) as error:
        Mapping.load(name, *args, **kwargs)
    return error.value.problems


@pytest.mark.feature("W2")
def test_a_file_extends_a_shipped_mapping_and_changes_single_rows(write, document):
    path = write(
        "extends: orders05\nmapping: own\nrows:\n  remarks: null\n  channel: \"'shop'\"\n"
        "names:\n  buyer: partner('ZZ')\n"
    )
    mapping = Mapping.load(path)
    assert mapping.name == "own"
    assert mapping.applies_to(document({}))
    targets = {row.target: row for row in mapping.describe()}
    assert "remarks" not in targets
    assert targets["channel"].file == "own.yaml"
    assert targets["currency"].file == "orders05.yaml"
    data = {"E1EDK01": [{"BELNR": "1"}], "E1EDKA1": [{"PARVW": "ZZ", "PARTN": "5"}]}
    assert mapping.map(document(data)).values["customer"] == {"number": "5"}


def test_a_relative_path_is_found_below_the_folder(write, tmp_path):
    write("extends: orders05\n")
    write("extends: own.yaml\n", "more.yaml")
    assert Mapping.load("more.yaml", folder=tmp_path).name == "more"


def test_the_settings_change_and_remove_single_rows(document):
    mapping = Mapping.load("orders05", {"remarks": None, "channel": "'web'", "prices_include_vat": True})
    values = mapping.map(document({"E1EDK01": [{"BELNR": "1"}]})).values
    assert (values["channel"], values["prices_include_vat"]) == ("web", True)
    assert "remarks" not in {row.target for row in mapping.describe()}


def test_an_unknown_mapping_names_those_there_are():
    (problem,) = problems_of_loading("orders5")
    assert problem.rule == "mapping.unknown"
    assert "orders05" in problem.remedy


def test_an_unknown_base_is_named(write):
    (problem,) = problems_of_loading(write("extends: orders06\n"))
    assert "'orders06'" in problem.message


def test_a_mapping_that_extends_itself_is_refused(write):
    assert "extends itself" in problems_of_loading(write("extends: own.yaml\n"))[0].message


@pytest.mark.feature("W2")
def test_a_syntax_error_shows_line_column_and_a_caret(write):
    path = write("mapping: own\nrows:\n  reference: E1EDK01.BELNR\n  currency: E1EDK01.CURCY ) or 1\n")
    (problem,) = problems_of_loading(path)
    assert (problem.rule, problem.file, problem.line, problem.field) == (
        "mapping.expression",
        "own.yaml",
        4,
        "currency",
    )
    first, shown, caret = problem.message.splitlines()
    assert first == "unexpected ')' in column 27"
    assert shown[caret.index("^")] == ")"


@pytest.mark.parametrize(
    ("expression", "at"),
    [("partner('AG'", 12), ("a $ b", 2), ("a b", 2), ("a or", 4), ("x[", 2), ("", 0), ("'a", 0)],
)
def test_the_caret_stands_where_the_expression_goes_wrong(expression, at):
    (problem,) = problems_of_loading("orders05", {"currency": expression})
    assert problem.message.splitlines()[-1].index("^") == at + 4


def test_an_unknown_field_gets_a_did_you_mean(write):
    (problem,) = problems_of_loading(write("extends: orders05\nrows:\n  custmer.email: E1EDK01.BELNR\n"))
    assert (problem.rule, problem.line) == ("mapping.target", 3)
    assert "'customer.email'" in problem.remedy


@pytest.mark.feature("P3")
@pytest.mark.parametrize("target", ["lines.category", "image", "lines.variant_id"])
def test_what_articles_of_asperion_do_not_have_is_said_so(target):
    (problem,) = problems_of_loading("orders05", {target: "'x'"})
    assert "no categories, images or variants" in problem.message


def test_every_fault_of_a_file_is_reported_at_once(write):
    path = write(
        "extends: orders05\nfor_: x\nrows:\n  nonsense: \"'x'\"\n  currency: {value: EUR}\n"
        "  status: {valeu: E1EDK01.ACTION}\n"
    )
    first = problems_of_loading(path)
    assert {problem.field for problem in first} == {None, "status"}
    assert {problem.line for problem in first} == {2, 6}
    assert all(problem.file == "own.yaml" for problem in first)


def test_a_fixed_text_without_quotes_is_refused_with_the_way_to_write_it():
    (problem,) = problems_of_loading("orders05", {"currency": "EUR"})
    assert "\"'EUR'\"" in problem.remedy


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("partnr('AG')", "'partner'"),
        ("E1EDK01.CURCY | uper", "'upper'"),
        ("E1EDK01.CURCY is defned", "'defined'"),
        ("buyr.NAME1", "'buyer'"),
    ],
)
def test_unknown_functions_filters_tests_and_names_get_a_did_you_mean(expression, hint):
    assert hint in problems_of_loading("orders05", {"remarks": expression})[0].remedy


def test_a_row_that_names_an_unknown_table_is_refused():
    tables = {"payment_terms": LookUp()}
    row = {"value": "E1EDK01.ZTERM", "look_up": "payment_term"}
    (problem,) = problems_of_loading("orders05", {"payment_condition": row}, look_ups=tables)
    assert "'payment_terms'" in problem.remedy


def test_a_key_that_stands_twice_is_refused(write):
    (problem,) = problems_of_loading(write("rows:\n  remarks: \"'a'\"\n  remarks: \"'b'\"\n"))
    assert (problem.line, problem.field) == (3, "remarks")


def test_what_is_no_yaml_names_the_line(write):
    (problem,) = problems_of_loading(write("rows:\n  a: 'x\n"))
    assert problem.rule == "mapping.yaml"
    assert problem.line


def test_yaml_aliases_cannot_blow_a_file_up(write):
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))
    (problem,) = problems_of_loading(write(f"l0: &l0 [x]\n{levels}"))
    assert "too large" in problem.message


def test_tables_of_a_file_refuse_unquoted_codes_only_where_yaml_would_change_them(write, document):
    path = write("extends: orders05\nlook_ups:\n  payment_condition: {table: {0030: 0014}}\n")
    data = {"E1EDK01": [{"BELNR": "1", "ZTERM": "0030"}]}
    # In a mapping file every value is text as it stands; only settings files lose the zeros.
    assert Mapping.load(path).map(document(data)).values["payment_condition"] == "0014"


def test_a_failing_example_is_reported_with_its_line(write):
    path = write(
        "extends: orders05\nrows:\n  status:\n    value: E1EDK01.ACTION\n    examples:\n"
        "      - {given: {E1EDK01: {ACTION: a}}, gives: b}\n"
    )
    (problem,) = Mapping.load(path).check()
    assert (problem.rule, problem.file, problem.line, problem.field) == (
        "mapping.example",
        "own.yaml",
        6,
        "status",
    )


def test_an_example_that_cannot_be_evaluated_is_reported(write):
    path = write(
        "extends: orders05\nrows:\n  date:\n    value: date(E1EDK01.ACTION)\n    examples:\n"
        "      - {given: {E1EDK01: {ACTION: a}}, gives: b}\n"
    )
    (problem,) = Mapping.load(path).check()
    assert "cannot be evaluated" in problem.message


def test_required_is_true_or_false():
    (problem,) = problems_of_loading("orders05", {"remarks": {"value": "texts()", "required": "maybe"}})
    assert problem.field == "remarks"
    assert Mapping.load("orders05", {"remarks": {"value": "texts()", "required": True}})
