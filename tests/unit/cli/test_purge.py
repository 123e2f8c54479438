"""`asperion purge` in a home with nothing in it: the table, and log files of tasks."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from airflow_provider_asperion.hooks.task_logs import purge_task_logs

pytestmark = pytest.mark.feature("W6")
NOW = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)


@pytest.fixture
def logs(tmp_path):
    """Log files of our DAGs and of another one, old and young."""

    def write(dag, name, days):
        path = tmp_path / f"dag_id={dag}" / "run_id=r" / f"task_id={name}" / "attempt=1.log"
        path.parent.mkdir(parents=True)
        path.write_text("log")
        moment = (NOW - dt.timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
        return path

    return {
        "old": write("sap_orders_to_asperion", "read", 31),
        "young": write("sap_orders_to_asperion", "deliver", 29),
        "other integration": write("asperion_stock_to_sap__retail", "publish", 31),
        "other dag": write("somebody_elses", "read", 400),
    }


def left(logs):
    return {name for name, path in logs.items() if path.exists()}


def test_only_old_log_files_of_our_dags_go(logs, tmp_path):
    before = NOW - dt.timedelta(days=30)
    assert purge_task_logs(["default", "retail"], before, dry_run=True, folder=tmp_path) == 2
    assert left(logs) == set(logs)
    assert purge_task_logs(["default", "retail"], before, folder=tmp_path) == 2
    assert left(logs) == {"young", "other dag"}
    assert not logs["old"].parent.exists()


def test_a_link_is_never_followed(logs, tmp_path):
    (tmp_path / "dag_id=asperion_housekeeping").symlink_to(tmp_path / "dag_id=somebody_elses")
    (logs["young"].parent / "link.log").symlink_to(logs["other dag"])
    purge_task_logs(["default", "retail"], NOW + dt.timedelta(days=1), folder=tmp_path)
    assert "other dag" in left(logs)


def test_a_folder_that_is_not_there_is_no_fault(tmp_path):
    assert purge_task_logs(["default"], NOW, folder=tmp_path / "nowhere") == 0
