"""The two sides between which a flow runs: an Asperion, SAP's server, and a proxy before each."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airflow_provider_asperion.ledger import Ledger
from airflow_provider_asperion.sandbox import Sandbox
from tests.chaos.proxy import Proxy
from tests.chaos.sftp import OUT, Mood, SapServer
from tests.support.scripted_sftp import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Coroutine

INBOX = "in"
ARTICLES, DEBTORS = 30, 150

_QUICK = {"look_interval_seconds": 0.02, "minimum_age_seconds": 0, "stall_seconds": 2.0}
_OUT = {"folder": OUT, "done_file": None, "stall_seconds": 2.0}
_SENDING = {"batch_size": 8, "busy_wait_seconds": 4, "retries": 0}
_CSV = {"format": "csv", "csv": {"trailer": "END"}}
_FLOWS: dict[str, Any] = {
    "orders_to_asperion": {
        "folder": {"inbox": INBOX, **_QUICK},
        "look_ups": {
            "vat_code": {"table": {"A2": "V21", "A1": "V9"}},
            "payment_condition": {"table": {"Z030": "30"}},
        },
        "customer": {"company_kind": "B", "person_kind": "C"},
        "delivery": {
            "batch_size": 6,
            "in_flight": 4,
            "unclear_wait_seconds": 0.1,
            "busy_wait_seconds": 4,
        },
    },
    "products_to_sap": {
        "folder": {**_OUT, "file_name": "P_{run}_{batch}-{part}{suffix}"},
        "mappings": {"products_csv": {}},
        "writing": _CSV,
        "delivery": _SENDING,
    },
    "stock_to_sap": {
        "folder": {**_OUT, "file_name": "S_{run}_{batch}-{part}{suffix}"},
        "writing": _CSV,
        "stock": {"calculation": "physical"},
        "inactive": "send",
        "delivery": _SENDING,
    },
}
SETTINGS = {"integrations": {"default": {"flows": _FLOWS}}}


class Stage:
    """Both sides, started once and put back to the start for each run of the bench; a context manager."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.tree = home / "sap"
        self.state = home / "state"
        self.logs = home / "logs"
        self._loop = asyncio.new_event_loop()
        self._fresh_ledger = b""
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)

    def __enter__(self) -> Stage:
        self.tree.mkdir(parents=True)
        self._thread.start()
        self.box = Sandbox(articles=ARTICLES, debtors=DEBTORS, orders=0, invoices=0)
        self.box.start()
        self.sap = SapServer(self.tree)
        self._do(self.sap.start())
        self.http, self.ssh = Proxy(self.box.port), Proxy(self.sap.port)
        for proxy in (self.http, self.ssh):
            self._do(proxy.start())
        return self

    def __exit__(self, *error: object) -> None:
        for proxy in (self.http, self.ssh):
            self._do(proxy.stop())
        self._do(self.sap.stop())
        self.box.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def reset(self, *, with_ledger: bool) -> None:
        """Put everything back to the start: no file, no order.

        :param with_ledger: there is an empty one; else whoever comes first makes it.
        """
        self.calm()
        self._loop.call_soon_threadsafe(self.ssh.cut)
        self._loop.call_soon_threadsafe(self.http.cut)
        self.box.box.reset()
        # Where they rotate, a renewal whose answer is lost ends the login, and a person has to log in again.
        self.box.box.switches.rotate_refresh_tokens = False
        self._fresh_ledger = self._fresh_ledger or _fresh_ledger()
        self.sap.mood = Mood()
        for folder in (self.tree, self.state, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.tree / INBOX, self.tree / OUT, self.state, self.logs):
            folder.mkdir(parents=True)
        if with_ledger:
            (self.state / "ledger.db").write_bytes(self._fresh_ledger)

    def calm(self) -> None:
        """End all troubles; what was seen stays."""
        self.http.toxics, self.ssh.toxics = [], []
        self.box.box.faults.clear()
        self.box.box.switches.unique_references = False
        self.sap.mood.refuse_rename, self.sap.mood.full_after = 0, None

    def let_time_pass(self) -> None:
        """End what keeps a file with a run that went silent: a quarter of an hour, too long to wait here."""
        past = ("2000-01-01 00:00:00.000000",)
        with closing(sqlite3.connect(self.state / "ledger.db", timeout=10)) as ledger, ledger:
            ledger.execute("update asperion_files set until = ? where until is not null", past)

    def drop(self, name: str, content: bytes) -> None:
        """Let SAP put a file into the inbox, whole at once."""
        hidden = self.tree / INBOX / f".{name}"
        hidden.write_bytes(content)
        hidden.rename(self.tree / INBOX / name)

    def environment(self, **sap: Any) -> dict[str, str]:
        """Return what a worker sees: connections through the proxies, settings, where state is kept.

        :param sap: changes to the connection to SAP: ``password``, ``host_key``.
        """
        asperion = {
            "conn_type": "asperion",
            "host": f"http://127.0.0.1:{self.http.port}",
            "login": self.box.client_id,
            "password": self.box.client_secret,
            "extra": {
                "refresh_token": self.box.refresh_token,
                "administration": 1,
                "token_url": f"http://127.0.0.1:{self.http.port}/connect/token",
            },
        }
        server = {
            "conn_type": "sap_sftp",
            "host": "127.0.0.1",
            "port": self.ssh.port,
            "login": USER,
            "password": sap.get("password", PASSWORD),
            "extra": {"host_key": sap.get("host_key", self.sap.host_key)},
        }
        return {
            "AIRFLOW_CONN_ASPERION_DEFAULT": json.dumps(asperion),
            "AIRFLOW_CONN_SAP_SFTP_DEFAULT": json.dumps(server),
            "AIRFLOW__ASPERION__SETTINGS": str(self.write_settings()),
            "AIRFLOW__ASPERION__STATE_FOLDER": str(self.state),
        }

    def write_settings(self) -> Path:
        """Write the settings of all flows; return the file."""
        file = self.home / "asperion.yaml"
        file.write_text(yaml.safe_dump(SETTINGS))
        return file


def _fresh_ledger() -> bytes:
    """Return an empty ledger: making its tables takes longer than most tasks of the bench."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        Ledger.open(f"sqlite:///{file}", create=True).close()
        return file.read_bytes()
