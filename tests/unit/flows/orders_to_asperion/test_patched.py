"""A changed value goes to its place in the document, or says that it has none."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.flows.orders_to_asperion.patched import patched
from airflow_provider_asperion.hooks.evidence import flat
from airflow_provider_asperion.records import ProblemError, SourceDocument

pytestmark = pytest.mark.feature("X4")
DATA = {
    "EDI_DC40": {"DOCNUM": "1"},
    "E1EDP01": [{"POSEX": "10", "E1EDP19": [{"QUALF": "002", "IDTNR": "A"}, {"QUALF": "003"}]}],
    "odd.name": "x",
}


def document(data: dict[str, Any]) -> SourceDocument:
    return SourceDocument("f", 1, None, "json", "ORDERS", "", "", "4711", data)


@pytest.mark.parametrize(
    "path",
    ["E1EDP01.1.E1EDP19.2.IDTNR", "E1EDP01.1.POSEX", "EDI_DC40.DOCNUM", "odd.name", "E1EDP01.1.NEW"],
)
def test_a_value_is_put_where_its_path_says(path: str) -> None:
    before = copy.deepcopy(DATA)
    found = patched(document(DATA), {path: "new"})
    assert dict(flat(found.data)) == {**dict(flat(DATA)), path: "new"}
    assert before == DATA, "the document that was read stays as it is"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "E1EDP01",
        "E1EDP01.1",
        "E1EDP01.2.POSEX",
        "E1EDP01.0.POSEX",
        "E1EDP01.-1.POSEX",
        "E1EDP01.²",
        "A.B",
    ],
)
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(ProblemError, match=r"patch\.stale"):
        patched(document(DATA), {path: "new"})


def test_a_value_that_can_no_longer_be_decrypted_is_told() -> None:
    with pytest.raises(ProblemError, match="no longer be decrypted"):
        patched(document(DATA), {"odd.name": None})


names = st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), min_size=1, max_size=4)
trees = st.recursive(
    st.text(max_size=3),
    lambda inner: (
        st.dictionaries(names, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(names, trees, min_size=1, max_size=3), st.data())
def test_each_leaf_of_any_document_can_be_changed_but_those_right_in_a_list(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    leaves = flat(data)
    path = draw.draw(st.sampled_from([path for path, _ in leaves]))
    try:
        found = patched(document(data), {path: "new"})
    except ProblemError:
        assert path.rpartition(".")[2].isdecimal()
    else:
        assert [value for leaf, value in flat(found.data) if leaf == path][-1:] == ["new"]
        assert len(flat(found.data)) == len(leaves)
