"""People are told from inside a real Airflow: what is refused, what fails, what is over; the watch runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.sandbox.demo_airflow import wait_for

from .conftest import DAG

if TYPE_CHECKING:
    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("W4")]

HEAD = "ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;SKU;QUANTITY;PRICE\n"
ROW = "{};20260115;900137;Kees Kwikzilver;kanarie@example.org;{};1;3.00\n"


@pytest.fixture(scope="module")
def unpaused(landscape: Landscape) -> Landscape:
    landscape.airflow.request("PATCH", f"dags/{DAG}?update_mask=is_paused", {"is_paused": False})
    landscape.airflow.wait_for_run(DAG, lambda text: None)  # what Airflow makes when it is switched on
    return landscape


def told(landscape: Landscape, since: int) -> list[tuple[str, str]]:
    bodies = landscape.desk.bodies[since:]
    assert "Kwikzilver" not in str(bodies)
    return [(cause["kind"], cause["rule"]) for body in bodies for cause in body["causes"]]


def test_a_refusal_is_told_from_a_task(unpaused: Landscape) -> None:
    before = len(unpaused.desk.bodies)
    unpaused.drop("n1.csv", (HEAD + ROW.format("N1", "SKU-NONE")).encode())
    assert unpaused.wait(unpaused.trigger()) == "success"
    assert told(unpaused, before) == [("new", "article.missing")]
    (cause,) = unpaused.desk.bodies[before]["causes"]
    assert cause["records"] == ["N1"]
    assert f"/dags/{DAG}/runs/" in cause["run_link"]
    unpaused.add_article("SKU-NONE")
    assert unpaused.wait(unpaused.trigger(retry=["N1"])) == "success"
    assert told(unpaused, before)[1:] == [("resolved", "article.missing")]


def test_a_failure_is_told_by_its_reason_and_once_and_its_end_too(unpaused: Landscape) -> None:
    before = len(unpaused.desk.bodies)
    unpaused.drop("n2.csv", (HEAD + ROW.format("N2", "SKU-00001")).encode())
    unpaused.box.fault("error_before_saving", method="POST", path="/v1/salesorderwithlines", status=503)
    assert unpaused.wait(unpaused.trigger()) == "failed"
    unpaused.box.box.faults.rules.clear()
    found = told(unpaused, before)
    assert len(found) == 1, "what failed because of it is no news"
    assert found[0][0] == "new"
    assert found[0][1].startswith("asperion.")
    assert unpaused.wait(unpaused.trigger()) == "success"
    assert told(unpaused, before)[1:] == [("resolved", found[0][1])]


def test_the_watch_runs(unpaused: Landscape) -> None:
    dag = "asperion_watch"
    wait_for(lambda: unpaused.airflow.request("GET", f"dags/{dag}"), 60, "Airflow does not know the watch")
    unpaused.airflow.request("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
    unpaused.airflow.wait_for_run(dag, lambda text: None)
    assert unpaused.wait(unpaused.trigger(dag), dag) == "success"
