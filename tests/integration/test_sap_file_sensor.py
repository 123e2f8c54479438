"""The sensor on a worker, against a real OpenSSH server; deferred it is the trigger's test."""

from __future__ import annotations

import json
import threading
import time

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_asperion.sensors.sap_files import SapFileSensor

pytestmark = pytest.mark.feature("X8")


def sensor(inbox, connection, **more):
    folder = {"inbox": str(inbox), "look_interval_seconds": 0.1, "minimum_age_seconds": 0}
    return SapFileSensor(
        task_id="wait",
        folder=folder,
        sap_sftp_conn_id=connection,
        poke_interval=0.2,
        deferrable=False,
        **more,
    )


def test_it_waits_for_a_complete_file_and_returns_it(inbox, sap_connection):
    threading.Timer(1, (inbox / "a.xml").write_text, ["x"]).start()
    (inbox / "b.csv").write_text("y")
    began = time.monotonic()
    (file,) = sensor(inbox, sap_connection, pattern="*.xml").execute({})
    assert time.monotonic() - began > 0.9
    assert (file["folder"], file["name"], file["size"]) == (str(inbox), "a.xml", 1)
    assert (inbox / "a.xml").exists(), "it is not the sensor's to take"


def test_no_file_is_no_success(inbox, sap_connection):
    assert not sensor(inbox, sap_connection).poke({})


@pytest.mark.feature("W4")
def test_another_host_key_fails_at_once(sshd, inbox, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SAP_TEST", json.dumps(sshd.connection(host_key=sshd.other_key)))
    with pytest.raises(AirflowFailException, match=r"sftp\.host_key"):
        sensor(inbox, "sap_test").execute({})


def test_a_server_that_is_away_is_waited_for(sshd, inbox, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SAP_TEST", json.dumps(sshd.connection() | {"port": 1}))
    assert not sensor(inbox, "sap_test").poke({})
