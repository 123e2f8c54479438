"""Runs a whole Airflow for the demo, in a folder of its own, and stops every process of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER = PASSWORD = "admin"  # noqa: S105 - a demo on the loopback interface
ENDED = ("success", "failed")


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def free_port(wanted: int) -> int:
    """Return the wanted port of the loopback interface, or a free one when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no free port on this machine")


@contextmanager
def running(
    command: list[str], *, log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own; afterwards no process of that session is left."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        yield process
    finally:
        _stop_session(process)


def _stop_session(process: subprocess.Popen[bytes]) -> None:
    """Stop all processes of a session: Airflow's parts outlive the one that started them."""
    for sign, patience in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        for pid in _members(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        while _members(process.pid) and time.monotonic() < deadline:
            process.poll()
            time.sleep(0.1)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)


def _members(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # pid (name) state ppid pgrp session: the name may hold blanks and brackets.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


class DemoAirflow:
    """A running Airflow, talked to over its REST API.

    :param home: AIRFLOW_HOME.
    :param port: of the API server and UI.
    """

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._token: str | None = None

    def environment(self, *, dags: Path, settings: Path) -> dict[str, str]:
        """Return the environment in which Airflow runs."""
        return {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            # `airflow standalone` starts `airflow` by name.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__ASPERION__SETTINGS": str(settings),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # SQLite has one writer: with the default of 32 tasks at a time it answers "database is locked".
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        }

    def prepare(self) -> None:
        """Lay down the login."""
        self.home.mkdir(parents=True, exist_ok=True)
        passwords = self.home / "simple_auth_manager_passwords.json.generated"
        passwords.write_text(json.dumps({USER: PASSWORD}))

    def wait_until_healthy(
        self, process: subprocess.Popen[bytes], log: Path, *, seconds: float = 240
    ) -> None:
        """Wait until scheduler and DAG processor are at work.

        :raises DemoError: Airflow ended, or is not healthy in time.
        """

        def healthy() -> bool:
            if process.poll() is not None:
                raise DemoError(f"Airflow ended at once; its last lines are in {log}:\n{_tail(log)}")
            with suppress(OSError, ValueError):
                state = _call("GET", f"{self.url}/api/v2/monitor/health")
                return all(state[part]["status"] == "healthy" for part in ("scheduler", "dag_processor"))
            return False

        wait_for(healthy, seconds, f"Airflow is not healthy; see {log}")

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Call the REST API, logged in.

        :raises DemoError: it says no.
        """
        if self._token is None:
            login = {"username": USER, "password": PASSWORD}
            self._token = _call("POST", f"{self.url}/auth/token", login)["access_token"]
        try:
            return _call(method, f"{self.url}/api/v2/{path}", body, token=self._token)
        except urllib.error.HTTPError as error:
            raise DemoError(
                f"Airflow answers {error.code} to {method} {path}: {error.read()[:300]!r}"
            ) from error

    def wait_for_dag(self, dag_id: str, *, seconds: float = 120) -> None:
        """Wait until Airflow has read a DAG."""

        def known() -> bool:
            errors = self.request("GET", "importErrors")
            if errors["total_entries"]:
                raise DemoError(f"the DAG cannot be read: {errors['import_errors'][0]['stack_trace']}")
            dags = self.request("GET", "dags?limit=100&exclude_stale=false")
            return any(dag["dag_id"] == dag_id for dag in dags["dags"])

        wait_for(known, seconds, f"Airflow does not find the DAG {dag_id}")

    def wait_for_run(
        self, dag_id: str, tell: Callable[[str], None], *, seconds: float = 300
    ) -> dict[str, Any]:
        """Wait until the newest run of a DAG has ended; tell each task as it ends."""
        told: set[str] = set()
        newest: dict[str, Any] = {}

        def ended() -> bool:
            runs = self.request("GET", f"dags/{dag_id}/dagRuns?order_by=-id&limit=1")["dag_runs"]
            if not runs:
                return False
            newest.update(runs[0])
            path = f"dags/{dag_id}/dagRuns/{newest['dag_run_id']}/taskInstances?limit=200"
            for task in self.request("GET", path)["task_instances"]:
                name = task["task_id"] + (f" [{task['map_index']}]" if task["map_index"] >= 0 else "")
                if task["state"] in (*ENDED, "skipped", "upstream_failed") and name not in told:
                    told.add(name)
                    tell(f"task {name}: {task['state']}")
            return newest["state"] in ENDED

        wait_for(ended, seconds, f"the run of {dag_id} does not end")
        return newest


def wait_for(condition: Callable[[], bool], seconds: float, failure: str) -> None:
    """Look twice a second until something is so.

    :raises DemoError: it is not within the time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(failure)
        time.sleep(0.5)


def _call(method: str, url: str, body: Any = None, *, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310 - loopback
    # No proxy: this is the loopback interface, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-25:])
