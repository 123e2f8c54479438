"""Purging by age and erasing a person, on SQLite and PostgreSQL: what goes, and above all what stays."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import insert, inspect, text

from airflow_provider_asperion.ledger import (
    Claim,
    DocumentKey,
    IdentityHasher,
    Ledger,
    SeenFile,
    erasure,
    files,
    names,
    outbox,
    payloads,
    purge,
    runs,
    search,
    snapshots,
    tables,
)
from airflow_provider_asperion.ledger.erasure import Person
from airflow_provider_asperion.ledger.outbox import Decision, OutFile
from airflow_provider_asperion.ledger.payloads import Keeper
from airflow_provider_asperion.ledger.record import record
from airflow_provider_asperion.records import Problem, ProblemError
from tests.support.ledger_databases import ledger_url, postgres_server  # noqa: F401 - fixtures
from tests.support.ledger_publishers import NOON, batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.ledger.work import Work

pytestmark = pytest.mark.feature("W6")
HASHED = IdentityHasher(b"x" * 32)
JAN, KEES = HASHED("email", "jan@example.nl"), HASHED("email", "kees@example.nl")
DETAIL = Problem(rule="order.total", field="lines.1.price", message="the sum is 12.50", remedy="mend it")
DAY = dt.timedelta(days=1)
KEEPER = Keeper(Fernet(Fernet.generate_key()), days=3)


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(ledger_url: str, clock: Clock) -> Iterator[Ledger]:  # noqa: F811
    opened = Ledger.open(ledger_url, create=True, clock=clock)
    yield opened
    opened.close()


def an_order(number: str) -> DocumentKey:
    return DocumentKey("1", "sales_order", number)


def counts(ledger: Ledger) -> dict[str, int]:
    """Return the number of rows of each table that has any."""
    with ledger.transaction(reading=True) as work:
        found = {
            name: work.connection.execute(text(f"select count(*) from {name}")).scalar_one()
            for name in inspect(work.connection).get_table_names()
        }
    return {name.removeprefix("asperion_"): rows for name, rows in found.items() if rows}


@pytest.fixture
def filled(ledger: Ledger, clock: Clock) -> Ledger:
    """Five orders in five states, two of Jan, with all that belongs to them; two days ago."""
    seen = SeenFile("f", "orders.csv", 1, clock.now)
    file = ledger.run(files.claim_file, seen, "dag/old", "work/orders.csv")
    assert file is not None
    ledger.run(runs.begin, "dag/old", "default", "orders_to_asperion")
    session = ledger.open_session("old", "dag/old", 10**6)
    keys = [an_order(name) for name in ("done", "other", "refused", "held", "open")]
    ledger.take(session, [Claim(key, f"print-{key.key}", file.id, at) for at, key in enumerate(keys, 1)])
    for key in keys[:2]:
        ledger.intend(session, key, "POST sales_order")
        ledger.finish(
            session, key, "done", asperion_id=f"A-{key.key}", amount=Decimal("9.99"), note="created"
        )
    ledger.finish(session, keys[2], "refused", problems=[DETAIL])
    ledger.finish(session, keys[3], "held", problems=[DETAIL])
    ledger.release(session, keys[4:])
    ledger.run(names.note, [(JAN, keys[0].id), (JAN, keys[2].id), (KEES, keys[1].id)])
    kept = [KEEPER.sealed(key.id, "came", {"email": key.key}, JAN) for key in (keys[0], keys[2])]
    ledger.run(payloads.put, "dag/old", KEEPER.life, kept)
    with ledger.transaction() as work:
        patch = {"file_id": file.id, "position": 3, "field": "customer.email", "document_id": keys[2].id}
        patch |= {"body": b"encrypted", "put_by": "somebody", "until": clock.now + 4 * DAY}
        work.connection.execute(insert(tables.patches), [patch])
    ledger.run(files.file_claimed, file.id, "dag/old")
    with ledger.transaction() as work:
        work.connection.execute(
            text("update asperion_files set state = 'archived', path = 'archive/orders.csv'")
        )
    ledger.run(runs.end, "dag/old", "done", counts={"created": 2})
    ledger.close_session(session)
    clock.now += 2 * DAY
    return ledger


def test_the_trail_goes_and_what_protects_against_doing_it_twice_stays(filled: Ledger, clock: Clock) -> None:
    gone = purge.purge(filled, {"trail": clock.now - DAY})
    assert gone["trail"] == 3 + 3 + 2 + 3  # the events of three ended orders, and three names
    assert filled.trail(an_order("done")) == []
    for waits in ("held", "open"):
        assert filled.trail(an_order(waits)) != []
    view = filled.run(record, an_order("done").id)
    assert view is not None
    assert (view.purged_at, view.events) == (clock.now, ())
    assert (view.hit.state, view.hit.asperion_id) == ("done", "A-done")
    session = filled.open_session("new", "dag/new")
    again = filled.take(session, [Claim(an_order("done"), "print-done"), Claim(an_order("other"), "else")])
    assert [(grip.status, grip.changed) for grip in again] == [("done", False), ("done", True)]


def test_nothing_that_is_young_goes(filled: Ledger, clock: Clock) -> None:
    before = counts(filled)
    moments = dict.fromkeys(purge.kinds(), clock.now - 3 * DAY)
    assert set(purge.count(filled, moments).values()) == {0}
    assert set(purge.purge(filled, moments).values()) == {0}
    assert counts(filled) == before


def test_counting_and_purging_agree(filled: Ledger, clock: Clock) -> None:
    moments = dict.fromkeys(purge.kinds(), clock.now + 9 * DAY)
    for kind in ("details", "kept_until", "runs", "work", "trail", "files", "documents"):
        one = {kind: moments[kind]}
        counted = purge.count(filled, one)
        assert counted[kind] > 0 or kind == "files", kind
        assert purge.purge(filled, one) == counted
    left = counts(filled)
    assert (left["documents"], left["events"], left["files"]) == (3, 4, 1)
    assert not left.keys() & {"names", "payloads", "runs", "sessions"}
    # The file of a refused order stays: by it the order is read again.
    assert left["sightings"] == 3


def test_details_of_problems_go_and_their_cause_stays(filled: Ledger, clock: Clock) -> None:
    assert purge.purge(filled, {"details": clock.now}) == {"details": 2}  # of the document, and of its event
    known = filled.look_up([an_order("refused"), an_order("held")])
    (problem,) = known[an_order("refused")].problems
    assert (problem.rule, problem.field, problem.message) == (DETAIL.rule, DETAIL.field, purge.PURGED)
    assert known[an_order("held")].problems == (DETAIL,), "a person has to decide about it"
    (again,) = filled.trail(an_order("refused"))[-1].problems
    assert again.message == purge.PURGED
    assert purge.purge(filled, {"details": clock.now}) == {"details": 0}


def test_many_rows_go_in_short_transactions(ledger: Ledger, clock: Clock) -> None:
    rows = [
        {"document_id": f"d{number}", "at": clock.now, "run_id": "r", "session_id": "s", "name": "taken"}
        | {"detail": {}, "problems": []}
        for number in range(2 * purge.CHUNK + 7)
    ]
    with ledger.transaction() as work:
        work.connection.execute(insert(tables.events), rows)
    told = []
    purge.purge(
        ledger,
        {"trail": clock.now + DAY},
        on_progress=lambda kind, gone: told.append((kind, gone)),
        sleep=lambda seconds: told.append(("pause", ledger.run(_writable))),
    )
    assert [gone for kind, gone in told if kind == "trail"][:3] == [500, 1000, 1007]
    assert ("pause", True) in told, "others write between two parts"


def _writable(work: Work) -> bool:
    names.note(work, [("somebody", "something")])
    return True


def test_a_table_says_itself_how_long_its_rows_live(ledger: Ledger) -> None:
    short = {part.table.name for part in purge.kinds()[purge.KEPT_UNTIL]}
    assert short == {"asperion_payloads", "asperion_patches"}
    assert [part.table.name for part in purge.kinds()["runs"]] == ["asperion_runs"]


def jan(ledger: Ledger, **options: bool) -> erasure.Erased:
    return ledger.run(erasure.erase, Person((JAN,), (HASHED("email|jan@example.nl|"),)), **options)


def test_a_person_is_erased_and_nobody_else(filled: Ledger, clock: Clock) -> None:
    before = counts(filled)
    planned = jan(filled, dry_run=True)
    assert counts(filled) == before, "a dry run writes nothing"
    erased = jan(filled)
    assert (erased.rows, erased.records, erased.refused) == (planned.rows, 2, ["refused"])
    assert erased.rows == {
        "events": 5,
        "kept values": 3,
        "keyed hashes": 2,
        "places in files": 1,
        "details of problems": 1,
    }
    assert erased.places == [("archive/orders.csv", 1), ("archive/orders.csv", 3)]
    assert filled.run(names.documents_of, JAN) == []
    for key in (an_order("done"), an_order("refused")):
        assert filled.trail(key) == []
        view = filled.run(record, key.id)
        assert view is not None
        assert view.purged_at == clock.now
    known = filled.look_up([an_order(name) for name in ("done", "refused", "other", "held")])
    assert known[an_order("done")].file is None
    assert known[an_order("done")].fingerprint == "print-done"
    assert known[an_order("refused")].file is not None, "it can still be tried again"
    assert known[an_order("refused")].problems[0].message == purge.PURGED
    assert filled.trail(an_order("other")) != []
    assert filled.run(names.documents_of, KEES) == [an_order("other").id]
    session = filled.open_session("new", "dag/new")
    (grip,) = filled.take(session, [Claim(an_order("done"), "print-done")])
    assert (grip.status, grip.asperion_id) == ("done", "A-done"), "it is never placed twice"
    assert jan(filled).records == 0


def test_what_a_task_has_in_hand_is_told(filled: Ledger) -> None:
    session = filled.open_session("at work", "dag/new")
    filled.take(session, [Claim(an_order("refused"), "print-refused")])
    assert jan(filled).at_work == 1


def test_keyed_hashes_of_debtor_and_customer_go_on_demand(ledger: Ledger, clock: Clock) -> None:
    debtor = DocumentKey("1", "debtor", HASHED("email|jan@example.nl|"))
    session = ledger.open_session("s", "run", 10**6)
    ledger.take(session, [Claim(debtor, debtor.key)])
    ledger.finish(session, debtor, "done", asperion_id="7")
    for number, key in enumerate((JAN, KEES)):
        place = batch(f"run{number}")
        ledger.run(outbox.hold, session, place, [(key, NOON)])
        ledger.run(outbox.plan, session, place, [Decision(key, "create", NOON, fields={"NAME1": "ab"})])
        ledger.run(outbox.uploaded, session, place.id, [OutFile(f"{number}.xml", "ab", 1)])
        ledger.run(outbox.published, session, place.id)
    flow = batch("run0").flow

    assert jan(ledger).rows == {"events": 3}
    assert set(ledger.run(snapshots.look_up, "1", flow, [JAN, KEES])) == {JAN, KEES}
    erased = jan(ledger, also_hashes=True)
    assert erased.rows == {"keyed hashes": 2, "publications": 1}
    assert set(ledger.run(snapshots.look_up, "1", flow, [JAN, KEES])) == {KEES}
    assert ledger.look_up([debtor]) == {}
    with ledger.transaction(reading=True) as work:
        rows = [
            str(row)
            for name in ("documents", "snapshots", "outbox", "events", "names", "payloads")
            for row in work.connection.execute(text(f"select * from asperion_{name}"))
        ]
    assert not any(JAN in row or debtor.key in row for row in rows)
    assert any(KEES in row for row in rows), "the search itself works"


def test_kept_values_are_encrypted_bound_to_their_record_and_gone_in_time(
    ledger: Ledger, clock: Clock
) -> None:
    life = dt.timedelta(days=3)
    ledger.run(payloads.put, "run", life, [KEEPER.sealed("d1", "came", {"name": "Jan"}, JAN)])
    ledger.run(payloads.put, "run", life, [KEEPER.sealed("d1", "went", {"name": "J"}, JAN)])
    ledger.run(payloads.put, "run", life, [KEEPER.sealed("d1", "came", {"name": "Jan 2"}, JAN)])
    kept = ledger.run(payloads.of_record, "d1", KEEPER)
    assert [(one.direction, dict(one.values)) for one in kept] == [
        ("came", {"name": "Jan 2"}),
        ("went", {"name": "J"}),
    ]
    with ledger.transaction(reading=True) as work:
        bodies = list(work.connection.execute(text("select body from asperion_payloads")).scalars())
    assert not any(b"Jan" in bytes(body) for body in bodies)
    other = Keeper(Fernet(Fernet.generate_key()), days=3)
    with pytest.raises(ProblemError, match="another key") as caught:
        ledger.run(payloads.of_record, "d1", other)
    assert "Jan" not in str(caught.value)
    with ledger.transaction() as work:
        work.connection.execute(text("update asperion_payloads set document_id = 'd2'"))
    with pytest.raises(ProblemError, match="touched"):
        ledger.run(payloads.of_record, "d2", KEEPER)
    clock.now += life
    assert ledger.run(payloads.of_record, "d2", KEEPER) == []
    assert purge.purge(ledger, {purge.KEPT_UNTIL: clock.now}) == {purge.KEPT_UNTIL: 2}


def test_what_sap_was_sent_is_found_by_whose_it_is(ledger: Ledger) -> None:
    session = ledger.open_session("s", "run", 10**6)
    place = batch("run")
    ledger.run(outbox.hold, session, place, [("4711", NOON)])
    ledger.run(outbox.plan, session, place, [Decision("4711", "create", NOON)])
    ledger.run(outbox.uploaded, session, place.id, [OutFile("a.xml", "ab", 1)])
    ledger.run(outbox.published, session, place.id)
    ledger.run(names.note, [(JAN, DocumentKey("1", place.flow, "4711").id)])
    found = ledger.run(search.search, search.Query(text="jan@example.nl", hashes=(JAN,)))
    assert [hit.key for hit in found.hits] == ["4711"]
