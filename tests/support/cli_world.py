"""A place for the commands to work in: sandbox, SSH server, connections, settings, and an AIRFLOW_HOME."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from airflow_provider_asperion.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from tests.support.sshd import Sshd

PATHS = ("AIRFLOW__ASPERION__SETTINGS", "_AIRFLOW_PROCESS_CONTEXT")

ORDERS_CSV = """\
ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;BILL_STREET;BILL_ZIP;BILL_CITY;BILL_COUNTRY;POSITION;SKU;QUANTITY;PRICE
4711;20260115;900;Piet Puk;piet.puk@example.org;Dorpsstraat 7;1234AB;Ons Dorp;NL;10;SKU-00001;2;12.50
4712;20260115;901;Kees Kwik;kees.kwik@example.org;Plein 1;1234AC;Ons Dorp;NL;10;SKU-99999;1;3.00
"""


@dataclass
class World:
    """What the commands see; :meth:`write` makes the settings and connections as they are now true."""

    home: Path
    sandbox: Sandbox
    sshd: Sshd
    inbox: Path
    monkeypatch: pytest.MonkeyPatch
    sap: dict[str, Any] = field(default_factory=dict)
    asperion: dict[str, Any] = field(default_factory=dict)
    flow: dict[str, Any] = field(default_factory=dict)
    other_flows: dict[str, Any] = field(default_factory=dict)
    side: dict[str, Any] = field(default_factory=dict)
    notifications: dict[str, Any] = field(default_factory=dict)
    retention: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Path:
        return self.home / "asperion.yaml"

    def sap_connection(self) -> dict[str, Any]:
        return self.sshd.connection(**self.sap)

    def asperion_connection(self) -> dict[str, Any]:
        extra = {
            "access_token": self.sandbox.access_token,
            "administration": 1,
            "authorize_url": f"{self.sandbox.url}/connect/authorize",
            "token_url": f"{self.sandbox.url}/connect/token",
        }
        return {
            "conn_type": "asperion",
            "host": self.sandbox.url,
            "login": self.sandbox.client_id,
            "password": self.sandbox.client_secret,
            "extra": {name: value for name, value in {**extra, **self.asperion}.items() if value is not None},
        }

    def write(self) -> None:
        self.monkeypatch.setenv("AIRFLOW_CONN_SAP_SFTP_DEFAULT", json.dumps(self.sap_connection()))
        self.monkeypatch.setenv("AIRFLOW_CONN_ASPERION_DEFAULT", json.dumps(self.asperion_connection()))
        folder = {"inbox": str(self.inbox), "look_interval_seconds": 0, "minimum_age_seconds": 0}
        flow = {"folder": folder, **self.flow}
        flows = {"orders_to_asperion": flow, **self.other_flows}
        integration = {"asperion": self.side, "flows": flows, "notifications": self.notifications}
        content = {"integrations": {"default": integration}, "retention": self.retention}
        self.settings.write_text(yaml.safe_dump(content))


@contextmanager
def world(
    home: Path, sshd: Sshd, inbox: Path, monkeypatch: pytest.MonkeyPatch, **sizes: int
) -> Iterator[World]:
    """Start a sandbox and make all else point at it; afterwards the environment is as it was.

    :param sizes: of the sandbox's seed.
    """
    home.mkdir()
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    for name in PATHS:
        # So that what the commands set themselves is undone too.
        monkeypatch.setenv(name, "")
        del os.environ[name]
    with Sandbox(**sizes) as sandbox:
        made = World(home, sandbox, sshd, inbox, monkeypatch)
        made.write()
        yield made
