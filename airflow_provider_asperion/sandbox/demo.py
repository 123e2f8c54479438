"""``make demo``: the sandbox, a whole Airflow, order files of every format, all flows back, SAP's answers."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox import demo_answers, demo_to_sap
from airflow_provider_asperion.sandbox.demo_airflow import (
    PASSWORD,
    USER,
    DemoAirflow,
    DemoError,
    free_port,
    running,
    wait_for,
)
from airflow_provider_asperion.sandbox.demo_orders import DAG_ID, EXPECTED, files, place_one_by_hand, settings
from airflow_provider_asperion.sandbox.demo_report import asperion_holds, outcomes, table

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = Path(__file__).resolve().parents[1]
INBOX = "out/orders"


class Demo:
    """One demo, in a folder of its own.

    :param folder: emptied first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = folder / "sftp"
        self.began = time.monotonic()
        self.airflow = DemoAirflow(folder / "airflow", free_port(8080))
        self.sandbox: dict[str, Any] = {}
        self.sent: list[demo_to_sap.Sent] = []

    def tell(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        print(f"{time.monotonic() - self.began:5.0f} s  {text}", flush=True)

    def start(self, stack: ExitStack) -> None:
        """Start sandbox and Airflow; ``stack`` stops them.

        :raises DemoError: one of them does not start.
        """
        self._lay_out()
        self._start_sandbox(stack)
        self.tell("starting Airflow (about half a minute)")
        self.airflow.prepare()
        log = self.folder / "airflow.log"
        process = stack.enter_context(
            running(
                [sys.executable, "-m", "airflow", "standalone"],
                log=log,
                environment=self.airflow.environment(dags=_dags(), settings=self.folder / "asperion.yaml"),
            )
        )
        self.airflow.wait_until_healthy(process, log)
        self.tell(f"Airflow is up: {self.airflow.url}  (user {USER}, password {PASSWORD})")
        self._connect()

    def run(self) -> dict[str, Any]:
        """Drop the files, wait for the run, return it."""
        place_one_by_hand(self.sandbox["asperion"])
        for name, content in files():
            # Under another name first, as a careful sender does; the reader leaves such names alone.
            hidden = self.tree / INBOX / f"{name}.tmp"
            hidden.write_bytes(content)
            hidden.rename(self.tree / INBOX / name)
            self.tell(f"SAP drops {name} ({len(content):,} bytes)")
        self.airflow.wait_for_dag(DAG_ID)
        self.airflow.request("PATCH", f"dags/{DAG_ID}?update_mask=is_paused", {"is_paused": False})
        self.tell(f"DAG {DAG_ID} is switched on; its first run begins")
        return self.airflow.wait_for_run(DAG_ID, self.tell)

    def report(self, run: dict[str, Any]) -> bool:
        """Print what became of each order; True when all is as it should be."""
        found = outcomes(self._ledger, f"{DAG_ID}/{run['dag_run_id']}")
        print("\n" + table(found))
        holds = asperion_holds(self.sandbox["asperion"])
        faults = []
        if run["state"] != "success":
            faults.append(f"the run ended as {run['state']}")
        wrong = {(one.file, one.record, one.state) for one in found} ^ EXPECTED.outcomes
        faults += [f"not as expected: {' '.join(one)}" for one in sorted(wrong)]
        if holds != EXPECTED.in_asperion:
            faults.append(f"Asperion should hold {EXPECTED.in_asperion}, it holds {holds}")
        return self._judged(faults, f"Asperion holds exactly {len(holds)} orders, none twice")

    def way_back(self) -> bool:
        """Bring products, stock, customers and orders to SAP; True when SAP finds all of it, once."""
        faults = demo_to_sap.run_all(self.airflow, self.tell)
        self.sent = demo_to_sap.what_sap_finds(self.tree)
        print("\n" + demo_to_sap.table(self.sent))
        faults += demo_to_sap.faults_of(self.sent, self.sandbox["asperion"], len(EXPECTED.in_asperion))
        return self._judged(faults, "SAP finds each record of Asperion exactly once")

    def answers(self) -> bool:
        """Let SAP answer what it found; True when each answer is noted with its record."""
        inbound, outbound = self.tree / demo_to_sap.FOLDER, self.tree / demo_answers.ANSWERS
        answered = demo_answers.let_sap_answer(inbound, outbound, self.tell)
        run = demo_answers.read_them(self.airflow, self.tell)
        known = demo_answers.noted(self._ledger, f"{demo_answers.DAG_ID}/{run['dag_run_id']}")
        print("\n" + demo_answers.table(self.sent, answered, known))
        faults = demo_answers.faults_of(answered, known, run)
        return self._judged(faults, f"what SAP says of each of {len(answered):,} documents is noted with it")

    def _judged(self, faults: list[str], success: str) -> bool:
        for fault in faults:
            self.tell(f"FAULT: {fault}")
        if not faults:
            self.tell(f"all as expected: {success}")
        return not faults

    @property
    def overview(self) -> str:
        """Address of the Overview page, inside Airflow's frame."""
        return f"{self.airflow.url}/plugin/asperion"

    @property
    def _ledger(self) -> Path:
        return self.airflow.home / "asperion" / "ledger.db"

    def _lay_out(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.tree / INBOX).mkdir(parents=True)
        (self.folder / "asperion.yaml").write_text(
            settings(INBOX) + demo_to_sap.SETTINGS + demo_answers.SETTINGS
        )

    def _start_sandbox(self, stack: ExitStack) -> None:
        log = self.folder / "sandbox.log"
        command = [sys.executable, "-m", "airflow_provider_asperion.sandbox", "--json", "--latency-ms", "20"]
        command += ["--port", "0", "--sftp-port", "0", "--folder", str(self.tree)]
        process = stack.enter_context(running(command, log=log, environment=dict(os.environ)))

        def ready() -> bool:
            if process.poll() is not None:
                raise DemoError(f"the sandbox ended at once: {log.read_text()}")
            return log.read_text().startswith("{") and log.read_text().endswith("\n")

        wait_for(ready, 60, f"the sandbox does not start; see {log}")
        self.sandbox = json.loads(log.read_text().splitlines()[0])
        asperion, sftp = self.sandbox["asperion"], self.sandbox["sftp"]
        self.tell(f"sandbox is up: Asperion at {asperion['url']}, SFTP at {sftp['host']}:{sftp['port']}")

    def _connect(self) -> None:
        """Make the two connections, as a user does in Admin > Connections."""
        asperion, sftp = self.sandbox["asperion"], self.sandbox["sftp"]
        scheme, _, address = asperion["url"].partition("://")
        host, _, port = address.partition(":")
        login = {
            "administration": 1,
            "authorize_url": asperion["authorize_url"],
            "token_url": asperion["token_url"],
            "refresh_token": asperion["refresh_token"],
        }
        connections = [
            {
                "connection_id": "asperion_default",
                "conn_type": "asperion",
                "host": host,
                "port": int(port),
                "schema": scheme,
                "login": asperion["client_id"],
                "password": asperion["client_secret"],
                "extra": json.dumps(login),
            },
            {
                "connection_id": "sap_sftp_default",
                "conn_type": "sap_sftp",
                "host": sftp["host"],
                "port": sftp["port"],
                "login": sftp["username"],
                "password": sftp["password"],
                "extra": json.dumps({"host_key": sftp["host_key"]}),
            },
        ]
        for connection in connections:
            self.airflow.request("POST", "connections", connection)
            self.tell(f"connection {connection['connection_id']} is made")


def _dags() -> Path:
    """Return the folder of the ready DAGs."""
    return (PACKAGE / "ready_dags").resolve()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when it is done, with 0 if all is right")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where all of it lives")
    options = parser.parse_args(arguments)
    # Stopped from outside is stopped like Ctrl-C, also where a shell in the background ignores that: nothing
    # stays behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    demo = Demo(options.folder.resolve())
    try:
        with ExitStack() as stack:
            demo.start(stack)
            right = demo.report(demo.run()) and demo.way_back() and demo.answers()
            if not options.once:
                _stay(demo)
            else:
                demo.tell(f"the Overview was at {demo.overview}")
    except DemoError as error:
        demo.tell(f"FAULT: {error}")
        return 1
    except KeyboardInterrupt:
        demo.tell("stopped; no process is left")
        return 130
    return 0 if right else 1


def _stay(demo: Demo) -> None:
    """Keep everything running until Ctrl-C."""
    asperion = demo.sandbox["asperion"]
    print(
        f"""
Look around:
  Overview   {demo.overview}  (user {USER}, password {PASSWORD})
             what flowed, what was refused and why, each record's trail; in Airflow's menu under Asperion
  Airflow    {demo.airflow.url}  DAG: {DAG_ID}
  Asperion   {asperion["url"]}/swagger/  (sandbox)
  SAP        {demo.tree / INBOX}: drop a file there, then trigger the DAG
             {demo.tree / demo_to_sap.FOLDER}: what SAP finds, and what it has fetched
             {demo.tree / demo_answers.ANSWERS}: what it answers
Ctrl-C ends everything.
"""
    )
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        demo.tell("stopping")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
