"""The sensor: waits in the triggerer or on a worker, returns the files, fails where waiting is in vain."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.sensors.sap_files import SapFileSensor

pytestmark = pytest.mark.feature("X8")

FILE = {"folder": "orders", "name": "a.xml", "size": 10, "modified": "2026-03-01T12:00:00Z"}


def test_deferred_it_waits_with_a_trigger_of_one_event():
    folder = DropFolder(inbox="orders", done_file="{name}.ok")
    sensor = SapFileSensor(
        task_id="wait",
        folder=folder,
        sap_sftp_conn_id="sap",
        pattern="*.xml",
        poke_interval=5,
        timeout=90,
        deferrable=True,
    )
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    assert deferred.value.method_name == "execute_complete"
    assert deferred.value.timeout.total_seconds() == 90
    assert deferred.value.trigger.serialize()[1] == {
        "folder": {"inbox": "orders", "done_file": "{name}.ok"},
        "sap_sftp_conn_id": "sap",
        "pattern": "*.xml",
        "poll_seconds": 5,
        "again_seconds": 60.0,
        "once": True,
    }


def test_it_returns_the_files_that_the_trigger_saw():
    sensor = SapFileSensor(task_id="wait", folder="orders")
    assert sensor.execute_complete({}, {"files": [FILE], "problem": None}) == [FILE]


@pytest.mark.feature("W4")
def test_what_somebody_must_mend_fails_the_task_at_once():
    problem = {"rule": "sftp.host_key", "message": "another key", "remedy": "ask"}
    with pytest.raises(AirflowFailException, match=r"\[sftp.host_key\] another key -> ask"):
        SapFileSensor(task_id="wait", folder="orders").execute_complete({}, {"files": [], "problem": problem})


def test_the_deployment_says_whether_sensors_are_deferrable():
    assert SapFileSensor(task_id="wait", folder="orders").deferrable is False
    assert SapFileSensor(task_id="wait_too", folder="orders", deferrable=True).deferrable is True


def test_the_folder_may_be_a_template():
    assert set(SapFileSensor.template_fields) == {"folder", "sap_sftp_conn_id", "pattern"}
    assert SapFileSensor(task_id="wait", folder="{{ params.inbox }}").folder == "{{ params.inbox }}"
    assert SapFileSensor(task_id="wait_too", folder=DropFolder(inbox="{{ ds }}")).folder == {
        "inbox": "{{ ds }}"
    }
