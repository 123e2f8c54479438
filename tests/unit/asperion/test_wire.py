"""Whatever JSON a server sends becomes a model or a BadAnswer: no other error, and no value shown."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.errors import BadAnswer
from airflow_provider_asperion.asperion.names import ArticleNames, DebtorNames, DocumentNames, Names
from airflow_provider_asperion.asperion.paging import Pager
from airflow_provider_asperion.asperion.wire import amount, read_article, read_debtor, read_document

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.decimals(allow_nan=False)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def bodies(names):
    wire = [value for value in names.model_dump().values() if isinstance(value, str)]
    return st.dictionaries(st.sampled_from(wire), JSON)


READERS = pytest.mark.parametrize(
    ("reader", "names"),
    [
        (lambda body: read_debtor(body, DebtorNames()), DebtorNames()),
        (lambda body: read_article(body, ArticleNames()), ArticleNames()),
        (lambda body: read_document(body, "sales_order", DocumentNames()), DocumentNames()),
        (lambda body: read_document(body, "sales_invoice", Names().sales_invoice), Names().sales_invoice),
    ],
)


@READERS
@given(data=st.data())
def test_any_object_is_read_or_refused(reader, names, data):
    with contextlib.suppress(BadAnswer):
        reader(data.draw(bodies(names)))


@pytest.mark.feature("W6")
@READERS
@pytest.mark.parametrize("form", [{"x": "Jansen"}, ["Jansen"]])
def test_a_refusal_shows_no_value(reader, names, form):
    wire = [value for value in names.model_dump().values() if isinstance(value, str)]
    for name in wire:
        try:
            shown = repr(reader({"id": 1, "code": "A", name: form}))
        except BadAnswer as error:
            shown = str(error)
        assert "Jansen" not in shown


@given(JSON | st.fixed_dictionaries({"_data": JSON, "_meta": JSON}))
def test_any_answer_is_a_page_or_refused(body):
    pager = Pager("/x", page_name="page", first_page=1)
    with contextlib.suppress(BadAnswer):
        list(pager.read(body))


@given(st.fixed_dictionaries({"nextPage": JSON, "totalCount": JSON, "pageCount": JSON}))
def test_any_meta_is_a_page_or_refused(meta):
    pager = Pager("/x", page_name="page", first_page=1)
    with contextlib.suppress(BadAnswer):
        list(pager.read({"_data": [{"id": 1}], "_meta": meta}))


@pytest.mark.parametrize("url", ["http://[", "?page=²", "?page=-1", "?page=99999999999999", "²"])
def test_a_next_page_that_is_no_number_is_refused(url):
    pager = Pager("/x", page_name="page", first_page=1)
    with pytest.raises(BadAnswer):
        pager.read({"_data": [{"id": 1}], "_meta": {"nextPage": url}})


@pytest.mark.parametrize(
    ("value", "read"),
    [(None, None), ("", None), (3, Decimal(3)), ("1.10", Decimal("1.10")), (Decimal("0.1"), Decimal("0.1"))],
)
def test_amounts(value, read):
    assert amount(value) == read


@pytest.mark.parametrize("value", [True, "ten", [1], {"a": 1}])
def test_what_is_no_amount(value):
    with pytest.raises(BadAnswer):
        amount(value)
