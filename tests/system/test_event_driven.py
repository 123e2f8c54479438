"""Woken by files in a real Airflow: seconds after one is complete, with nothing running until then.

The tests build on each other, in this order.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_asperion.sandbox.demo_airflow import wait_for
from airflow_provider_asperion.sandbox.sap_files import idoc_xml, sample_orders

if TYPE_CHECKING:
    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("X8")]

DAG = "sap_orders_to_asperion__awake"
ADMINISTRATION = 2
# The goal is 10 seconds; machines that test are busy with other things too.
PATIENCE = 30


class Awake:
    """The flow that files wake."""

    def __init__(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self.inbox = landscape.sshd.folder / "awake"
        # Every 40th of the sandbox is inactive.
        self.articles = sorted(landscape.box.summary(ADMINISTRATION)["stock"])[:39]
        self.expected: list[str] = []

    def drop(self, name: str, place: int, count: int = 5) -> float:
        """Drop a file of new orders; return the moment at which it was complete."""
        orders = sample_orders(
            count, seed=place, articles=self.articles, customers=20, first=place * 100, prefix="E"
        )
        self.expected += [order.reference for order in orders]
        path = self.inbox / f"{name}.tmp"
        path.write_bytes(idoc_xml(orders))
        path.rename(self.inbox / name)
        return time.time()

    def references(self) -> list[str]:
        return sorted(one["reference"] for one in self.landscape.box.summary(ADMINISTRATION)["orders"])

    def wait_for_all(self, seconds: float = 120) -> None:
        wait_for(lambda: self.references() == sorted(self.expected), seconds, "orders are missing")
        wait_for(lambda: not self.busy(), seconds, f"still running: {self.busy()}")

    def runs(self) -> list[dict[str, Any]]:
        path = f"dags/{DAG}/dagRuns?limit=100&order_by=-id"
        return self.landscape.airflow.request("GET", path)["dag_runs"]

    def busy(self) -> list[str]:
        """Return what is at work for the flow, or wants to be."""
        states = "&".join(f"state={state}" for state in ("running", "queued", "scheduled", "deferred"))
        path = f"dags/{DAG}/dagRuns/~/taskInstances?{states}"
        tasks = self.landscape.airflow.request("GET", path)["task_instances"]
        runs = [run["dag_run_id"] for run in self.runs() if run["state"] in ("running", "queued")]
        return [task["task_id"] for task in tasks] + runs

    def delivery_since(self, moment: float) -> float:
        """Return how long after a moment delivery began."""
        began: list[float] = []

        def has_begun() -> bool:
            path = f"dags/{DAG}/dagRuns/~/taskInstances?task_id=deliver&limit=100"
            found = self.landscape.airflow.request("GET", path)["task_instances"]
            starts = [
                dt.datetime.fromisoformat(one["start_date"]).timestamp() for one in found if one["start_date"]
            ]
            began[:] = [start for start in starts if start > moment]
            return bool(began)

        wait_for(has_begun, 120, "no delivery begins")
        return min(began) - moment


@pytest.fixture(scope="module")
def awake(landscape: Landscape) -> Awake:
    flow = Awake(landscape)
    landscape.airflow.wait_for_dag(DAG)
    landscape.airflow.request("PATCH", f"dags/{DAG}?update_mask=is_paused", {"is_paused": False})
    wait_for(lambda: landscape.sshd.sessions() > 0, 120, "nobody watches the folder")
    # Airflow makes up for the last interval of the clock; that run finds nothing.
    time.sleep(10)
    wait_for(lambda: not flow.busy(), 120, "the run of the clock does not end")
    return flow


def test_a_file_is_in_delivery_seconds_after_it_is_complete_and_nothing_runs_before(awake: Awake) -> None:
    latencies = []
    for place in range(1, 4):
        for _ in range(4):
            assert awake.busy() == [], "waiting must not hold a worker"
            time.sleep(0.7)
        complete = awake.drop(f"orders{place}.xml", place)
        latencies.append(awake.delivery_since(complete))
        awake.wait_for_all()
    print("seconds from a complete file to its delivery:", ", ".join(f"{one:.1f}" for one in latencies))
    assert max(latencies) < PATIENCE
    woken = [run for run in awake.runs() if run["run_type"] == "asset_triggered"]
    assert len(woken) == 3, "one run a file"
    assert {run["state"] for run in woken} == {"success"}
    assert {(run["logical_date"], run["data_interval_start"]) for run in woken} == {(None, None)}


def test_the_event_names_the_file_and_nothing_of_its_content(awake: Awake) -> None:
    found = awake.landscape.airflow.request("GET", "assets/events?order_by=-timestamp&limit=1")[
        "asset_events"
    ]
    payload = found[0]["extra"]["payload"]
    assert payload["problem"] is None
    (file,) = payload["files"]
    assert set(file) == {"folder", "name", "size", "modified"}
    assert file["name"] == "orders3.xml"
