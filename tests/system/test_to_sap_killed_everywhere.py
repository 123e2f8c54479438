"""A flow to SAP in a real Airflow, killed before and after each outside effect, in every task; a backfill.

The tests build on each other, in this order. A small administration of its own keeps them quick.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from tests.support.kill_points.sitecustomize import COMMITS, EFFECTS

if TYPE_CHECKING:
    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("P1", "X2", "X4")]

DAG = "asperion_products_to_sap__small"
ARTICLES = 60
ADMINISTRATION = 2
PROFILE = ReadProfile(message_types=("MATMAS",))
POINTS = [*EFFECTS, *(f"commit_{name}" for name in COMMITS)]


class Sap:
    """SAP's side: reads every file once, and only one with its done-file."""

    def __init__(self, landscape: Landscape) -> None:
        self._folder = landscape.sshd.folder / "in" / "small"
        self._seen: set[str] = set()

    def fetch(self) -> list[str]:
        names = {path.name for path in self._folder.glob("*")} | {
            path.name for path in self._folder.glob(".*")
        }
        assert not any(name.startswith(".") for name in names), "a temporary file was left behind"
        data = {name for name in names if not name.endswith(".done")}
        assert names - data == {f"{name}.done" for name in data}
        keys = []
        for name in sorted(data - self._seen):
            self._seen.add(name)
            with (self._folder / name).open("rb") as stream:
                for one in read_documents(stream, file=name, profile=PROFILE):
                    assert not isinstance(one, Problem), one
                    keys.append(one.key)
        return keys


@pytest.fixture(scope="module")
def sap(landscape: Landscape) -> Sap:
    return Sap(landscape)


@pytest.fixture(scope="module", autouse=True)
def _small(landscape: Landscape) -> None:
    with landscape.box.state.lock:
        table = landscape.box.state.administrations[ADMINISTRATION].tables["articles"]
        for row in list(table.rows.values())[ARTICLES:]:
            table.remove(row)
    landscape.airflow.wait_for_dag(DAG)


def run(landscape: Landscape, **conf: object) -> dict[str, object]:
    run_id = landscape.trigger(DAG, **conf)
    assert landscape.wait(run_id, DAG) == "success", landscape.tasks(run_id, DAG)
    return landscape.result(run_id, DAG)


def sent(landscape: Landscape) -> dict[str, str]:
    """Return what the ledger says SAP has: SKU and file."""
    statement = "select key, file from asperion_snapshots where administration = ? and published_at > ''"
    return {key: file for key, file in landscape.ask_ledger(statement, str(ADMINISTRATION))}


def test_killed_before_and_after_each_effect_all_is_there_once(landscape: Landscape, sap: Sap) -> None:
    asked = [landscape.kill_points / f"{point}.{when}" for point in POINTS for when in ("before", "after")]
    for path in asked:
        path.touch()
    landscape.airflow.request("PATCH", f"dags/{DAG}?update_mask=is_paused", {"is_paused": False})
    run_id = newest(landscape)
    assert landscape.wait(run_id, DAG, seconds=400) == "success", landscape.tasks(run_id, DAG)
    assert [path.name for path in asked if path.exists()] == [], "each kill was really made"
    assert len(list(landscape.kill_points.glob("*.done"))) == len(asked) == 20
    keys = Counter(sap.fetch())
    assert (len(keys), set(keys.values())) == (ARTICLES, {1})
    ledger = sent(landscape)
    assert set(ledger) == set(keys)
    folder = landscape.sshd.folder / "in" / "small"
    assert {folder / name for name in ledger.values()} <= set(folder.iterdir())
    assert not any((landscape.home / "asperion" / "staging").rglob("*/*"))


def test_then_nothing_is_left_to_send(landscape: Landscape, sap: Sap) -> None:
    assert run(landscape)["counts"] == {"none": ARTICLES}
    assert sap.fetch() == []


def test_a_backfill_of_last_week_sends_what_changed_last_week(landscape: Landscape, sap: Sap) -> None:
    today = dt.datetime.now(dt.UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    inside = {"SKU-00001": 6, "SKU-00002": 3, "SKU-00003": 2}
    outside = {"SKU-00004": 20, "SKU-00005": 40}
    for sku, days in (inside | outside).items():
        changed = (today - dt.timedelta(days=days) + dt.timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S")
        landscape.box.change(
            "articles",
            sku,
            administration=ADMINISTRATION,
            description=f"Anders {sku}",
            dateLastChange=changed,
        )
    week = (today - dt.timedelta(days=7), today - dt.timedelta(days=1))
    runs = landscape.backfill(DAG, *week, again="completed")
    assert len(runs) >= 6
    assert sorted(sap.fetch()) == sorted(inside)
    assert landscape.backfill(DAG, *week, again="completed"), "once more"
    assert sap.fetch() == []
    assert run(landscape)["counts"]["update"] == len(outside), "a run of today brings the rest"
    assert sorted(sap.fetch()) == sorted(outside)


def newest(landscape: Landscape) -> str:
    """Return the run that begins when the DAG is switched on."""
    deadline = time.monotonic() + 60
    while True:
        runs = landscape.airflow.request("GET", f"dags/{DAG}/dagRuns?order_by=-id&limit=1")["dag_runs"]
        if runs:
            return str(runs[0]["dag_run_id"])
        assert time.monotonic() < deadline, f"{DAG} has no run"
        time.sleep(0.05)
