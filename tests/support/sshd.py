"""A real OpenSSH server on a free loopback port, for the SFTP tests."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from collections.abc import Iterator

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@dataclass(frozen=True)
class Sshd:
    """A running server. Log in as ``user`` with ``private_key``; ``folder`` is the tree for the test."""

    port: int
    user: str
    folder: Path
    private_key: str
    host_key: str
    other_key: str
    pid: int

    def session_processes(self) -> list[int]:
        """Return the processes of the server that serve a session each, or help one that does."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                    parents[int(entry.name)] = int(fields[1])
        return [pid for pid, parent in parents.items() if self.pid in (parent, parents.get(parent))]

    def sessions(self) -> int:
        """Return how many connections are open, as the kernel sees them."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[1].endswith(f":{self.port:04X}") and row[3] == "01" for row in rows)

    def connection(self, **extra: object) -> dict[str, object]:
        """Return the arguments of an Airflow connection."""
        return {
            "conn_type": "sap_sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "login": self.user,
            "extra": {"private_key": self.private_key, "host_key": self.host_key, **extra},
        }


@contextmanager
def running_sshd(folder: Path) -> Iterator[Sshd]:
    """Run a server that keeps all it needs below ``folder``, and stop it afterwards."""
    assert SSHD, "no OpenSSH server on this machine: install openssh-server"
    home = folder / "sshd"
    tree = folder / "tree"
    home.mkdir(parents=True)
    tree.mkdir()
    # sshd wants its separation folder; packages make it at boot, containers do not boot.
    if not Path("/run/sshd").exists():
        Path("/run/sshd").mkdir(mode=0o755)
    host, client, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    (home / "host_key").write_bytes(host.export_private_key())
    (home / "host_key").chmod(0o600)
    (home / "authorized_keys").write_bytes(client.export_public_key())
    (home / "authorized_keys").chmod(0o600)
    port = free_port()
    (home / "sshd_config").write_text(
        f"""
        ListenAddress 127.0.0.1
        Port {port}
        HostKey {home}/host_key
        AuthorizedKeysFile {home}/authorized_keys
        PidFile none
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
        StrictModes no
        UsePAM no
        LogLevel ERROR
        MaxStartups 100:30:200
        Subsystem sftp internal-sftp -d {tree}
        """
    )
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(home / "sshd_config")], stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield Sshd(
            port=port,
            user=getpass.getuser(),
            folder=tree,
            private_key=client.export_private_key().decode(),
            host_key=" ".join(host.export_public_key().decode().split()[:2]),
            other_key=" ".join(other.export_public_key().decode().split()[:2]),
            pid=process.pid,
        )
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise RuntimeError(f"sshd ended at once: {process.stderr.read().decode()}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("sshd does not answer")
