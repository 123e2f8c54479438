"""Alerts, letters and circuit breakers on SQLite and PostgreSQL, also by several workers at once."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.flows.alerting import Seen, Watched, take_note
from airflow_provider_asperion.ledger import Ledger, alerts, circuits, letters
from airflow_provider_asperion.records import Problem, ProblemGroup
from airflow_provider_asperion.settings import Notifications
from tests.support.ledger_databases import ledger_url, postgres_server  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.feature("W4")]
RULES = Notifications.model_validate({"channels": {"desk": {"notifier": "http"}}})
WATCHED = Watched("default", "orders_to_asperion", RULES)
GROUP = ProblemGroup.of(Problem(rule="article.missing", message="not there", remedy="add it", record="4711"))
WORKERS = 6


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:  # noqa: F811
    opened = Ledger.open(ledger_url, create=True)
    yield opened
    opened.close()


def at_once(act: Callable[[int], None]) -> None:
    ready = threading.Barrier(WORKERS)
    raised: list[BaseException] = []

    def work(number: int) -> None:
        ready.wait()
        try:
            act(number)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []


def test_one_life_of_an_alert(ledger: Ledger) -> None:
    ledger.run(alerts.note_findings, "dag/run", "dag/run/deliver/0", [GROUP, GROUP])
    assert [one.count for one in ledger.run(alerts.findings_of, "dag/run").values()] == [2]
    told = ledger.run(take_note, WATCHED, "dag/run", [Seen("state", GROUP)])
    assert [letter.kind for letter in told] == ["new"]
    (taken,) = ledger.run(letters.take, "default", ["desk"])
    assert taken.letter.group == GROUP
    ledger.run(letters.failed, [taken.number], "ConnectionError")
    (dead,) = ledger.run(letters.dead_letters, "default")
    assert (dead.attempts, dead.error) == (1, "ConnectionError")
    ledger.run(letters.sent, [taken.number])
    assert ledger.run(letters.waiting) == []
    (alert,) = ledger.run(alerts.open_alerts)
    assert alert.told_count == 1
    told = ledger.run(take_note, WATCHED, "dag/run2", [], lambda alert: "over")
    assert [letter.kind for letter in told] == ["resolved"]
    assert ledger.run(alerts.open_alerts) == []


def test_runs_that_end_at_once_tell_it_once(ledger: Ledger) -> None:
    told: list[str] = []

    def end(number: int) -> None:
        found = ledger.run(take_note, WATCHED, f"dag/run{number}", [Seen("state", GROUP)])
        told.extend(letter.kind for letter in found)

    at_once(end)
    assert told == ["new"]
    assert len(ledger.run(letters.waiting)) == 1


def test_a_letter_goes_to_one_of_several_senders(ledger: Ledger) -> None:
    ledger.run(take_note, WATCHED, "dag/run", [Seen("state", GROUP)])
    taken: list[str] = []
    at_once(lambda _: taken.extend(one.number for one in ledger.run(letters.take, "default", ["desk"])))
    assert len(taken) == 1


def test_batches_that_end_at_once_are_all_counted(ledger: Ledger) -> None:
    changes: list[str | None] = []

    def count(number: int) -> None:
        changes.append(
            ledger.run(
                circuits.count,
                "default",
                "orders_to_asperion",
                run_id="dag/run",
                who=str(number),
                seen=10,
                refused=10,
                minimum=10 * WORKERS,
                share=1.0,
            )
        )

    at_once(count)
    assert [change for change in changes if change] == ["opened"]
    (found,) = ledger.run(circuits.circuits)
    assert (found.seen, found.refused) == (10 * WORKERS, 10 * WORKERS)
    assert not ledger.run(circuits.admit, "default", "orders_to_asperion", "next", dt.timedelta(hours=1))
