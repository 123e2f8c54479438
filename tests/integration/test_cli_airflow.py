"""The commands as processes, under Airflow and alone; connections of variables and of Airflow's database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli_world import ORDERS_CSV, world

pytestmark = pytest.mark.slow
ALONE = [sys.executable, "-m", "airflow_provider_asperion"]
IN_AIRFLOW = [sys.executable, "-m", "airflow", "asperion"]
FORMS = pytest.mark.parametrize("form", [ALONE, IN_AIRFLOW], ids=["alone", "in Airflow"])


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A database of Airflow's own, made once."""
    home = tmp_path_factory.mktemp("airflow")
    airflow("db", "migrate", environment=_environment(home))
    return home / "airflow.db"


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch, database):
    with world(tmp_path / "home", sshd, inbox, monkeypatch) as made:
        (made.home / "airflow.db").write_bytes(database.read_bytes())
        yield made


def _environment(home):
    stated = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))
    }
    kept = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CONN_")}
    return {**stated, **kept, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


def airflow(*arguments, environment):
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def run(form, place, *arguments):
    return subprocess.run(
        [*form, *map(str, arguments)], env=_environment(place.home), capture_output=True, text=True
    )


def into_the_database(place, monkeypatch):
    """Move both connections out of the environment into Airflow's database."""
    for name, connection in (
        ("sap_sftp_default", place.sap_connection()),
        ("asperion_default", place.asperion_connection()),
    ):
        monkeypatch.delenv(f"AIRFLOW_CONN_{name.upper()}")
        airflow(
            "connections",
            "add",
            name,
            "--conn-json",
            json.dumps(connection),
            environment=_environment(place.home),
        )


@FORMS
@pytest.mark.feature("W1")
def test_connections_of_the_environment(place, form):
    done = run(form, place, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    assert all(line[:4].strip() in ("", "OK", "WARN") for line in done.stdout.splitlines()[:-1])


@pytest.mark.feature("W1")
def test_connections_and_pool_of_the_database(place, monkeypatch):
    place.flow = {"delivery": {"pool": "asperion"}}
    place.write()
    into_the_database(place, monkeypatch)
    done = run(ALONE, place, "check")
    assert done.returncode == 1
    (failed,) = (line for line in done.stdout.splitlines() if line.startswith("FAIL"))
    assert "pool asperion" in failed
    assert "`airflow pools set asperion" in failed
    airflow("pools", "set", "asperion", "4", "Calls to Asperion", environment=_environment(place.home))
    for form in (ALONE, IN_AIRFLOW):
        done = run(form, place, "check")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "OK    pool asperion             has 4 slots" in done.stdout
        assert "1 is Demo Groothandel B.V." in done.stdout
        assert "SHA256" not in done.stderr
        assert "Traceback" not in done.stderr


def test_without_the_server_context_the_database_is_not_asked(place, monkeypatch):
    # The protection switched off: else the test above might pass for another reason.
    into_the_database(place, monkeypatch)
    script = (
        "import sys; from airflow_provider_asperion.cli import check, main; "
        "check.reach_connections = lambda: None; sys.exit(main.main(['check']))"
    )
    done = run([sys.executable, "-c", script], place)
    assert done.returncode == 1
    assert "FAIL  connection asperion_default" in done.stdout


@FORMS
@pytest.mark.feature("X3")
def test_a_plan_is_nothing_but_json(place, form, tmp_path):
    place.sap["no_host_key_check"], place.sap["host_key"] = True, None  # makes the hook log a warning
    place.write()
    (place.inbox / "orders.csv").write_text(ORDERS_CSV)
    done = run(form, place, "plan", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["action"] for line in done.stdout.splitlines()] == ["create", "refuse"]
    assert "host key" in done.stderr


@FORMS
def test_map_is_nothing_but_json(place, form, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS_CSV)
    done = run(form, place, "map", path)
    assert done.returncode == 0
    assert [json.loads(line)["order"]["reference"] for line in done.stdout.splitlines()] == ["4711", "4712"]
    assert run(form, place, "map", tmp_path / "none").returncode == 1


@pytest.mark.feature("W7")
def test_an_init_makes_the_dag_files_warning_go(place):
    place.settings.unlink()
    assert "WARN  DAG files" in run(ALONE, place, "check").stdout
    done = run(IN_AIRFLOW, place, "init", place.home)
    assert done.returncode == 0, done.stderr
    assert Path(place.home / "dags" / "sap_orders_to_asperion.py").exists()
    checked = run(ALONE, place, "check").stdout
    assert "OK    DAG files" in checked
    assert "OK    settings" in checked
    # The settings as written have another folder than this server, and that is all there is to say.
    assert [line.split()[1:3] for line in checked.splitlines() if line.startswith("FAIL")] == [
        ["sftp", "folder"]
    ]


@pytest.mark.feature("X1")
def test_the_sandbox_is_handed_over_to(place, tmp_path):
    command = [*ALONE, "sandbox", "--port", "0", "--sftp-port", "0", "--folder", str(tmp_path / "tree")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment(place.home))
    try:
        said = [process.stdout.readline() for _ in range(2)]
        assert said[0] == "asperion\n"
        assert "http://127.0.0.1:" in said[1]
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()
