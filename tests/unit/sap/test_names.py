"""File names from the other side: nothing that could leave its folder, or be shown wrong, is used."""

from __future__ import annotations

import posixpath
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.sap.dropbox import original_name
from airflow_provider_asperion.sap.names import LONGEST, fault_of_name, fits

pytestmark = pytest.mark.feature("O1")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../order.xml",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "..\\order.xml",
        "nul\0.xml",
        "line\n.xml",
        "escape\x1b[2J.xml",
        "right-to-left\u202e.lmx",
        "half a pair\ud800.xml",
        " order.xml",
        "order.xml ",
        "x" * (LONGEST + 1),
        "\u20ac" * (LONGEST // 3 + 1),
        b"\xff.xml",
    ],
)
def test_refused(name):
    problem = fault_of_name(name)
    assert problem is not None
    assert (problem.rule, problem.transient) == ("file.name", False)
    assert str(problem).isprintable(), "what is told of it must be safe to show"


@pytest.mark.parametrize(
    "name", ["LTESTEDI_00199014", "Aufträge März.csv", "a b.xml", ".hidden", "..x", "x" * LONGEST]
)
def test_accepted(name):
    assert fault_of_name(name) is None


@given(st.text(max_size=300))
def test_what_is_accepted_stays_in_its_folder(name):
    if fault_of_name(name) is None:
        path = posixpath.normpath(posixpath.join("/inbox", name))
        assert posixpath.split(path) == ("/inbox", name)
        assert not any(unicodedata.category(sign).startswith("C") for sign in name)
        assert len(name.encode()) <= LONGEST


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="_~/"), min_size=1))
def test_the_senders_name_is_found_again(name):
    assert original_name(f"0123abcd__{name}") == name
    assert original_name(f"{name}~0123abcd") == name


def test_patterns_mind_case():
    assert fits("ORDERS_1.xml", "ORDERS_?.xml")
    assert not fits("orders_1.xml", "ORDERS_*")
