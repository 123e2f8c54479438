"""SFTP servers that misbehave on order, for what OpenSSH cannot be made to do: stall, crawl, refuse."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

USER, PASSWORD = "sap", "wonderland"


def public(key: asyncssh.SSHKey) -> str:
    """Return the public half as a connection's field ``host_key`` takes it."""
    return " ".join(key.export_public_key().decode().split()[:2])


@dataclass
class Script:
    """What a server does; changed while it runs.

    :param stalls: names of operations that are never answered: ``read``, ``list``, ``rename``, ``close``.
    :param read_delay: seconds before each answer to a read, one after the other.
    :param refusal: raised by every open.
    :param posix_rename: whether the extension of that name is offered.
    """

    stalls: frozenset[str] = frozenset()
    read_delay: float = 0
    refusal: asyncssh.SFTPError | None = None
    subsystem: bool = True


class PasswordLogin(asyncssh.SSHServer):
    """Lets the one user in, by password."""

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


class _Scripted(asyncssh.SFTPServer):
    script: Script
    line: asyncio.Lock  # a slow link carries one answer at a time

    async def _maybe_stall(self, operation: str) -> None:
        if operation in self.script.stalls:
            await asyncio.Event().wait()

    def open(self, path, pflags, attrs):
        if self.script.refusal is not None:
            raise self.script.refusal
        return super().open(path, pflags, attrs)

    async def read(self, file_obj, offset, size):
        await self._maybe_stall("read")
        if self.script.read_delay:
            async with self.line:
                await asyncio.sleep(self.script.read_delay)
        return super().read(file_obj, offset, size)

    async def scandir(self, path):
        await self._maybe_stall("list")
        async for entry in super().scandir(path):
            yield entry

    async def rename(self, oldpath, newpath):
        await self._maybe_stall("rename")
        return super().rename(oldpath, newpath)

    async def close(self, file_obj):
        await self._maybe_stall("close")
        return super().close(file_obj)


@dataclass
class ScriptedServer:
    """A running server; ``script`` may be changed while it runs."""

    port: int
    script: Script
    host_keys: Sequence[asyncssh.SSHKey]

    def connection(self, **changes: object) -> dict[str, object]:
        """Return the arguments of an Airflow connection; ``changes`` to its extra or to a field of it."""
        fields = {
            name: changes.pop(name) for name in ("login", "password", "port", "host") if name in changes
        }
        return {
            "conn_type": "sap_sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "login": USER,
            "password": PASSWORD,
            **fields,
            "extra": {"host_key": public(self.host_keys[0]), **changes},
        }


@asynccontextmanager
async def scripted_sftp(
    folder: Path, script: Script | None = None, *, host_keys: Sequence[asyncssh.SSHKey] = ()
) -> AsyncIterator[ScriptedServer]:
    """Run a server over a folder, and stop it afterwards, whatever its clients do."""
    script = script or Script()
    host_keys = host_keys or [asyncssh.generate_private_key("ssh-ed25519")]
    connections: list[asyncssh.SSHServerConnection] = []

    class Login(PasswordLogin):
        def connection_made(self, connection):
            connections.append(connection)

    class Tree(_Scripted):
        def __init__(self, channel):
            super().__init__(channel, chroot=os.fsencode(folder))
            self.script, self.line = script, asyncio.Lock()

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Login,
        server_host_keys=list(host_keys),
        sftp_factory=Tree if script.subsystem else None,
    )
    try:
        yield ScriptedServer(server.get_port(), script, host_keys)
    finally:
        server.close()
        for connection in connections:
            connection.abort()
        await server.wait_closed()
