"""Records are found by what people know of them, newest first, page by page; causes and runs add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.ledger import Claim, DocumentKey, causes, names, runs, search
from airflow_provider_asperion.ledger.files import SeenFile, claim_file
from airflow_provider_asperion.ledger.search import Query
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger import Ledger

    from .conftest import Clock

pytestmark = pytest.mark.feature("W3")
MISSING = Problem(
    rule="article.missing", message="SKU-9 is not there", remedy="create it", field="lines.2.sku"
)


@pytest.fixture
def filled(ledger: Ledger, clock: Clock) -> Ledger:
    """Orders 4700 to 4711: of each three the last is refused, all of one file."""
    file = ledger.run(claim_file, SeenFile("sap:orders", "ORDERS_1.xml", 100, clock()), "dag/one", "x")
    session = ledger.open_session("worker", "dag/one")
    for number in range(4700, 4712):
        clock.forward(1)
        key = DocumentKey("1", "sales_order", str(number))
        ledger.take(session, [Claim(key, "f", file.id, number - 4699)])
        if number % 3 == 2:
            ledger.finish(session, key, "refused", problems=[MISSING])
        else:
            ledger.finish(session, key, "done", asperion_id=f"A{number}")
    return ledger


def keys(ledger: Ledger, **query: object) -> list[str]:
    return [hit.key for hit in ledger.run(search.search, Query(**query)).hits]


def test_by_number_or_its_beginning(filled: Ledger) -> None:
    assert keys(filled, text="4711") == ["4711"]
    assert keys(filled, text="471") == ["4711", "4710"]
    assert keys(filled, text="9") == []
    assert keys(filled, text="%") == []


def test_by_file_run_and_state(filled: Ledger) -> None:
    assert len(keys(filled, text="ORDERS_1.xml")) == 12
    assert len(keys(filled, text="dag/one")) == 12
    assert keys(filled, text="dag/two") == []
    assert keys(filled, states=("refused",)) == ["4709", "4706", "4703", "4700"]
    assert keys(filled, states=("refused",), text="4709", kinds=("debtor",)) == []


def test_by_time(filled: Ledger, clock: Clock) -> None:
    assert keys(filled, since=clock()) == ["4711"]
    assert len(keys(filled, until=clock())) == 11


def test_by_person_whom_nobody_can_read(filled: Ledger) -> None:
    key = DocumentKey("1", "sales_order", "4705")
    filled.run(names.note, [("h" * 64, key.id), ("h" * 64, key.id)])
    filled.run(names.note, [("h" * 64, key.id)])
    assert keys(filled, text="jan@example.com", hashes=("h" * 64,)) == ["4705"]
    assert keys(filled, text="jan@example.com", hashes=("i" * 64,)) == []
    assert filled.run(names.documents_of, "h" * 64) == [key.id]
    assert filled.run(names.forget, ["h" * 64]) == 1
    assert keys(filled, text="jan@example.com", hashes=("h" * 64,)) == []


def test_pages_show_each_once(filled: Ledger, clock: Clock) -> None:
    seen: list[str] = []
    page = filled.run(search.search, Query(), limit=5)
    while page.after:
        seen += [hit.key for hit in page.hits]
        page = filled.run(search.search, Query(), after=page.after, limit=5)
    seen += [hit.key for hit in page.hits]
    assert seen == [str(number) for number in range(4711, 4699, -1)]


@pytest.mark.parametrize("place", ["x", "bm90aGluZw==", "WzEsIDJd", "é"])
def test_a_place_that_is_none_of_ours(filled: Ledger, place: str) -> None:
    with pytest.raises(ProblemError, match=r"search\.place"):
        filled.run(search.search, Query(), after=place)


def test_one_by_its_id(filled: Ledger) -> None:
    hit = filled.run(search.find, DocumentKey("1", "sales_order", "4703").id)
    assert hit is not None
    assert (hit.key, hit.state, hit.file, hit.to_sap) == ("4703", "refused", "ORDERS_1.xml", False)
    assert filled.run(search.find, "0" * 40) is None


@pytest.mark.feature("W4")
def test_alike_refusals_are_one_cause(filled: Ledger) -> None:
    (cause,) = filled.run(causes.causes)
    assert (cause.rule, cause.field, cause.count) == ("article.missing", "lines.sku", 4)
    assert [hit.key for hit in cause.sample] == ["4709", "4706", "4703"]
    assert filled.run(causes.causes, administration="2") == []
    assert filled.run(causes.waiting) == {("1", "sales_order", "refused"): 4}


def test_runs_and_their_sums(ledger: Ledger, clock: Clock) -> None:
    for number in range(3):
        ledger.run(runs.begin, f"dag/{number}", "default", "orders_to_asperion")
        clock.forward(10)
        ledger.run(runs.end, f"dag/{number}", "idle")
    ledger.run(runs.begin, "dag/x", "default", "orders_to_asperion")
    running = ledger.run(runs.newest, "default", ["orders_to_asperion", "none"])["orders_to_asperion"]
    assert (running.state, running.seconds) == ("running", None)
    clock.forward(10)
    ledger.run(runs.end, "dag/x", "done", files=1, counts={"created": 2, "refused": 1}, problems={"a": 1})
    found = ledger.run(runs.of_flow, "default", "orders_to_asperion")
    assert [run.run_id for run in found] == ["dag/x", "dag/2"], "of idle runs the newest is kept"
    assert (found[0].records, found[0].seconds, found[0].state) == (3, 10.0, "done")


def test_a_cleared_run_begins_again(ledger: Ledger, clock: Clock) -> None:
    ledger.run(runs.begin, "dag/x", "default", "orders_to_asperion")
    ledger.run(runs.end, "dag/x", "failed", counts={"refused": 1})
    clock.forward(5)
    ledger.run(runs.begin, "dag/x", "default", "orders_to_asperion")
    (run,) = ledger.run(runs.of_flow, "default", "orders_to_asperion")
    assert (run.state, run.records, run.began_at, run.ended_at) == ("running", 0, clock(), None)
    ledger.run(runs.end, "unknown", "done")


def test_pages_of_mixed_kinds_follow_each_other_without_gap_or_double(ledger: Ledger, clock: Clock) -> None:
    """Each kind of each administration is asked by itself; what comes out is one list, the newest first."""
    session = ledger.open_session("worker", "dag/one")
    kinds = ("sales_order", "sales_invoice", "debtor")
    for number in range(30):
        clock.forward(number % 2)  # always two of one moment
        key = DocumentKey(str(number % 2), kinds[number % 3], str(number))
        ledger.take(session, [Claim(key, "f")])
        ledger.finish(session, key, "done")
    whole = ledger.run(search.search, Query(), limit=100).hits
    assert len(whole) == 30
    assert [(hit.updated_at, hit.id) for hit in whole] == sorted(
        ((hit.updated_at, hit.id) for hit in whole), reverse=True
    )
    for query in (Query(), Query(kinds=("debtor", "sales_order")), Query(administrations=("1",))):
        expected = [
            hit.key
            for hit in whole
            if (not query.kinds or hit.kind in query.kinds)
            and (query.administrations is None or hit.administration in query.administrations)
        ]
        found, after = [], None
        while True:
            page = ledger.run(search.search, query, after=after, limit=4)
            found += [hit.key for hit in page.hits]
            after = page.after
            if after is None:
                break
        assert found == expected
