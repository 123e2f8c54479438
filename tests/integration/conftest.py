"""What the integration tests share: one OpenSSH server per session, a drop folder per test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.sshd import Sshd, running_sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def inbox(sshd: Sshd, request: pytest.FixtureRequest) -> Path:
    folder = sshd.folder / f"inbox_{abs(hash(request.node.nodeid))}"
    folder.mkdir()
    return folder


@pytest.fixture
def sap_connection(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> str:
    """An Airflow connection to the server, by environment variable."""
    monkeypatch.setenv("AIRFLOW_CONN_SAP_TEST", json.dumps(sshd.connection()))
    return "sap_test"
