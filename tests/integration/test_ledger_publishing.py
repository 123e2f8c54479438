"""Publications on SQLite and PostgreSQL: competing and killed processes, ledgers of the version before."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.config import Config
from cryptography.fernet import Fernet
from sqlalchemy import text

from airflow_provider_asperion.ledger import (
    DocumentKey,
    Ledger,
    outbox,
    purge,
    schema,
    search,
    snapshots,
    watermarks,
)
from airflow_provider_asperion.ledger.database import make_engine
from airflow_provider_asperion.ledger.outbox import Decision, OutFile
from airflow_provider_asperion.ledger.patches import PatchBook, Place
from airflow_provider_asperion.ledger.trail import add_event
from airflow_provider_asperion.records import ProblemError
from tests.support import ledger_publishers
from tests.support.ledger_databases import ledger_url, postgres_server  # noqa: F401 - fixtures
from tests.support.ledger_publishers import FLOW, NOON, POINTS, batch, seen

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from airflow_provider_asperion.ledger.outbox import OutboxKey

pytestmark = [pytest.mark.feature("X2", "S1", "P1")]
spawn = multiprocessing.get_context("spawn")
WORKERS = 2
RECORDS = {"A": "1", "B": "1"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:  # noqa: F811
    opened = Ledger.open(ledger_url, create=True)
    yield opened
    opened.close()


def run_together(work: Callable[..., None], url: str, folder: Path, *more: int) -> tuple[Counter[str], int]:
    """Have processes publish the same records; return how often each is visible, and lost batches."""
    barrier = spawn.Barrier(WORKERS)
    answers: Any = spawn.Queue()
    workers = [
        spawn.Process(target=work, args=(url, folder, barrier, answers, number, *more))
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    lost = sum(answers.get(timeout=90) for _ in workers)
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    return seen(folder), lost


def test_of_two_processes_one_publishes_each_record(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    lines, lost = run_together(ledger_publishers.compete, ledger_url, tmp_path, 300)
    assert lines == {f"create {record}=1": 1 for record in range(300)}
    assert lost == 0
    known = ledger.run(snapshots.keys_of, "1", FLOW)
    assert {record.key for record in known} == {str(record) for record in range(300)}


def test_without_the_hold_two_processes_publish_the_same(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    lines, _ = run_together(ledger_publishers.overtake, ledger_url, tmp_path)
    assert lines == {f"create {record}=1": 2 for record in "ABC"}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_each_record_is_visible_once(
    ledger: Ledger,
    ledger_url: str,  # noqa: F811
    tmp_path: Path,
    point: str,
) -> None:
    victim = spawn.Process(
        target=ledger_publishers.publish, args=(ledger_url, tmp_path, "first", RECORDS, point)
    )
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    # Another run comes by first, then the killed task is cleared.
    ledger_publishers.publish(ledger_url, tmp_path, "second", {"B": "1", "C": "1"})
    ledger_publishers.publish(ledger_url, tmp_path, "first", RECORDS)
    assert seen(tmp_path) == {f"create {record}=1": 1 for record in "ABC"}
    known = ledger.run(snapshots.look_up, "1", FLOW, "ABC")
    assert {key: known[key].fields["value"] for key in known} == dict.fromkeys(
        "ABC", ledger_publishers.short_hash("1")
    )


def publish(ledger: Ledger, owner: str, key: OutboxKey, names: list[str]) -> None:
    """Publish, each transaction once: what the database undoes is an error."""
    session = ledger.open_session(owner)
    with ledger.transaction() as work:
        held = outbox.hold(work, session, key, [(name, NOON) for name in names])
    decisions = [Decision(name, "create", NOON, {"x": "1"}) for name in held.free]
    with ledger.transaction() as work:
        outbox.plan(work, session, key, decisions)
    with ledger.transaction() as work:
        outbox.uploaded(work, session, key.id, [OutFile("f", "", 0)])
    with ledger.transaction() as work:
        outbox.published(work, session, key.id)


def crowd(ledger: Ledger) -> list[Exception]:
    """Have threads publish the same records in other orders; return what went wrong."""
    names = [str(number) for number in range(700)]
    errors: list[Exception] = []

    def work(owner: str, order: list[str]) -> None:
        try:
            for number in range(3):
                publish(ledger, owner, batch(owner, number), [f"{number}/{name}" for name in order])
        except Exception as error:  # the test reports it
            errors.append(error)

    orders = (names, names[::-1], names[350:] + names[:350])
    threads = [
        threading.Thread(target=work, args=(str(number), order), name=str(number))
        for number, order in enumerate(orders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return errors


def test_workers_with_the_same_records_in_another_order_do_not_stop_each_other(ledger: Ledger) -> None:
    assert crowd(ledger) == []
    assert len(ledger.run(snapshots.keys_of, "1", FLOW)) == 2100


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_without_the_order_of_locks_they_do(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def each_its_own(ids: Iterable[str]) -> list[str]:
        return sorted(ids, reverse=threading.current_thread().name == "1")

    monkeypatch.setattr(outbox, "sorted", each_its_own, raising=False)
    assert "DeadlockDetected" in str(crowd(ledger))


def test_one_life_of_a_record(ledger: Ledger) -> None:
    session = ledger.open_session("one", "run")
    for number, decision in enumerate(
        (
            Decision("A", "create", NOON, {"x": "1", "y": "2"}, ("x", "y"), number="17"),
            Decision("A", "update", NOON + HOUR, {"x": "3"}, ("x",), number="18"),
        )
    ):
        key = batch("run", number)
        held = ledger.run(outbox.hold, session, key, [("A", decision.observed_at), ("B", NOON)])
        assert (held.free["A"] is None, held.free["B"]) == (number == 0, None)
        ledger.run(outbox.plan, session, key, [decision], folder="to_sap")
        ledger.run(outbox.uploaded, session, key.id, [OutFile(f"{number}.xml", "ab", 10**10)])
        ledger.run(outbox.published, session, key.id)
        ledger.run(outbox.published, session, key.id)
    known = ledger.run(snapshots.look_up, "1", FLOW, ["A", "B"])
    assert set(known) == {"A"}
    assert (known["A"].fields, known["A"].observed_at) == ({"x": "3", "y": "2"}, NOON + HOUR)
    ledger.run(snapshots.mark_posted, session, "posted", "1", numbers=["17", "18"])
    assert [event.name for event in ledger.trail(DocumentKey("1", FLOW, "A"))] == [
        "published",
        "published",
        "posted",
    ]
    key = batch("crashed")
    ledger.run(outbox.hold, session, key, [("A", NOON), ("C", NOON + HOUR)])
    ledger.run(outbox.plan, session, key, [Decision("C", "create", NOON + HOUR)])
    ledger.run(outbox.uploaded, session, key.id, [OutFile("c.xml", "ab", 1)])
    ledger.close_session(session)
    other = ledger.open_session("other")
    (stranded,) = ledger.run(outbox.hold, other, batch("other"), [("C", NOON)]).stranded
    assert ledger.run(outbox.adopt, other, stranded.id).files == (OutFile("c.xml", "ab", 1),)
    ledger.run(outbox.published, other, stranded.id)
    assert [known.key for known in ledger.run(snapshots.keys_of, "1", FLOW, after="A")] == ["C"]
    assert ledger.run(watermarks.move, "1", FLOW, NOON, "run")
    assert not ledger.run(watermarks.move, "1", FLOW, NOON, "run")
    assert ledger.run(watermarks.move, "1", FLOW, NOON + HOUR, "run")
    end = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
    assert purge.count(ledger, {"trail": end, "work": end}) == {"trail": 4, "work": 5}
    assert purge.purge(ledger, {"trail": end, "work": end}) == {"trail": 4, "work": 5}
    assert set(ledger.run(snapshots.look_up, "1", FLOW, "ABC")) == {"A", "C"}
    assert ledger.run(outbox.hold, other, batch("other"), [("C", NOON)]).busy == set()


def test_a_ledger_of_the_first_version_keeps_what_it_knows(ledger_url: str) -> None:  # noqa: F811
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = make_engine(ledger_url)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    old = Ledger(engine)
    key = DocumentKey("1", "sales_order", "4711")
    session = old.open_session("before", "run")
    with old.transaction() as work:
        # As the first version wrote it: the tables of today have more columns.
        row = {"id": key.id, **key._asdict(), "state": "intended", "fingerprint": "f", "attempts": 1}
        row |= {"effect": "POST sales order", "intended_at": work.now, "session_id": session.id}
        row |= {"run_id": "run", "problems": "[]", "created_at": work.now, "updated_at": work.now}
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        work.connection.execute(text(f"insert into asperion_documents ({names}) values ({values})"), row)
        add_event(work, session, key, "intended", {"effect": "POST sales order"})
    trail = old.trail(key)
    old.close()
    with pytest.raises(ProblemError, match="version 0001"):
        Ledger.open(ledger_url)

    ledger = Ledger.open(ledger_url, create=True)
    known = ledger.look_up([key])[key]
    assert (known.state, known.effect, known.fingerprint) == ("intended", "POST sales order", "f")
    assert (ledger.trail(key), len(trail)) == (trail, 1)
    ledger.finish(session, key, "done")
    book = PatchBook(ledger, Fernet(Fernet.generate_key()))
    book.put(Place(key.id, "file", 1), "header.NAME", "new", by="ann", hours=1)
    assert book.of_file("file") == {}, "it is delivered"
    assert [hit.key for hit in ledger.run(search.search, search.Query()).hits] == ["4711"]
    publish(ledger, "after", batch("after"), ["A"])
    assert set(ledger.run(snapshots.look_up, "1", FLOW, ["A"])) == {"A"}
    ledger.close()
    Ledger.open(ledger_url).close()
