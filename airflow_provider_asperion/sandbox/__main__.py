"""Starts the sandbox from the command line: ``python -m airflow_provider_asperion.sandbox``."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox.seed import Seed
from airflow_provider_asperion.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SFTP_USERNAME = "sap"
SFTP_PASSWORD = "sandbox"  # noqa: S105 - guards invented files on this machine


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except (OSError, ValueError) as error:
        print(f"the sandbox cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_asperion.sandbox",
        description="An Asperion to try things on: API, login and an SFTP server, on this machine.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8400, help="of the API; 0 takes a free one")
    parser.add_argument("--sftp-port", type=int, default=2222, help="of the SFTP server; 0 takes a free one")
    parser.add_argument("--folder", type=Path, help="what the SFTP server shows; without it there is none")
    parser.add_argument("--host-key", type=Path, help="its private key, made if missing (FOLDER.host_key)")
    for name, size in Seed().model_dump().items():
        what = f"{name} in each administration (default {size})"
        parser.add_argument(f"--{name}", type=int, default=size, help=what)
    parser.add_argument("--latency-ms", type=float, default=0, help="milliseconds before each answer")
    parser.add_argument("--unique-references", action="store_true", help="refuse a reference used before")
    parser.add_argument(
        "--allow-remote", action="store_true", help="let other machines in, as in a container"
    )
    parser.add_argument("--json", action="store_true", help="print addresses and logins as one line of JSON")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        box = Sandbox(
            host=options.host,
            port=options.port,
            allow_remote=options.allow_remote,
            latency_ms=options.latency_ms,
            unique_references=options.unique_references,
            **{name: getattr(options, name) for name in Seed.model_fields},
        )
        await asyncio.to_thread(box.start)
        stack.push_async_callback(asyncio.to_thread, box.stop)
        addresses = {"asperion": _asperion(box)}
        if options.folder is not None:
            addresses["sftp"] = await _start_sftp(options, stack)
        print(json.dumps(addresses) if options.json else _text(addresses), flush=True)
        await stopped.wait()


def _asperion(box: Sandbox) -> dict[str, Any]:
    login = box.box.credentials
    return {
        "url": box.url,
        "authorize_url": f"{box.url}/connect/authorize",
        "token_url": f"{box.url}/connect/token",
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        "username": login.username,
        "password": login.password,
        "access_token": login.access_token,
        "refresh_token": login.refresh_token,
        "administrations": {str(key): one.name for key, one in box.state.administrations.items()},
    }


async def _start_sftp(options: argparse.Namespace, stack: AsyncExitStack) -> dict[str, Any]:
    # Loaded here: who wants the API only needs no SSH library.
    from airflow_provider_asperion.sandbox.sftp_server import SandboxSftpServer

    # Beside the folder: what is in it, every user of the server can read.
    key_file = options.host_key or options.folder.with_name(options.folder.name + ".host_key")
    server = SandboxSftpServer(
        options.folder,
        key_file,
        host=options.host,
        port=options.sftp_port,
        user=SFTP_USERNAME,
        password=SFTP_PASSWORD,
    )
    await server.start()
    stack.push_async_callback(server.stop)
    return {
        "host": options.host,
        "port": server.port,
        "username": SFTP_USERNAME,
        "password": SFTP_PASSWORD,
        "host_key": server.host_key,
        "folder": str(options.folder),
    }


def _text(addresses: dict[str, dict[str, Any]]) -> str:
    """Return the addresses for a person to read."""
    lines = []
    for part, values in addresses.items():
        lines.append(part)
        lines += [f"  {name:16} {_shown(value)}" for name, value in values.items()]
    lines.append("to connect Airflow with it")
    lines += [f"  {command}" for command in _commands(addresses)]
    return "\n".join([*lines, "Ctrl-C ends it."])


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {name}" for key, name in value.items())
    return str(value)


def _commands(addresses: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the commands that make the connections of Airflow, for the first administration."""
    api = addresses["asperion"]
    extra = {name: api[name] for name in ("authorize_url", "token_url")}
    connection = {"conn_type": "asperion", "host": api["url"]}
    connection |= {"login": api["client_id"], "password": api["client_secret"]}
    yield _command("asperion_default", {**connection, "extra": {"administration": 1, **extra}})
    if server := addresses.get("sftp"):
        connection = {"conn_type": "sap_sftp", "host": server["host"], "port": server["port"]}
        connection |= {"login": server["username"], "password": server["password"]}
        yield _command("sap_sftp_default", {**connection, "extra": {"host_key": server["host_key"]}})


def _command(connection_id: str, connection: dict[str, Any]) -> str:
    return f"airflow connections add {connection_id} --conn-json {shlex.quote(json.dumps(connection))}"


if __name__ == "__main__":
    sys.exit(main())
