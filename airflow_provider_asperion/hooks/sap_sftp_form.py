"""The form of a SAP SFTP connection in Airflow's UI. Loaded at every start of Airflow: imports nothing."""

from __future__ import annotations

from typing import Any


def connection_form() -> dict[str, Any]:
    """Return the ``connection-types`` entry of the provider info."""
    return {
        "connection-type": "sap_sftp",
        "hook-name": "SAP (SFTP)",
        "hook-class-name": "airflow_provider_asperion.hooks.sap_sftp.SapSftpHook",
        "ui-field-behaviour": {
            "hidden-fields": ["schema"],
            "relabeling": {"login": "User name"},
            "placeholders": {"host": "sftp.example.com", "port": "22"},
        },
        "conn-fields": {
            "host_key": {
                "label": "Host key",
                "description": (
                    "Public key of the server, e.g. 'ssh-ed25519 AAAA...', one per line while a key is being "
                    "changed. Empty: the known_hosts file of the worker."
                ),
                "schema": {"type": ["string", "null"], "format": "multiline"},
            },
            "private_key": {
                "label": "Private key",
                "description": "The key itself, instead of a password.",
                "schema": {"type": ["string", "null"], "format": "password"},
            },
            "private_key_passphrase": {
                "label": "Passphrase of the private key",
                "schema": {"type": ["string", "null"], "format": "password"},
            },
            "key_file": {
                "label": "Private key file",
                "description": "Path of a key file on every worker, instead of the key itself.",
                "schema": {"type": ["string", "null"]},
            },
            "known_hosts": {
                "label": "known_hosts file",
                "description": "Path on every worker. Default: ~/.ssh/known_hosts.",
                "schema": {"type": ["string", "null"]},
            },
            "no_host_key_check": {
                "label": "Do not check the host key",
                "description": "Anybody in between can then read and change the files. For trying only.",
                "schema": {"type": ["boolean", "null"], "default": False},
            },
        },
    }
