"""What SAP got last: looked up, walked in parts, answered by SAP, never purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.ledger import DocumentKey, Ledger, outbox, purge, snapshots
from airflow_provider_asperion.ledger.outbox import Decision, OutFile
from airflow_provider_asperion.records import Problem
from tests.support.ledger_publishers import FLOW, NOON, batch, steps

if TYPE_CHECKING:
    import datetime as dt

pytestmark = pytest.mark.feature("X2", "P1")
REFUSAL = Problem(rule="sap.refused", message="status 51", remedy="look at the IDoc", record="A")


def publish(ledger: Ledger, run: str, decisions: list[Decision], file: str = "f.xml"):
    session = ledger.open_session(run, run)
    key = batch(run)
    observations = [(decision.key, decision.observed_at) for decision in decisions]
    ledger.run(outbox.hold, session, key, observations)
    ledger.run(outbox.plan, session, key, decisions)
    ledger.run(outbox.uploaded, session, key.id, [OutFile(file, "abc", 3)])
    ledger.run(outbox.published, session, key.id)
    return session


def created(key: str, number: str | None = None, observed_at: dt.datetime = NOON) -> Decision:
    return Decision(key, "create", observed_at, {"x": "1"}, ("x",), number=number)


def test_only_what_sap_got_is_known(ledger) -> None:
    publish(ledger, "first", [created("A")])
    session = ledger.open_session("second")
    ledger.run(outbox.hold, session, batch("second"), [("A", NOON), ("B", NOON)])
    assert set(ledger.run(snapshots.look_up, "1", FLOW, ["A", "B", "C"])) == {"A"}
    assert ledger.run(snapshots.look_up, "2", FLOW, ["A"]) == {}
    assert ledger.run(snapshots.look_up, "1", "other", ["A"]) == {}
    assert [known.key for known in ledger.run(snapshots.keys_of, "1", FLOW)] == ["A"]


def test_all_keys_are_walked_in_parts(ledger) -> None:
    publish(ledger, "first", [created(f"SKU {number}") for number in range(1203)])
    publish(ledger, "second", [Decision("SKU 7", "delete", NOON, {"flag": "1"})])
    walked: list[snapshots.KnownKey] = []
    parts = 0
    while part := ledger.run(
        snapshots.keys_of, "1", FLOW, after=walked[-1].key if walked else None, limit=500
    ):
        walked += part
        parts += 1
    assert parts == 3
    assert len({known.key for known in walked}) == len(walked) == 1203
    assert [known.key for known in walked if known.action == "delete"] == ["SKU 7"]
    assert ledger.run(snapshots.keys_of, "1", "other") == []


def test_an_answer_of_sap_is_put_down_once(ledger) -> None:
    session = publish(ledger, "first", [created("A", "17"), created("B", "18"), created("C", "19")])
    (answered,) = ledger.run(snapshots.mark_posted, session, "posted", "1", numbers=["17", "99"])
    key = DocumentKey("1", FLOW, "A")
    assert answered == snapshots.Answered(key, "17", "f.xml", "sent")
    (again,) = ledger.run(snapshots.mark_posted, session, "posted", "1", numbers=["17"])
    assert again.before == "posted"
    assert [event.name for event in ledger.trail(key)] == ["published", "posted"]
    by_key = [DocumentKey("1", FLOW, "B"), DocumentKey("1", FLOW, "unknown")]
    ledger.run(snapshots.mark_posted, session, "failed", "1", keys=by_key, problems=[REFUSAL])
    assert ledger.trail(by_key[0])[-1].problems == (REFUSAL,)
    assert ledger.trail(by_key[0])[-1].detail == {"file": "f.xml", "number": "18"}
    known = ledger.run(snapshots.look_up, "1", FLOW, "ABC")
    assert {key: known[key].posted for key in known} == {"A": "posted", "B": "failed", "C": "sent"}


def test_an_answer_may_be_about_a_whole_file(ledger) -> None:
    publish(ledger, "first", [created("A"), created("B")], "a.xml")
    session = publish(ledger, "second", [created("C")], "b.xml")
    assert ledger.run(snapshots.mark_posted, session, "posted", "2", file="a.xml") == []
    answered = ledger.run(snapshots.mark_posted, session, "posted", "1", file="a.xml")
    assert {found.key.key for found in answered} == {"A", "B"}


def test_an_answer_about_what_was_replaced_says_nothing_of_what_was_sent_last(ledger) -> None:
    publish(ledger, "first", [created("A", "17")], "a.xml")
    session = publish(ledger, "second", [Decision("A", "update", NOON, {"x": "2"}, number="18")], "b.xml")
    assert ledger.run(snapshots.mark_posted, session, "failed", "1", numbers=["17"], file="a.xml") == []
    assert ledger.run(snapshots.look_up, "1", FLOW, ["A"])["A"].posted == "sent"


def test_what_is_sent_again_waits_for_an_answer_again(ledger) -> None:
    session = publish(ledger, "first", [created("A", "17")])
    ledger.run(snapshots.mark_posted, session, "failed", "1", numbers=["17"])
    publish(ledger, "second", [Decision("A", "update", NOON, {"x": "2"})])
    known = ledger.run(snapshots.look_up, "1", FLOW, ["A"])["A"]
    assert (known.posted, known.number) == ("sent", None)


@pytest.mark.feature("W6")
def test_purging_forgets_publications_and_their_trail_but_not_what_sap_has(ledger, clock, tmp_path) -> None:
    ledger.close_session(publish(ledger, "first", [created("A")]))
    dead = ledger.open_session("dead", lease_seconds=60)
    ledger.run(outbox.hold, dead, batch("dead"), [("B", NOON), ("C", NOON)])
    unsettled = ledger.open_session("unsettled", lease_seconds=60)
    for point in steps(ledger, unsettled, tmp_path, batch("unsettled"), {"D": "1"}):
        if point == "uploaded":
            break
    clock.forward(60)
    taking = ledger.open_session("taking", lease_seconds=60)
    ledger.run(outbox.hold, taking, batch("taking"), [("B", NOON)])
    ledger.run(outbox.abandon, taking, batch("taking").id)
    ledger.close_session(taking)
    clock.forward(3600)
    before = clock.now
    clock.forward(3600)
    publish(ledger, "fresh", [created("E")])

    assert purge.purge(ledger, {"trail": before}) == {"trail": 1}
    assert purge.purge(ledger, {"work": before}) == {"work": 8}  # 3 publications, 2 keys, 3 sessions
    assert ledger.trail(DocumentKey("1", FLOW, "A")) == []
    assert len(ledger.trail(DocumentKey("1", FLOW, "E"))) == 1
    assert set(ledger.run(snapshots.look_up, "1", FLOW, "ABCDE")) == {"A", "E"}
    assert ledger.run(outbox.find, batch("first")) is None
    # What SAP may have stays, with the session by which one sees that its worker is dead.
    session = ledger.open_session("later")
    observations = [(key, clock.now) for key in "ABCD"]
    held = ledger.run(outbox.hold, session, batch("later"), observations)
    assert set(held.free) == {"A", "B", "C"}
    assert [found.key for found in held.stranded] == [batch("unsettled")]
    clock.forward(1)
    assert ledger.run(outbox.find, batch("fresh")) is not None
    purge.purge(ledger, {"work": clock.now})
    assert ledger.run(outbox.find, batch("fresh")) is None
