"""Attacks on the sandbox: an expression reaches data and our functions, and costs bounded time and memory."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_asperion.mapping import Mapping
from airflow_provider_asperion.mapping.files import Definition, Row, Source
from airflow_provider_asperion.mapping.sandbox import Sandbox
from airflow_provider_asperion.records import ProblemError

AT_LOAD = [
    "''.__class__",
    "''['__class__']",
    "partner.__func__.__globals__",
    "partner('AG')._x",
    "cycler('a', 'b')",
    "joiner()",
    "namespace(a=1)",
    "lipsum()",
    "dict(a=1)",
    "range(10**9)",
    "2 ** 3",
    "'a' | attr('upper')",
    "'a' | format(1)",
    "'a' | center(1000000000)",
    "[1] | batch(1000000000, 'x') | list",
    "'%s'.format(1)",
    "'a'.ljust(1000000000)",
    "'a'.join(['b'])",
    "'a'.encode()",
    "[].append(1)",
    "{}.update(a=1)",
    "(partner if true else date)('AG')",
    "self",
    "loop",
    "(" * 900 + "1" + ")" * 900,
    "+".join(["1"] * 1500),
    "E1EDK01" + ".X" * 990 + " }}",
]

AT_RUN = [
    "'a' * 1000000000",
    "1000000000 * 'a'",
    "[1] * 1000000000",
    "'%1000000000d' % 1",
    "E1EDK01.A.replace('a', E1EDK01.A).replace('a', E1EDK01.A).replace('a', E1EDK01.A)",
    "E1EDK01.A | replace('a', E1EDK01.A) | replace('a', E1EDK01.A) | replace('a', E1EDK01.A)",
    "E1EDK01.A | list | join(E1EDK01.A) | list | join(E1EDK01.A) | list | join(E1EDK01.A)",
    "decimal('1') | round(1000000000)",
    "decimal('9' * 5)",
    "1 / 0",
    "[1] + 1",
    "1 % 0",
    "date('20261123', 'YYYY' ~ E1EDK01.A)",
    "E1EDK01",
]

HARMLESS = [
    "''['__cl' ~ 'ass__']",
    "E1EDK01 | map(attribute='__class__') | first",
    "E1EDK01.A['__class__' | string].mro",
    "(partner | string)[:0]",
    "partner.func_globals",
    "date.today.now",
    "E1EDK01.keys.NOTHING",
]
DATA = {"E1EDK01": [{"BELNR": "1", "A": "a" * 500}]}


@pytest.mark.parametrize("expression", AT_LOAD, ids=lambda text: text[:40])
def test_what_could_leave_the_sandbox_is_refused_at_load(expression):
    with pytest.raises(ProblemError) as error:
        Mapping.load("orders05", {"remarks": expression})
    assert error.value.problem.field == "remarks"


@pytest.mark.parametrize("expression", AT_RUN, ids=lambda text: text[:40])
def test_what_could_eat_time_or_memory_ends_as_a_problem_of_its_row(expression, document):
    mapping = Mapping.load("orders05", {"remarks": expression})
    began = time.process_time()
    with pytest.raises(ProblemError) as error:
        mapping.map(document(DATA))
    assert time.process_time() - began < 1
    assert {problem.field for problem in error.value.problems} == {"remarks"}


def test_without_the_guard_on_operators_a_text_grows_as_it_likes(document, monkeypatch):
    monkeypatch.setattr(Sandbox, "intercepted_binops", frozenset())
    values = Mapping.load("orders05", {"remarks": "'a' * 1000000"}).map(document(DATA)).values
    assert len(values["remarks"]) == 1_000_000


def test_lists_are_joined_but_not_without_end(document):
    half = [{"BELNR": str(number)} for number in range(60_000)]
    mapping = Mapping.load("orders05", {"remarks": "(E1EDK02 + [{'BELNR': 'x'}]) | length"})
    assert mapping.map(document({**DATA, "E1EDK02": half})).values["remarks"] == "60001"
    mapping = Mapping.load("orders05", {"remarks": "(E1EDK02 + E1EDK02) | length"})
    with pytest.raises(ProblemError, match="longer than 100,000 entries"):
        mapping.map(document({**DATA, "E1EDK02": half}))


@pytest.mark.parametrize("expression", HARMLESS)
def test_what_gets_past_the_look_at_load_finds_nothing(expression, document):
    mapping = Mapping.load("orders05", {"remarks": expression})
    assert "remarks" not in mapping.map(document(DATA)).values


@settings(deadline=None)
@given(
    path=st.lists(st.sampled_from(["NO", "E1EDKA1", "NAME1", "[0]", "[7]", "strip()"]), max_size=5),
    end=st.sampled_from(
        ["", " + 1", " > 1", " ~ ''", " | upper", " | first", "[:3]", " or None", " | round(2)"]
    ),
)
def test_a_chain_of_what_is_absent_never_raises(path, end, absent_document):
    expression = "E1EDK99" + "".join(part if part.startswith("[") else f".{part}" for part in path) + end
    rows = {"remarks": Row("remarks", Source(expression, "own.yaml"))}
    mapping = Mapping(Definition(name="own", file="own.yaml", formats=("idoc_xml",), rows=rows))
    assert mapping.map(absent_document).values.get("remarks") in (None, "False")


@pytest.fixture(scope="module")
def absent_document(document):
    return document({"E1EDK01": [{"BELNR": "1"}]})
