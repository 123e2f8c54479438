"""What the sandbox prints at its start is enough to connect Airflow with it."""

from __future__ import annotations

import json
import shlex

import pytest

from airflow_provider_asperion.sandbox.__main__ import _text

pytestmark = [pytest.mark.feature("X1"), pytest.mark.feature("W1")]
ADDRESSES = {
    "asperion": {
        "url": "http://127.0.0.1:8499",
        "authorize_url": "http://127.0.0.1:8499/connect/authorize",
        "token_url": "http://127.0.0.1:8499/connect/token",
        "client_id": "client",
        "client_secret": "it's secret",
        "administrations": {"1": "Demo Groothandel B.V.", "2": "Demo Retail B.V."},
    },
    "sftp": {
        "host": "127.0.0.1",
        "port": 2299,
        "username": "sap",
        "password": "word",
        "host_key": "ssh-ed25519 AAAA",
    },
}


def connections(addresses):
    words = [shlex.split(line) for line in _text(addresses).splitlines() if "connections add" in line]
    return {line[3]: json.loads(line[5]) for line in words}


def test_the_commands_make_both_connections():
    made = connections(ADDRESSES)
    api, server = made["asperion_default"], made["sap_sftp_default"]
    assert (api["conn_type"], api["host"]) == ("asperion", "http://127.0.0.1:8499")
    assert (api["login"], api["password"]) == ("client", "it's secret")
    assert api["extra"]["administration"] == 1
    assert api["extra"]["token_url"].endswith("/connect/token")
    assert (server["conn_type"], server["host"], server["port"]) == ("sap_sftp", "127.0.0.1", 2299)
    assert (server["login"], server["password"]) == ("sap", "word")
    assert server["extra"] == {"host_key": "ssh-ed25519 AAAA"}


def test_without_a_folder_there_is_no_server_to_connect():
    assert list(connections({"asperion": ADDRESSES["asperion"]})) == ["asperion_default"]


def test_administrations_are_told_as_a_person_would():
    assert "1 Demo Groothandel B.V., 2 Demo Retail B.V." in _text(ADDRESSES)
