"""A real Airflow on a real OpenSSH server and the sandbox, started once for all system tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_asperion.sandbox import Sandbox
from airflow_provider_asperion.sandbox.demo_airflow import (
    DemoAirflow,
    DemoError,
    free_port,
    running,
    wait_for,
)
from tests.support import live_ledger
from tests.support.sinks import HttpSink, http_sink
from tests.support.sshd import Sshd, running_sshd

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

DAG = "sap_orders_to_asperion"
ARTICLES, DEBTORS, ORDERS = 10_000, 5_000, 3_000
# Name and role; the name is the password too.
USERS = {"admin": "admin", "reader": "viewer", "operator": "user"}
REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = """\
version: 1
integrations:
  default:
    notifications: {{channels: {{desk: {{notifier: http, arguments: {{http_conn_id: desk}}}}}}}}
    flows:
      orders_to_asperion:
        schedule: "0 6 * * *"
        folder: {{inbox: {inbox}, look_interval_seconds: 0.2, minimum_age_seconds: 0}}
        look_ups:
          vat_code: {{table: {{A2: V21, A1: V9}}}}
          payment_condition: {{table: {{Z030: "30"}}}}
        customer: {{company_kind: B, person_kind: C}}
        delivery: {{batch_size: 250, retries: 0}}
      products_to_sap:
        schedule: "0 6 * * *"
        folder: {{folder: {out}/products, done_file: "{{name}}.done"}}
        delivery: {{batch_size: 1000, retries: 0}}
      stock_to_sap: {{schedule: "0 6 * * *", folder: {{folder: {out}/stock}}}}
      customers_to_sap:
        schedule: "0 6 * * *"
        folder: {{folder: {out}/customers}}
        writing: {{format: idoc_flat}}
      orders_to_sap:
        schedule: "0 6 * * *"
        folder: {{folder: {out}/orders}}
        changes: {{by: content}}
  small:
    asperion: {{administration: 2}}
    flows:
      orders_to_asperion: null
      products_to_sap:
        schedule: "0 6 * * *"
        folder: {{folder: {out}/small, done_file: "{{name}}.done"}}
        delivery: {{batch_size: 20, retries: 60, retry_delay_seconds: 0}}
      stock_to_sap: null
      customers_to_sap: null
      orders_to_sap: null
"""
# Woken by files; in an administration of its own, so that it disturbs nobody's counts.
SETTINGS += """\
  awake:
    asperion: {{administration: 2}}
    flows:
      orders_to_asperion:
        wake: file
        schedule: "0 6 * * *"
        poll_seconds: 2
        folder: {{inbox: {inbox}/../awake, look_interval_seconds: 2, minimum_age_seconds: 0}}
        look_ups:
          vat_code: {{table: {{A2: V21, A1: V9}}}}
          payment_condition: {{table: {{Z030: "30"}}}}
        customer: {{company_kind: B, person_kind: C}}
        delivery: {{retry_delay_seconds: 1}}
      products_to_sap: null
      stock_to_sap: null
      customers_to_sap: null
      orders_to_sap: null
"""
KILL_POINTS = REPOSITORY / "tests" / "support" / "kill_points"


@dataclass
class Landscape:
    """SAP's server, Asperion's sandbox, and Airflow in between."""

    airflow: DemoAirflow
    box: Sandbox
    sshd: Sshd
    home: Path
    desk: HttpSink

    @property
    def kill_points(self) -> Path:
        """Folder of the files that ask for kills, see kill_points/sitecustomize.py."""
        return self.home.parent / "kill_points"

    @property
    def inbox(self) -> Path:
        return self.sshd.folder / "orders"

    def drop(self, name: str, content: bytes, *, days_ago: float = 0) -> None:
        path = self.inbox / f"{name}.tmp"
        path.write_bytes(content)
        landed = time.time() - days_ago * 86_400
        os.utime(path, (landed, landed))
        path.rename(self.inbox / name)

    def trigger(self, dag: str = DAG, **conf: Any) -> str:
        run = self.airflow.request("POST", f"dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
        return run["dag_run_id"]

    def wait(self, run_id: str, dag: str = DAG, *, seconds: float = 480) -> str:
        state: dict[str, str] = {}

        def ended() -> bool:
            try:
                state["now"] = self.airflow.request("GET", f"dags/{dag}/dagRuns/{run_id}")["state"]
            except TimeoutError:  # a busy machine; asking again does no harm
                return False
            return state["now"] in ("success", "failed")

        wait_for(ended, seconds, f"run {run_id} does not end: {self.tasks(run_id, dag)}")
        return state["now"]

    def tasks(self, run_id: str, dag: str = DAG) -> dict[str, str]:
        path = f"dags/{dag}/dagRuns/{run_id}/taskInstances?limit=200"
        found = self.airflow.request("GET", path)["task_instances"]
        return {f"{task['task_id']}[{task['map_index']}]": task["state"] for task in found}

    def clear(self, run_id: str, dag: str = DAG, *, only_failed: bool) -> None:
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": only_failed,
            "reset_dag_runs": True,
            "include_downstream": True,
        }
        self.airflow.request("POST", f"dags/{dag}/clearTaskInstances", body)

    def result(self, run_id: str, dag: str = DAG) -> dict[str, Any]:
        """Return what the settling task returned."""
        path = f"dags/{dag}/dagRuns/{run_id}/taskInstances/settle/xcomEntries/return_value?deserialize=true"
        value = self.airflow.request("GET", path)["value"]
        return json.loads(value) if isinstance(value, str) else value

    def backfill(self, dag: str, start: dt.datetime, end: dt.datetime, *, again: str) -> list[str]:
        """Make a backfill of Airflow and wait for its end; return the runs of all backfills of this DAG.

        :param again: which runs that are there already are made once more: ``none``, ``completed``.
        """
        body = {
            "dag_id": dag,
            "from_date": start.isoformat(),
            "to_date": end.isoformat(),
            "reprocess_behavior": again,
            "max_active_runs": 2,
            "run_backwards": False,
            "dag_run_conf": {},
        }
        made: dict[str, Any] = {}

        def taken() -> bool:
            try:
                made.update(self.airflow.request("POST", "backfills", body))
            except DemoError as error:
                # Airflow's own database is SQLite here and was busy; nothing was made.
                if not any(told in str(error) for told in ("answers 503", "Database error")):
                    raise
            return bool(made)

        def ended() -> bool:
            return self.airflow.request("GET", f"backfills/{made['id']}")["completed_at"] is not None

        wait_for(taken, 120, "Airflow takes no backfill")
        wait_for(ended, 180, "the backfill does not end")
        found = self.airflow.request("GET", f"dags/{dag}/dagRuns?run_type=backfill&limit=50")["dag_runs"]
        runs = {str(run["dag_run_id"]): run["state"] for run in found}
        assert set(runs.values()) == {"success"}, {run: self.tasks(run, dag) for run in runs}
        return list(runs)

    def add_article(self, code: str) -> None:
        """Create an article as a client of the API does."""
        body = json.dumps({"code": code, "description": code, "price": 1, "salesTypeId": "HOOG"}).encode()
        headers = {"Authorization": f"Bearer {self.box.access_token}", "X-Tenant-Id": "1"}
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.box.url}/v1/articles", body, headers)
        with urllib.request.urlopen(request) as answer:
            assert answer.status < 300

    def references(self) -> list[str]:
        return sorted(document["reference"] for document in self.box.summary()["orders"])

    def ask_ledger(self, statement: str, *parameters: str | int) -> list[list[Any]]:
        """Run one statement on the ledger; see :mod:`tests.support.live_ledger`."""
        return live_ledger.ask(self.home / "asperion" / "ledger.db", statement, *parameters)

    def kill_tasks(self, task: str = "deliver", *, with_worker: bool) -> int:
        """SIGKILL every process that works in a task, and its worker too; return how many there were."""
        ledger = str(self.home / "asperion" / "ledger.db")
        command = [sys.executable, "-m", "tests.support.kill_tasks", ledger, task, "2"]
        command += ["worker"] * with_worker
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        return int(done.stdout)


@pytest.fixture(scope="session")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    folder = tmp_path_factory.mktemp("system")
    with ExitStack() as stack:
        desk = stack.enter_context(http_sink())
        sshd = stack.enter_context(running_sshd(folder / "ssh"))
        for inbox in ("orders", "awake"):
            (sshd.folder / inbox).mkdir()
        box = stack.enter_context(Sandbox(latency_ms=20, articles=ARTICLES, debtors=DEBTORS, orders=ORDERS))
        airflow = DemoAirflow(folder / "airflow", free_port(8080))
        airflow.prepare()
        passwords = airflow.home / "simple_auth_manager_passwords.json.generated"
        passwords.write_text(json.dumps({name: name for name in USERS}))
        settings = folder / "asperion.yaml"
        settings.write_text(SETTINGS.format(inbox=sshd.folder / "orders", out=sshd.folder / "in"))
        environment = airflow.environment(dags=REPOSITORY / "dags", settings=settings)
        environment |= {
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(map(":".join, USERS.items())),
            "PYTHONPATH": os.pathsep.join((str(KILL_POINTS), os.environ.get("PYTHONPATH", ""))).rstrip(":"),
            "ASPERION_KILL_POINTS": str(folder / "kill_points"),
        }
        (folder / "kill_points").mkdir()
        log = folder / "airflow.log"
        command = [sys.executable, "-m", "airflow", "standalone"]
        process = stack.enter_context(running(command, log=log, environment=environment))
        airflow.wait_until_healthy(process, log)
        _connect(airflow, box, sshd, desk)
        airflow.wait_for_dag(DAG)
        yield Landscape(airflow, box, sshd, airflow.home, desk)
        if kept := os.environ.get("ASPERION_KEEP_LOGS"):
            shutil.copytree(folder / "airflow" / "logs", kept, dirs_exist_ok=True)


def _connect(airflow: DemoAirflow, box: Sandbox, sshd: Sshd, desk: HttpSink) -> None:
    host, _, port = box.url.removeprefix("http://").partition(":")
    login = {
        "administration": 1,
        "token_url": f"{box.url}/connect/token",
        "authorize_url": f"{box.url}/connect/authorize",
        "refresh_token": box.refresh_token,
    }
    sap = sshd.connection()
    for connection in (
        {
            "connection_id": "asperion_default",
            "conn_type": "asperion",
            "schema": "http",
            "host": host,
            "port": int(port),
            "login": box.client_id,
            "password": box.client_secret,
            "extra": json.dumps(login),
        },
        {
            "connection_id": "desk",
            "conn_type": "http",
            "schema": "http",
            "host": "127.0.0.1",
            "port": desk.port,
        },
        {"connection_id": "sap_sftp_default", **sap, "extra": json.dumps(sap["extra"])},
    ):
        airflow.request("POST", "connections", connection)
