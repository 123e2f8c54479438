"""Files: claimed by one run, taken over when left behind, archived only when all is settled, found again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import true

from airflow_provider_asperion.ledger import Claim, DocumentKey, GripLost, SeenFile, files
from airflow_provider_asperion.records import Problem, ProblemError

pytestmark = pytest.mark.feature("X2", "X4")
LANDED = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SEEN = SeenFile("sftp://erp/inbox", "orders.xml", 100, LANDED)
REFUSAL = Problem(rule="xml.broken", message="the file ends early", remedy="send it again", file="orders.xml")


def claim(ledger, run="run-1", seen=SEEN):
    return ledger.run(files.claim_file, seen, run, f"work/{run}/{seen.name}", 600)


def test_one_run_has_a_file_and_may_ask_again(ledger) -> None:
    mine = claim(ledger)
    assert (mine.state, mine.seen, mine.path) == ("claiming", SEEN, "work/run-1/orders.xml")
    assert claim(ledger, "run-2") is None
    assert claim(ledger).id == mine.id


def test_without_the_condition_two_runs_have_the_file(ledger, monkeypatch) -> None:
    monkeypatch.setattr(files, "_is_free", lambda work, run: true())
    claim(ledger)
    assert claim(ledger, "run-2") is not None


def test_a_file_that_a_run_left_behind_is_taken_over_by_one(ledger, clock) -> None:
    mine = claim(ledger)
    ledger.run(files.file_claimed, mine.id, "run-1")
    assert ledger.run(files.open_claims, SEEN.folder) == []
    clock.forward(500)
    ledger.run(files.extend_claim, mine.id, "run-1", 600)
    clock.forward(500)
    assert ledger.run(files.open_claims, SEEN.folder) == []
    assert ledger.run(files.take_over_file, mine.id, "run-2") is None
    clock.forward(100)
    assert [found.id for found in ledger.run(files.open_claims, SEEN.folder)] == [mine.id]
    taken = ledger.run(files.take_over_file, mine.id, "run-2")
    assert (taken.state, taken.run_id, taken.path) == ("claimed", "run-2", "work/run-1/orders.xml")
    assert ledger.run(files.take_over_file, mine.id, "run-3") is None
    for change in (files.extend_claim, files.file_claimed, files.leave_open):
        with pytest.raises(GripLost):
            ledger.run(change, mine.id, "run-1")


def test_another_size_or_time_is_another_file(ledger) -> None:
    ids = {
        claim(ledger, seen=SEEN).id,
        claim(ledger, seen=SeenFile(SEEN.folder, SEEN.name, 101, LANDED)).id,
        claim(ledger, seen=SeenFile(SEEN.folder, SEEN.name, 100, LANDED + dt.timedelta(seconds=1))).id,
        claim(ledger, seen=SeenFile("sftp://erp/other", SEEN.name, 100, LANDED)).id,
    }
    assert len(ids) == 4


def test_a_rename_that_did_not_happen_leaves_nothing(ledger) -> None:
    mine = claim(ledger)
    ledger.run(files.drop_claim, mine.id, "run-1")
    assert claim(ledger, "run-2").id != mine.id


def test_the_same_content_under_another_name_is_noticed(ledger) -> None:
    first, second = claim(ledger), claim(ledger, seen=SeenFile(SEEN.folder, "copy.xml", 100, LANDED))
    assert ledger.run(files.file_read, first.id, "run-1", "abc", 3) == []
    (same,) = ledger.run(files.file_read, second.id, "run-1", "abc", 3)
    assert (same.seen.name, same.documents) == ("orders.xml", 3)
    assert len(ledger.run(files.same_content, "abc")) == 2


def test_a_file_is_archived_only_when_each_document_has_an_end_state(ledger) -> None:
    mine = claim(ledger)
    key = DocumentKey("1", "sales_order", "1")
    session = ledger.open_session("one")
    ledger.take(session, [Claim(key, "f", mine.id, 1)])
    with pytest.raises(ProblemError) as caught:
        ledger.run(files.archive_file, mine.id, "run-1", "archive/2026/orders.xml")
    assert caught.value.problem.file == "orders.xml"
    assert ledger.run(files.claims_of, "run-1")[0].state == "claiming"
    ledger.run(files.leave_open, mine.id, "run-1")
    assert [found.state for found in ledger.run(files.open_claims, SEEN.folder)] == ["open"]

    ledger.finish(session, key, "refused")
    ledger.run(files.take_over_file, mine.id, "run-2")
    ledger.run(files.archive_file, mine.id, "run-2", "archive/2026/orders.xml")
    assert ledger.run(files.open_claims, SEEN.folder) == []


def test_archived_files_are_found_by_when_they_landed(ledger) -> None:
    for hour in range(4):
        seen = SeenFile(SEEN.folder, f"{hour}.xml", 1, LANDED + dt.timedelta(hours=hour))
        mine = claim(ledger, seen=seen)
        ledger.run(files.archive_file, mine.id, "run-1", f"archive/{hour}.xml")
    hour = dt.timedelta(hours=1)
    found = ledger.run(files.archived_between, SEEN.folder, LANDED + hour, LANDED + 3 * hour)
    assert [file.path for file in found] == ["archive/1.xml", "archive/2.xml"]
    amsterdam = dt.timezone(dt.timedelta(hours=1))
    start = (LANDED + hour).astimezone(amsterdam)
    assert len(ledger.run(files.archived_between, SEEN.folder, start, start + hour)) == 1


def test_a_file_put_back_is_claimed_anew(ledger) -> None:
    mine = claim(ledger)
    ledger.run(files.reject_file, mine.id, "run-1", "error/orders.xml", [REFUSAL])
    again = claim(ledger, "run-2")
    assert (again.id, again.state, again.problems) == (mine.id, "claiming", ())


def test_a_rejected_file_keeps_its_reason(ledger) -> None:
    mine = claim(ledger)
    ledger.run(files.file_read, mine.id, "run-1", "abc", 0)
    ledger.run(files.reject_file, mine.id, "run-1", "error/orders.xml", [REFUSAL])
    (found,) = ledger.run(files.same_content, "abc")
    assert (found.state, found.problems, found.until) == ("rejected", (REFUSAL,), None)


def test_each_file_is_added_up_by_itself(ledger) -> None:
    first, second = claim(ledger), claim(ledger, seen=SeenFile(SEEN.folder, "b.xml", 1, LANDED))
    session = ledger.open_session("one")
    keys = [DocumentKey("1", "sales_order", str(number)) for number in range(4)]
    ledger.take(session, [Claim(key, "f", first.id, place) for place, key in enumerate(keys, 1)])
    ledger.finish(session, keys[0], "done", amount=Decimal("0.10"))
    ledger.finish(session, keys[1], "done", amount=Decimal("0.20"))
    refusal = Problem(rule="article.missing", field="lines.1.sku", message="m", remedy="r")
    ledger.finish(session, keys[2], "refused", amount=Decimal("5"), problems=[refusal])
    ledger.take(session, [Claim(keys[0], "f", second.id, 1)])  # it stands in both files
    tally = ledger.tally_of(first.id)
    assert tally.counts == {"done": 2, "refused": 1, "open": 1}
    assert tally.amounts == {"done": Decimal("0.30"), "refused": Decimal("5"), "open": Decimal(0)}
    assert tally.problems == {"article.missing lines.1.sku": 1}
    assert ledger.tally_of(second.id).counts == {"done": 1}
