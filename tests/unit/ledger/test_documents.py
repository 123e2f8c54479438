"""Taking, intending, finishing; fencing; and that each of it leaves a trail."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from airflow_provider_asperion.ledger import Claim, DocumentKey, GripLost, Ledger, SessionLost, sessions
from airflow_provider_asperion.records import Problem

pytestmark = pytest.mark.feature("X2")
KEY = DocumentKey("1", "sales_order", "4711")
CLAIM = Claim(KEY, "aaa")
REFUSAL = Problem(rule="article.missing", message="the article is not there", remedy="add it", record="4711")


def test_a_document_is_new_once_and_busy_while_held(ledger: Ledger) -> None:
    first, second = ledger.open_session("one"), ledger.open_session("two")
    assert [grip.status for grip in ledger.take(first, [CLAIM])] == ["new"]
    assert [grip.status for grip in ledger.take(second, [CLAIM])] == ["busy"]
    assert [grip.status for grip in ledger.take(first, [CLAIM])] == ["busy"]


def test_what_is_done_stays_done_with_all_that_is_known(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    ledger.take(session, [CLAIM])
    ledger.intend(session, KEY, "POST sales order")
    ledger.finish(session, KEY, "done", asperion_id="9", amount=Decimal("10.10"), note="created")
    (grip,) = ledger.take(session, [Claim(KEY, "bbb")])
    assert (grip.status, grip.asperion_id, grip.amount, grip.fingerprint) == (
        "done",
        "9",
        Decimal("10.10"),
        "aaa",
    )
    assert grip.changed
    assert not grip.held


@pytest.mark.parametrize("intended", [False, True])
def test_a_session_out_of_lease_is_succeeded_and_its_intent_known(
    ledger: Ledger, clock, intended: bool
) -> None:
    first = ledger.open_session("one", lease_seconds=60)
    ledger.take(first, [CLAIM])
    if intended:
        ledger.intend(first, KEY, "POST sales order")
    clock.forward(59)
    second = ledger.open_session("two")
    assert ledger.take(second, [CLAIM])[0].status == "busy"
    clock.forward(1)
    (grip,) = ledger.take(second, [Claim(KEY, "bbb")])
    assert (grip.status, grip.intended, grip.attempts) == ("resumed", intended, 2)
    assert grip.effect == ("POST sales order" if intended else None)
    # With a POST possibly out, what was sent stays on record.
    assert ledger.look_up([KEY])[KEY].fingerprint == ("aaa" if intended else "bbb")


def test_who_was_succeeded_can_do_nothing_any_more(ledger: Ledger, clock) -> None:
    first = ledger.open_session("one", lease_seconds=60)
    ledger.take(first, [CLAIM])
    clock.forward(61)
    second = ledger.open_session("two")
    ledger.take(second, [CLAIM])
    with pytest.raises(GripLost):
        ledger.intend(first, KEY, "POST")
    with pytest.raises(GripLost):
        ledger.finish(first, KEY, "done")
    with pytest.raises(SessionLost):
        ledger.heartbeat(first)
    with pytest.raises(SessionLost):
        ledger.take(first, [Claim(DocumentKey("1", "sales_order", "2"), "a")])
    ledger.release(first, [KEY])
    assert ledger.look_up([KEY])[KEY].session_id == second.id


def test_nothing_is_intended_out_of_lease_but_what_happened_is_still_put_down(ledger: Ledger, clock) -> None:
    session = ledger.open_session("one", lease_seconds=60)
    ledger.take(session, [CLAIM])
    ledger.intend(session, KEY, "POST")
    clock.forward(61)
    with pytest.raises(GripLost):
        ledger.intend(session, KEY, "POST")
    ledger.finish(session, KEY, "done", asperion_id="9")
    assert ledger.look_up([KEY])[KEY].state == "done"


def test_without_the_condition_a_living_holder_is_robbed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "is_unheld", lambda holder: true())
    ledger.take(ledger.open_session("one"), [CLAIM])
    with pytest.raises(AssertionError):
        assert ledger.take(ledger.open_session("two"), [CLAIM])[0].status == "busy"


def test_without_the_lease_in_the_condition_a_late_intent_goes_through(
    ledger: Ledger, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "is_alive", lambda work, session: true())
    session = ledger.open_session("one", lease_seconds=60)
    ledger.take(session, [CLAIM])
    clock.forward(61)
    with pytest.raises(pytest.fail.Exception), pytest.raises(GripLost):
        ledger.intend(session, KEY, "POST")


def test_heartbeats_keep_a_document_for_hours(ledger: Ledger, clock) -> None:
    first, second = (
        ledger.open_session("one", lease_seconds=60),
        ledger.open_session("two", lease_seconds=1e6),
    )
    ledger.take(first, [CLAIM])
    for _ in range(100):
        clock.forward(50)
        ledger.heartbeat(first)
        assert ledger.take(second, [CLAIM])[0].status == "busy"


def test_a_refused_document_is_tried_again_without_its_intent(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    ledger.take(session, [CLAIM])
    ledger.intend(session, KEY, "POST")
    ledger.finish(session, KEY, "refused", problems=[REFUSAL])
    assert ledger.look_up([KEY])[KEY].problems == (REFUSAL,)
    (grip,) = ledger.take(session, [CLAIM])
    assert (grip.status, grip.state, grip.intended, grip.held) == ("refused_before", "refused", False, True)


def test_a_held_document_keeps_its_intent(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    ledger.take(session, [CLAIM])
    ledger.intend(session, KEY, "POST")
    ledger.finish(session, KEY, "held")
    (grip,) = ledger.take(session, [CLAIM])
    assert (grip.status, grip.state, grip.intended) == ("resumed", "held", True)


def test_released_documents_are_free_at_once(ledger: Ledger) -> None:
    first, second = ledger.open_session("one"), ledger.open_session("two")
    ledger.take(first, [CLAIM])
    ledger.release(first, [KEY])
    assert ledger.take(second, [CLAIM])[0].status == "resumed"


def test_a_key_twice_in_a_batch_is_taken_once(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    grips = ledger.take(session, [CLAIM, Claim(KEY, "bbb"), Claim(KEY, "aaa")])
    assert [(grip.status, grip.changed) for grip in grips] == [
        ("new", False),
        ("busy", True),
        ("busy", False),
    ]


def test_a_large_batch_comes_back_in_its_order(ledger: Ledger) -> None:
    claims = [Claim(DocumentKey("1", "sales_order", str(n)), "f") for n in range(1200)]
    grips = ledger.take(ledger.open_session("one"), claims)
    assert [grip.key for grip in grips] == [claim.key for claim in claims]
    assert {grip.status for grip in grips} == {"new"}


def test_administrations_and_kinds_do_not_mix(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    keys = [
        DocumentKey("1", "2", "3"),
        DocumentKey("12", "", "3"),
        DocumentKey("1", "23", ""),
        DocumentKey("", "1", "23"),
    ]
    assert {grip.status for grip in ledger.take(session, [Claim(key, "f") for key in keys])} == {"new"}


def test_the_trail_tells_all_in_order(ledger: Ledger, clock) -> None:
    session = ledger.open_session("dag/run/task/0/1", "run-1")
    ledger.take(session, [Claim(KEY, "aaa", "file-id", 3)])
    ledger.event(session, KEY, "looked up", {"found": 0})
    clock.forward(1)
    ledger.intend(session, KEY, "POST sales order")
    ledger.finish(session, KEY, "done", asperion_id="9", amount=Decimal("10.10"), note="created")
    found = ledger.trail(KEY)
    assert [event.name for event in found] == ["taken", "looked up", "intended", "done"]
    assert found[0].detail["position"] == 3
    assert dict(found[3].detail) == {"asperion_id": "9", "amount": "10.10", "how": "created"}
    assert {event.run_id for event in found} == {"run-1"}
    assert found[2].at == clock.now


def test_a_record_does_not_fit_into_a_trail(ledger: Ledger) -> None:
    session = ledger.open_session("one")
    with pytest.raises(ValueError, match="limited"):
        ledger.event(session, KEY, "x", {"record": "y" * 5000})


def test_an_end_state_is_one_of_three(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="no end state"):
        ledger.finish(ledger.open_session("one"), KEY, "open")  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_amounts_come_back_to_the_digit(ledger: Ledger, amount: Decimal) -> None:
    key = DocumentKey("1", "sales_order", str(amount))
    session = ledger.open_session("one")
    if ledger.take(session, [Claim(key, "f")])[0].held:
        ledger.finish(session, key, "done", amount=amount)
    assert str(ledger.look_up([key])[key].amount) == str(amount)


@pytest.mark.parametrize("wrong", [10.1, Decimal("NaN"), 10])
def test_an_amount_that_is_not_exact_is_refused(ledger: Ledger, wrong) -> None:
    session = ledger.open_session("one")
    ledger.take(session, [CLAIM])
    with pytest.raises(Exception, match="finite Decimal"):
        ledger.finish(session, KEY, "done", amount=wrong)
    assert ledger.look_up([KEY])[KEY].state == "open"
