"""Delimited files: what is written is read back equal in every dialect, and split files tie."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.csv_writing import CsvWriter
from airflow_provider_asperion.sap.dialect import Dialect
from airflow_provider_asperion.sap.file_names import LONGEST, NameTemplate, file_name
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile, Trailer
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.sap.write_profile import CsvForm, WriteProfile
from airflow_provider_asperion.sap.writing import TargetDocument, write_documents, write_files

pytestmark = pytest.mark.feature("X6")

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
COLUMNS = ("SKU", "TITLE", "PRICE", "DAY")
# Printable text without a quote at its edge, as a reader that trims gives it back.
texts = st.text(
    st.characters(codec="iso-8859-1", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30
).map(lambda text: " ".join(text.split()))
rows = st.builds(
    lambda title, price, day: {"TITLE": title, "PRICE": f"{price:f}", "DAY": day.isoformat()},
    texts.filter(lambda text: text and text != "/"),
    st.decimals(-(10**6), 10**6, places=2),
    st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)),
)


def document(row, number=1):
    sku = f"SKU-{number:05}"
    return TargetDocument(sku, "csv", "", "1", NOON, {"lines": [{"SKU": sku, **row}]})


def writer(form):
    return CsvWriter(WriteProfile(format="csv", csv=form), COLUMNS, frozenset({"PRICE"}), frozenset({"DAY"}))


def read_back(content, form, **more):
    profile = CsvProfile(
        group_by="SKU",
        delimiter=form.delimiter,
        quote=form.quote,
        encoding=form.encoding,
        columns=() if form.header else COLUMNS,
        **more,
    )
    return list(read_documents(io.BytesIO(content), file="x.csv", profile=ReadProfile(csv=profile)))


forms = st.builds(
    CsvForm,
    delimiter=st.sampled_from(";,\t|"),
    quote=st.sampled_from("\"'"),
    quoting=st.sampled_from(["minimal", "all"]),
    header=st.booleans(),
    line_end=st.sampled_from(["crlf", "lf"]),
    encoding=st.sampled_from(["utf-8", "iso-8859-1", "cp1252", "utf-16"]),
    byte_order_mark=st.booleans(),
    decimal_sign=st.sampled_from(".,"),
    minus=st.sampled_from(["before", "after"]),
    date=st.sampled_from(["YYYYMMDD", "YYYY-MM-DD", "DD.MM.YYYY", "DD-MM-YYYY"]),
).filter(lambda form: form.encoding != "utf-16" or form.byte_order_mark)


@given(forms, st.lists(rows, min_size=1, max_size=5))
def test_what_is_written_is_read_back_equal(form, given_rows):
    documents = [document(row, number) for number, row in enumerate(given_rows, start=1)]
    found = read_back(write_documents(documents, writer(form)), form)
    dialect = Dialect(decimal_sign=form.decimal_sign, dates=(form.date,))
    assert [one.key for one in found if not isinstance(one, Problem)] == [one.key for one in documents]
    for one, row in zip(found, given_rows, strict=True):
        header = one.data["header"]
        assert header["TITLE"] == row["TITLE"]
        assert dialect.decimal(header["PRICE"]) == Decimal(row["PRICE"])
        assert dialect.date(header["DAY"]).isoformat() == row["DAY"]


@given(st.lists(rows, min_size=1, max_size=30), st.integers(100, 400))
def test_files_are_split_between_documents_and_their_totals_tie(given_rows, maximum):
    form = CsvForm(trailer="TOTAL", sums=("PRICE",))
    documents = [document(row, number) for number, row in enumerate(given_rows, start=1)]
    written = write_files(documents, lambda: writer(form), maximum_bytes=maximum)
    trailer = Trailer(marker="TOTAL", rows=2, sums={"PRICE": 3})
    keys = []
    for number, file in enumerate(written.files, start=1):
        found = read_back(file.body, form, trailer=trailer)
        assert not [one for one in found if isinstance(one, Problem)], found
        assert file.part == number
        assert len(file.body) <= maximum, "the trailer counts too"
        assert tuple(one.key for one in found) == file.keys
        keys += file.keys
    assert sorted([*keys, *written.refused]) == [one.key for one in documents]
    again = write_files(documents, lambda: writer(form), maximum_bytes=maximum)
    assert [file.body for file in again.files] == [file.body for file in written.files]


def test_a_document_that_cannot_be_written_leaves_the_others():
    good, bad = {"TITLE": "Pen", "PRICE": "1"}, {"TITLE": "Кофе", "PRICE": "2"}
    form = CsvForm(encoding="iso-8859-1", trailer="TOTAL", sums=("PRICE",))
    written = write_files(
        [document(good, 1), document(bad, 2), document(good, 3)],
        lambda: writer(form),
        maximum_bytes=10_000,
    )
    assert written.files[0].keys == ("SKU-00001", "SKU-00003")
    assert written.files[0].body.splitlines()[-1] == b"TOTAL;2;2"
    (problem,) = written.refused["SKU-00002"]
    assert (problem.rule, problem.record, problem.field) == ("file.encoding", "SKU-00002", "TITLE")
    assert "Кофе" not in str(problem)


def test_no_document_makes_no_file():
    assert write_files([], lambda: writer(CsvForm()), maximum_bytes=100).files == []


def test_a_column_that_the_file_does_not_have_is_refused_by_name():
    with pytest.raises(ProblemError) as caught:
        writer(CsvForm()).add(document({"COLOUR": "x"}))
    assert (caught.value.problem.field, caught.value.problem.record) == ("COLOUR", "SKU-00001")


@pytest.mark.parametrize("text", ["=1+1", "+31 20", "-x", "@cmd"])
def test_formulas_are_neutralised_where_the_settings_say_so_and_numbers_never(text):
    row = {"TITLE": text, "PRICE": "-1.50"}
    plain = writer(CsvForm()).add(document(row)).decode()
    guarded = writer(CsvForm(neutralise_formulas=True)).add(document(row)).decode()
    assert f";{text};-1.50" in plain
    assert f";'{text};-1.50" in guarded


def test_keys_are_padded_and_line_breaks_become_blanks():
    form = CsvForm(pad={"SKU": 18})
    target = TargetDocument("1", "csv", "", "1", NOON, {"lines": [{"SKU": "123", "TITLE": "a\nb"}]})
    assert writer(form).add(target) == b"000000000000000123;a b;;\r\n"


NAME = {"kind": "MATMAS", "administration": "1", "run": "run1", "run_at": NOON, "batch": 1, "part": 1}
DEFAULT = "{kind}_{administration}_{run}_{batch:04}-{part:02}{suffix}"


def test_a_name_is_the_same_for_the_same_batch_and_no_other():
    def name(**changes):
        return file_name(DEFAULT, **{**NAME, "suffix": ".xml", **changes})

    assert name() == name()
    later = NOON + dt.timedelta(milliseconds=1)
    others = [name(run="run2"), name(batch=2), name(part=2), name(run_at=later), name(administration="2")]
    assert len({name(), *others}) == 6


@given(st.text(max_size=20), st.text(max_size=20), st.text(), st.integers(1, 9999), st.integers(1, 99))
def test_a_name_is_short_and_safe(kind, administration, run, batch, part):
    found = file_name(
        DEFAULT,
        kind=kind,
        administration=administration,
        run=run,
        run_at=NOON,
        batch=batch,
        part=part,
        suffix=".csv",
    )
    assert len(found) <= LONGEST
    assert all(sign.isascii() and (sign.isalnum() or sign in "._-") for sign in found)


def test_a_name_that_would_be_too_long_is_a_problem_to_mend():
    with pytest.raises(ProblemError, match="shorten folder"):
        file_name(DEFAULT, **{**NAME, "kind": "k" * 80, "suffix": ".csv"})


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{kind}.xml", "two files could have one name"),
        ("{run}_{batch}_{part}{suffix}*", "letters, digits"),
        (".{run}_{batch}_{part}{suffix}", "begins or ends like a hidden one"),
        ("{run}_{batch}_{part}{suffix}.tmp", "begins or ends like a hidden one"),
        ("{nobody}_{run}_{batch}_{part}{suffix}", "no template of names"),
        ("{run}_{batch}_{part}{suffix}" + "x" * 100, "at most 100"),
    ],
)
def test_a_bad_template_is_refused(template, words):
    with pytest.raises(ValidationError, match=words):
        TypeAdapter(NameTemplate).validate_python(template)
