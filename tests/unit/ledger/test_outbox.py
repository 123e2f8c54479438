"""Publications: held by one, fenced, brought to their end by whoever lives, each record visible once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import true

from airflow_provider_asperion.ledger import DocumentKey, GripLost, SessionLost, outbox, snapshots, trail
from airflow_provider_asperion.ledger.outbox import Decision, OutboxKey, OutFile
from tests.support.ledger_publishers import FLOW, NOON, POINTS, batch, seen, short_hash, steps

pytestmark = pytest.mark.feature("X2", "S1", "P1")
HOUR = dt.timedelta(hours=1)
FILE = OutFile("run-1.txt", "abc", 3)


class Worker:
    """One worker of two, that goes to a point and stays there."""

    def __init__(self, ledger, folder, run, records, observed_at=NOON) -> None:
        self.ledger = ledger
        self.session = ledger.open_session(run, run, lease_seconds=60)
        self.steps = steps(ledger, self.session, folder, batch(run), records, observed_at)

    def go_to(self, point: str) -> None:
        for reached in self.steps:
            if reached == point:
                return

    def go_on(self) -> bool:
        """Go to the end; False when it learned that somebody else has the work."""
        try:
            for _ in self.steps:
                pass
        except (GripLost, SessionLost):
            return False
        return True


def snapshot(ledger, key="A"):
    return ledger.run(snapshots.look_up, "1", FLOW, [key]).get(key)


def agrees(ledger, folder, record="A", value="1") -> bool:
    """Whether SAP has the record once, and the ledger says so."""
    lines = {line.split(" ", 1)[1]: count for line, count in seen(folder).items()}
    return lines == {f"{record}={value}": 1} and snapshot(ledger).fields == {"value": short_hash(value)}


def overtake(ledger, clock, folder, point: str) -> tuple[bool, bool]:
    """Stop a worker at a point until it counts as dead, have another one publish, wake the first one up."""
    first = Worker(ledger, folder, "first", {"A": "1"})
    first.go_to(point)
    clock.forward(60)
    second = Worker(ledger, folder, "second", {"A": "1"})
    return second.go_on(), first.go_on()


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_is_overtaken_anywhere_publishes_nothing_twice(ledger, clock, tmp_path, point) -> None:
    second, first = overtake(ledger, clock, tmp_path, point)
    assert second
    assert first == (point in ("uploaded", "revealed", "published"))
    assert agrees(ledger, tmp_path)


def test_without_the_fence_the_overtaken_worker_publishes_twice(ledger, clock, tmp_path, monkeypatch) -> None:
    # It is shut twice: the worker's session is over, and its publication was given up.
    monkeypatch.setattr(outbox, "_is_mine", lambda work, session: true())
    monkeypatch.setattr(outbox, "_abandon", lambda work, ids: None)
    overtake(ledger, clock, tmp_path, "written")
    assert seen(tmp_path) == {"create A=1": 2}


def wake_beside_its_successor(ledger, clock, folder) -> tuple[bool, bool]:
    """Stop a task until it is cleared, and wake it up while the next try of the same batch is at work."""
    first = Worker(ledger, folder, "first", {"A": "1"})
    first.go_to("written")
    clock.forward(60)
    cleared = Worker(ledger, folder, "first", {"A": "1"})
    cleared.go_to("planned")
    woken = first.go_on()
    for path in folder.glob("*.txt"):  # SAP fetches what it sees
        path.rename(folder / "fetched" / path.name)
    return woken, cleared.go_on()


def test_a_task_that_wakes_beside_its_successor_shows_nothing(ledger, clock, tmp_path) -> None:
    (tmp_path / "fetched").mkdir()
    assert wake_beside_its_successor(ledger, clock, tmp_path) == (False, True)
    assert seen(tmp_path) + seen(tmp_path / "fetched") == {"create A=1": 1}


def test_without_the_fence_a_task_and_its_successor_show_a_file_each(
    ledger, clock, tmp_path, monkeypatch
) -> None:
    (tmp_path / "fetched").mkdir()
    monkeypatch.setattr(outbox, "_is_mine", lambda work, session: true())
    monkeypatch.setattr(outbox, "published", lambda work, session, outbox_id: None)
    wake_beside_its_successor(ledger, clock, tmp_path)
    assert seen(tmp_path) + seen(tmp_path / "fetched") == {"create A=1": 2}


@pytest.mark.parametrize("point", ["held", "planned", "written", "uploaded", "revealed"])
def test_a_living_worker_keeps_its_records(ledger, tmp_path, point) -> None:
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to(point)
    session = ledger.open_session("second")
    held = ledger.run(outbox.hold, session, batch("second"), [("A", NOON), ("B", NOON)])
    assert (held.free, held.busy, held.stranded) == ({"B": None}, {"A"}, [])
    assert first.go_on()
    again = ledger.run(outbox.hold, session, batch("second"), [("A", NOON), ("B", NOON)])
    assert again.busy == set()
    assert again.free["A"].action == "create"


def test_without_the_hold_two_workers_publish_a_record(ledger, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(outbox, "_is_taken", lambda key, holder: False)
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to("uploaded")
    assert Worker(ledger, tmp_path, "second", {"A": "1"}).go_on()
    first.go_on()
    assert seen(tmp_path) == {"create A=1": 2}


@pytest.mark.parametrize("point", POINTS)
def test_a_cleared_task_goes_on_where_it_was_killed(ledger, clock, tmp_path, point) -> None:
    Worker(ledger, tmp_path, "first", {"A": "1"}).go_to(point)
    clock.forward(60)
    assert Worker(ledger, tmp_path, "first", {"A": "1"}).go_on()
    assert agrees(ledger, tmp_path)
    assert [path.name for path in tmp_path.glob("first*")] == ["first-1.txt"]


@pytest.mark.parametrize("point", POINTS)
def test_sap_may_fetch_the_file_at_once(ledger, clock, tmp_path, point) -> None:
    Worker(ledger, tmp_path, "first", {"A": "1"}).go_to(point)
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    for path in tmp_path.glob("*.txt"):
        path.rename(fetched / path.name)
    clock.forward(60)
    assert Worker(ledger, tmp_path, "first", {"A": "1"}).go_on()
    assert seen(tmp_path) + seen(fetched) == {"create A=1": 1}


def test_a_try_whose_task_still_lives_is_left_alone(ledger, clock, tmp_path) -> None:
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to("written")
    assert not Worker(ledger, tmp_path, "first", {"A": "1"}).go_on()
    ledger.heartbeat(first.session)
    first.go_to("uploaded")
    assert not Worker(ledger, tmp_path, "first", {"A": "1"}).go_on()
    assert first.go_on()
    assert agrees(ledger, tmp_path)


def test_one_of_two_adopts_and_completes(ledger, clock, tmp_path) -> None:
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to("uploaded")
    clock.forward(60)
    sessions = [ledger.open_session(name) for name in ("second", "third")]
    for session in sessions:
        held = ledger.run(outbox.hold, session, batch(session.owner), [("A", NOON), ("B", NOON)])
        assert held.busy >= {"A"}
        assert [(found.id, found.state) for found in held.stranded] == [(batch("first").id, "uploaded")]
    adopted = ledger.run(outbox.adopt, sessions[0], batch("first").id)
    assert ledger.run(outbox.adopt, sessions[0], batch("first").id).session_id == adopted.session_id
    assert [file.name for file in adopted.files] == ["first-1.txt"]
    with pytest.raises(GripLost):
        ledger.run(outbox.adopt, sessions[1], batch("first").id)
    for late in (first.session, sessions[1]):
        with pytest.raises(GripLost):
            ledger.run(outbox.published, late, batch("first").id)
    assert snapshot(ledger) is None
    ledger.run(outbox.published, sessions[0], batch("first").id)
    ledger.run(outbox.published, first.session, batch("first").id)
    with pytest.raises(GripLost):
        ledger.run(outbox.adopt, sessions[1], batch("first").id)
    assert snapshot(ledger).run_id == "first"


def test_what_is_known_to_be_visible_is_put_down_after_the_lease(ledger, clock, tmp_path) -> None:
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to("revealed")
    clock.forward(3600)
    assert first.go_on()
    assert agrees(ledger, tmp_path)


def test_a_task_that_was_cleared_finds_its_batch_abandoned_and_begins_anew(ledger, clock, tmp_path) -> None:
    Worker(ledger, tmp_path, "first", {"A": "1", "B": "1"}).go_to("planned")
    clock.forward(60)
    second = Worker(ledger, tmp_path, "second", {"A": "2"}, NOON + HOUR)
    second.go_to("planned")
    assert ledger.run(outbox.find, batch("first")).state == "abandoned"
    # B stayed with the abandoned one: nobody waits for it.
    third = ledger.open_session("third")
    assert ledger.run(outbox.hold, third, batch("third"), [("B", NOON)]).free == {"B": None}
    ledger.close_session(third)
    assert second.go_on()
    cleared = Worker(ledger, tmp_path, "first", {"A": "1", "B": "1"})
    assert cleared.go_on()
    assert seen(tmp_path) == {"create A=2": 1, "create B=1": 1}
    assert ledger.run(outbox.find, batch("first")).state == "published"


def test_a_publication_given_up_lets_go_at_once(ledger, tmp_path) -> None:
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to("written")
    stranger = ledger.open_session("stranger")
    with pytest.raises(GripLost):
        ledger.run(outbox.abandon, stranger, batch("first").id)
    ledger.run(outbox.abandon, first.session, batch("first").id)
    assert not first.go_on()
    assert Worker(ledger, tmp_path, "first", {"A": "1"}).go_on()
    with pytest.raises(GripLost):
        ledger.run(outbox.abandon, first.session, batch("first").id)
    assert agrees(ledger, tmp_path)


def test_what_sap_may_have_is_never_given_up(ledger, tmp_path) -> None:
    first = Worker(ledger, tmp_path, "first", {"A": "1"})
    first.go_to("uploaded")
    with pytest.raises(GripLost):
        ledger.run(outbox.abandon, first.session, batch("first").id)


def test_records_that_do_not_travel_are_let_go_with_the_plan(ledger, tmp_path) -> None:
    assert Worker(ledger, tmp_path, "first", {"A": "1", "B": "1"}).go_on()
    Worker(ledger, tmp_path, "second", {"A": "1", "B": "2"}, NOON + HOUR).go_to("planned")
    session = ledger.open_session("third")
    held = ledger.run(outbox.hold, session, batch("third"), [("A", NOON), ("B", NOON)])
    assert (set(held.free), held.busy) == ({"A"}, {"B"})


def test_an_older_observation_never_replaces_a_newer_one(ledger, tmp_path) -> None:
    assert Worker(ledger, tmp_path, "new", {"A": "2"}, NOON + HOUR).go_on()
    assert Worker(ledger, tmp_path, "old", {"A": "1"}, NOON).go_on()
    assert agrees(ledger, tmp_path, value="2")
    assert snapshot(ledger).observed_at == NOON + HOUR


def test_an_older_plan_is_refused(ledger, tmp_path) -> None:
    assert Worker(ledger, tmp_path, "new", {"A": "2"}, NOON + HOUR).go_on()
    session = ledger.open_session("old")
    ledger.run(outbox.hold, session, batch("old"), [("A", NOON)])
    with pytest.raises(ValueError, match="record A was observed before"):
        ledger.run(outbox.plan, session, batch("old"), [Decision("A", "update", NOON)])


def test_what_was_seen_unchanged_later_makes_older_observations_old(ledger, tmp_path) -> None:
    """Stock 5 at noon, 7 at one, 5 again at two: the run of one that comes last must not send its 7."""
    assert Worker(ledger, tmp_path, "noon", {"A": "5"}, NOON).go_on()
    assert Worker(ledger, tmp_path, "two", {"A": "5"}, NOON + 2 * HOUR).go_on()
    assert snapshot(ledger).observed_at == NOON + 2 * HOUR
    assert Worker(ledger, tmp_path, "one", {"A": "7"}, NOON + HOUR).go_on()
    assert agrees(ledger, tmp_path, value="5")
    assert snapshot(ledger).observed_at == NOON + 2 * HOUR


def test_a_plan_is_for_records_that_are_held(ledger, clock) -> None:
    session = ledger.open_session("first")
    with pytest.raises(GripLost):
        ledger.run(outbox.plan, session, batch("first"), [])
    ledger.run(outbox.hold, session, batch("first"), [("A", NOON)])
    with pytest.raises(GripLost, match="1 records are not held"):
        ledger.run(outbox.plan, session, batch("first"), [Decision("B", "create", NOON)])
    clock.forward(60)
    with pytest.raises(GripLost):
        ledger.run(outbox.plan, session, batch("first"), [Decision("A", "create", NOON)])
    with pytest.raises(SessionLost):
        ledger.run(outbox.hold, session, batch("first"), [("A", NOON)])
    with pytest.raises(SessionLost):
        ledger.run(outbox.adopt, session, batch("first").id)


def test_nothing_is_published_that_was_not_uploaded(ledger) -> None:
    session = ledger.open_session("first")
    with pytest.raises(GripLost):
        ledger.run(outbox.uploaded, session, batch("first").id, [FILE])
    ledger.run(outbox.hold, session, batch("first"), [("A", NOON)])
    ledger.run(outbox.plan, session, batch("first"), [Decision("A", "create", NOON)])
    with pytest.raises(GripLost):
        ledger.run(outbox.published, session, batch("first").id)
    with pytest.raises(GripLost):
        ledger.run(outbox.published, session, "unknown")


def test_a_published_batch_is_not_begun_again(ledger, tmp_path) -> None:
    assert Worker(ledger, tmp_path, "first", {"A": "1"}).go_on()
    session = ledger.open_session("again")
    with pytest.raises(GripLost):
        ledger.run(outbox.hold, session, batch("first"), [("A", NOON)])
    with pytest.raises(GripLost):
        ledger.run(outbox.uploaded, session, batch("first").id, [FILE])


def test_a_batch_in_which_nothing_travels_is_done_too(ledger) -> None:
    session = ledger.open_session("first")
    assert ledger.run(outbox.hold, session, batch("first"), []).free == {}
    ledger.run(outbox.plan, session, batch("first"), [])
    ledger.run(outbox.uploaded, session, batch("first").id, [])
    ledger.run(outbox.published, session, batch("first").id)
    assert ledger.run(outbox.find, batch("first")).state == "published"


def test_a_publication_tells_what_was_planned_and_what_became_of_it(ledger, clock) -> None:
    session = ledger.open_session("first", "run-9")
    key = OutboxKey("1", FLOW, "run-9", 7)
    assert ledger.run(outbox.find, key) is None
    ledger.run(outbox.hold, session, key, [("A", NOON), ("B", NOON)])
    decisions = (
        Decision("A", "create", NOON, {"x": "1", "y": "2"}, ("x", "y"), "a.xml", "17", Decimal("10.10")),
        Decision("B", "create", NOON, {"x": "3"}, ("x",), "b.xml"),
    )
    files = (OutFile("a.xml", "", 0), OutFile("b.xml", "", 0))
    ledger.run(outbox.plan, session, key, decisions, files, folder="to_sap")
    planned = ledger.run(outbox.find, key)
    assert (planned.key, planned.state, planned.folder) == (key, "planned", "to_sap")
    assert (planned.decisions, planned.files) == (decisions, files)
    ledger.run(outbox.uploaded, session, key.id, [OutFile("a.xml", "aa", 1), OutFile("b.xml", "bb", 2)])
    clock.forward(30)
    ledger.run(outbox.published, session, key.id)
    done = ledger.run(outbox.find, key)
    assert [file.size for file in done.files] == [1, 2]
    assert [(decision.key, decision.fields, decision.amount) for decision in done.decisions] == [
        ("A", {}, Decimal("10.10")),
        ("B", {}, None),
    ]
    known = snapshot(ledger)
    assert (known.fields, known.file, known.number, known.posted) == (
        {"x": "1", "y": "2"},
        "a.xml",
        "17",
        "sent",
    )
    assert (known.observed_at, known.published_at, known.run_id) == (NOON, clock.now, "run-9")
    (event,) = ledger.trail(DocumentKey("1", FLOW, "A"))
    assert (event.name, event.run_id) == ("published", "run-9")
    assert event.detail == {"action": "create", "sent": "x, y", "file": "a.xml", "number": "17"}
    with ledger.transaction(reading=True) as work:
        assert [key.key for key, _ in trail.of_run(work, "run-9")] == ["A", "B"]


def test_an_update_leaves_the_fields_that_it_does_not_hold(ledger) -> None:
    first = ledger.open_session("first")
    for number, (action, fields) in enumerate(
        [("create", {"x": "1", "long": "2"}), ("update", {"x": "3"}), ("delete", {"flag": "4"})]
    ):
        key = batch("first", number)
        ledger.run(outbox.hold, first, key, [("A", NOON)])
        ledger.run(outbox.plan, first, key, [Decision("A", action, NOON, fields)])
        ledger.run(outbox.uploaded, first, key.id, [FILE])
        ledger.run(outbox.published, first, key.id)
    assert snapshot(ledger).fields == {"x": "3", "long": "2", "flag": "4"}
    assert snapshot(ledger).action == "delete"


def test_a_record_of_many_targets_does_not_burst_the_trail(ledger) -> None:
    session = ledger.open_session("first")
    ledger.run(outbox.hold, session, batch("first"), [("A", NOON)])
    targets = tuple(f"E1MARAM.FIELD{number}" for number in range(1000))
    ledger.run(outbox.plan, session, batch("first"), [Decision("A", "create", NOON, {}, targets)])
    ledger.run(outbox.uploaded, session, batch("first").id, [FILE])
    ledger.run(outbox.published, session, batch("first").id)
    (event,) = ledger.trail(DocumentKey("1", FLOW, "A"))
    assert event.detail["sent"].endswith("...")


def test_a_batch_is_larger_than_one_statement_takes(ledger, tmp_path) -> None:
    many = {str(number): "1" for number in range(1201)}
    assert Worker(ledger, tmp_path, "first", many).go_on()
    assert Worker(ledger, tmp_path, "second", {**many, "7": "2"}, NOON + HOUR).go_on()
    lines = seen(tmp_path)
    assert lines.pop("update 7=2") == 1
    assert len(lines) == 1201


@given(st.tuples(st.text(), st.text(), st.text(), st.integers(0, 10**6)), st.data())
def test_no_two_batches_have_the_same_name(parts, data) -> None:
    other = data.draw(st.tuples(st.text(), st.text(), st.text(), st.integers(0, 10**6)))
    assert (OutboxKey(*parts).id == OutboxKey(*other).id) == (parts == other)


@given(
    st.builds(
        Decision,
        st.text(),
        st.sampled_from(["create", "update", "delete"]),
        st.datetimes(timezones=st.just(dt.UTC)),
        st.dictionaries(st.text(), st.text()),
        st.lists(st.text()).map(tuple),
        st.none() | st.text(min_size=1),
        st.none() | st.text(min_size=1),
        st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    )
)
def test_a_decision_comes_back_as_it_was_put_down(decision) -> None:
    back = Decision.from_json(decision.as_json())
    assert back == decision
    assert str(back.amount) == str(decision.amount)
