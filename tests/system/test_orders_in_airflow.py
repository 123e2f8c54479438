"""The main job in a real Airflow: 2,000 orders, run again, cleared, backfilled, killed. Not one order more.

The tests build on each other, in this order.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.sandbox.sap_files import (
    cpi_json,
    idoc_flat,
    idoc_xml,
    orders_csv,
    sample_orders,
)

from .conftest import DAG

if TYPE_CHECKING:
    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("O1", "X2", "X4", "W6")]

ARTICLES = [f"SKU-{number:05d}" for number in range(1, 120) if number % 40]
WRITERS = {"a.xml": idoc_xml, "b": idoc_flat, "c.csv": orders_csv, "d.json": cpi_json}
LANDED_DAYS_AGO = 3


def orders_of(place: int, count: int = 500):
    return sample_orders(
        count, seed=place, articles=ARTICLES, customers=100, first=place * 10_000, prefix="T"
    )


FILES = {name: orders_of(place) for place, name in enumerate(WRITERS, start=1)}
KILLED = orders_of(9, 600)
ALL = sorted(order.reference for orders in FILES.values() for order in orders)


@pytest.fixture(scope="module")
def first_run(landscape: Landscape) -> str:
    for name, orders in FILES.items():
        landscape.drop(name, WRITERS[name](orders), days_ago=LANDED_DAYS_AGO)
    landscape.airflow.request("PATCH", f"dags/{DAG}?update_mask=is_paused", {"is_paused": False})
    run = landscape.airflow.wait_for_run(DAG, lambda text: None)
    assert run["state"] == "success", landscape.tasks(run["dag_run_id"])
    return run["dag_run_id"]


def assert_exactly(landscape: Landscape, expected: list[str]) -> None:
    found = landscape.references()
    assert Counter(found) == Counter(expected)
    assert landscape.box.summary()["duplicates"]["debtorEmails"] == {}


def test_2000_orders_of_four_formats(landscape: Landscape, first_run: str) -> None:
    assert_exactly(landscape, ALL)
    result = landscape.result(first_run)
    assert (result["files"], result["documents"], result["counts"]) == (4, 2000, {"created": 2000})
    total = sum(order.net for orders in FILES.values() for order in orders)
    assert result["amounts"] == {"created": str(total)}
    held = sum(order["amountExclVat"] for order in landscape.box.summary()["orders"])
    assert held == total
    archived = [path.name for path in (landscape.inbox / "archive").rglob("*") if path.is_file()]
    assert sorted(archived) == sorted(FILES)
    assert not any((landscape.home / "asperion" / "staging").rglob("*/*"))


def test_run_again_finds_nothing(landscape: Landscape, first_run: str) -> None:
    run = landscape.trigger()
    assert landscape.wait(run) == "success"
    assert landscape.tasks(run)["list[-1]"] == "success"
    assert set(landscape.tasks(run).values()) == {"success", "skipped"}
    assert_exactly(landscape, ALL)


def test_cleared_it_ends_in_the_same_state(landscape: Landscape, first_run: str) -> None:
    landscape.clear(first_run, only_failed=False)
    assert landscape.wait(first_run) == "success"
    # Its files are archived: there is nothing to read, and what was mapped the first time is skipped.
    assert set(landscape.tasks(first_run).values()) == {"success", "skipped"}
    assert_exactly(landscape, ALL)


def test_archived_files_of_an_interval_are_read_again(landscape: Landscape, first_run: str) -> None:
    day = dt.datetime.now(dt.UTC) - dt.timedelta(days=LANDED_DAYS_AGO)
    around = dt.timedelta(days=1)
    runs = landscape.backfill(DAG, day - around, day + around, again="none")
    assert runs
    read = [landscape.result(run) for run in runs if "deliver[0]" in landscape.tasks(run)]
    assert [result["counts"] for result in read] == [{"skipped": 2000}]
    assert_exactly(landscape, ALL)


def test_a_forgetful_ledger_is_made_up_for_by_asking_asperion(landscape: Landscape, first_run: str) -> None:
    """X4: what the ledger does not know is adopted from Asperion, not doubled. The login stays known."""
    for table in ("documents", "sightings", "events", "files"):
        landscape.ask_ledger(f"delete from asperion_{table}")
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=LANDED_DAYS_AGO + 1)
    run = landscape.trigger(archived_from=since.isoformat())
    assert landscape.wait(run) == "success"
    assert landscape.result(run)["counts"] == {"adopted": 2000}
    assert_exactly(landscape, ALL)


@pytest.mark.feature("X3")
def test_a_dry_run_writes_nothing(landscape: Landscape, first_run: str) -> None:
    landscape.drop("killed.xml", idoc_xml(KILLED))
    run = landscape.trigger(dry_run=True)
    assert landscape.wait(run) == "success"
    assert landscape.result(run)["plan"]["actions"] == {"create": 600}
    assert (landscape.inbox / "killed.xml").exists()
    assert_exactly(landscape, ALL)


def test_killed_at_several_points_then_cleared(landscape: Landscape, first_run: str) -> None:
    if not (landscape.inbox / "killed.xml").exists():
        landscape.drop("killed.xml", idoc_xml(KILLED))
    run = landscape.trigger()
    # With the worker killed around them, LocalExecutor loses their slots for good, so that is done once.
    for point, with_worker in ((2010, True), (2150, False), (2450, False)):
        wait_until = time.monotonic() + 120
        while len(landscape.references()) < point:
            assert time.monotonic() < wait_until, landscape.tasks(run)
            time.sleep(0.01)
        assert landscape.kill_tasks(with_worker=with_worker) > 0, "nothing was delivering"
        assert landscape.wait(run) == "failed"
        landscape.clear(run, only_failed=True)
    assert landscape.wait(run) == "success"
    assert_exactly(landscape, sorted(ALL + [order.reference for order in KILLED]))
    result = landscape.result(run)
    assert result["counts"] == {"created": 600}
    assert not (landscape.inbox / "killed.xml").exists()


def test_two_runs_at_once(landscape: Landscape, first_run: str) -> None:
    orders = orders_of(11, 200)
    landscape.drop("twice.csv", orders_csv(orders))
    landscape.drop("twice.xml", idoc_xml(orders_of(12, 200)))
    runs = [landscape.trigger(), landscape.trigger()]
    assert {landscape.wait(run) for run in runs} == {"success"}
    expected = ALL + [order.reference for order in (*KILLED, *orders, *orders_of(12, 200))]
    assert_exactly(landscape, sorted(expected))


def test_nothing_personal_in_logs_database_and_ledger(landscape: Landscape, first_run: str) -> None:
    """W6: a byte search for every e-mail address, name and street of the test data."""
    everybody = [order for orders in (*FILES.values(), KILLED) for order in orders]
    secrets = {
        value.encode()
        for order in everybody
        for value in (order.email, order.person, order.company, order.phone, order.postcode, order.street)
        if value
    }
    found = [
        f"{path.relative_to(landscape.home.parent)}: {secret.decode()}"
        for path in landscape.home.parent.rglob("*")
        if path.is_file() and "ssh" not in path.parts
        for content in [path.read_bytes()]
        for secret in secrets
        if secret in content
    ]
    assert found == []
    archive = b"".join(path.read_bytes() for path in landscape.inbox.rglob("*.xml"))
    assert any(secret in archive for secret in secrets), "the search itself works"
