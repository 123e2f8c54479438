"""Makes the two connections to the sandbox, and drops the demo's order files into its SFTP folder."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_asperion.sandbox.demo_orders import files

INBOX = "sftp/out/orders"


def connections(addresses: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return Airflow's connections to a sandbox that tells these addresses (its option ``--json``)."""
    asperion, sftp = addresses["asperion"], addresses["sftp"]
    url = urlsplit(asperion["url"])
    login = {name: asperion[name] for name in ("authorize_url", "token_url", "refresh_token")}
    return {
        "asperion_default": {
            "conn_type": "asperion",
            "schema": url.scheme,
            "host": url.hostname,
            "port": url.port,
            "login": asperion["client_id"],
            "password": asperion["client_secret"],
            "extra": {"administration": 1, **login},
        },
        "sap_sftp_default": {
            "conn_type": "sap_sftp",
            "host": sftp["host"],
            "port": sftp["port"],
            "login": sftp["username"],
            "password": sftp["password"],
            "extra": {"host_key": sftp["host_key"]},
        },
    }


def drop(inbox: Path) -> list[str]:
    """Drop each file once: under another name first, as a careful sender does. Return the names."""
    inbox.mkdir(parents=True, exist_ok=True)
    dropped = []
    for name, content in files():
        if not any(inbox.rglob(name)):
            hidden = inbox / f"{name}.tmp"
            hidden.write_bytes(content)
            hidden.rename(inbox / name)
            dropped.append(name)
    return dropped


def main(folder: Path = Path("/var/lib/sandbox")) -> None:
    """Connect Airflow with the sandbox that lives in this folder."""
    made = connections(json.loads((folder / "addresses.json").read_text()))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(made, file)
        file.flush()
        command = ["airflow", "connections", "import", "--overwrite", file.name]
        subprocess.run(command, check=True)  # noqa: S603 - our own command
    for name in drop(folder / INBOX):
        print(f"dropped {name}")
    print("switch the DAG sap_orders_to_asperion on in Airflow to see them arrive")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
