"""`asperion check` says when files are to wake a flow and nobody watches for them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy.exc import OperationalError

from airflow_provider_asperion.cli.check_deployment import check_triggerer
from airflow_provider_asperion.cli.findings import Report
from airflow_provider_asperion.settings import parse_settings

pytestmark = pytest.mark.feature("X8", "W1")

WOKEN = "integrations: {default: {flows: {answers_from_sap: {enabled: true, wake: file}}}}"


def told(settings, job, monkeypatch):
    def newest(kind):
        assert kind == "TriggererJob"
        if isinstance(job, Exception):
            raise job
        return job

    monkeypatch.setattr("airflow.jobs.job.most_recent_job", newest)
    lines = []
    check_triggerer(Report(lines.append), parse_settings(settings))
    return " ".join(lines)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (SimpleNamespace(is_alive=lambda: True), "OK"),
        (SimpleNamespace(is_alive=lambda: False), "FAIL"),
        (None, "FAIL"),
        (OperationalError("select", {}, Exception("locked")), "FAIL"),
    ],
)
def test_where_files_wake_a_flow_a_triggerer_must_live(job, expected, monkeypatch):
    assert told(WOKEN, job, monkeypatch).startswith(expected)


@pytest.mark.parametrize(
    "settings",
    ["{}", WOKEN.replace("wake: file", "wake: schedule"), WOKEN.replace("enabled: true, ", "")],
)
def test_where_none_is_needed_none_is_missed(settings, monkeypatch):
    assert told(settings, None, monkeypatch) == ""
