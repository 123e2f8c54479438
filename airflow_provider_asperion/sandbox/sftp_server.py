"""A small SFTP server for trying and demos: one folder tree, one user, a host key that stays the same.

Stands in for the SFTP server at which an SAP system drops its files. It is made for the loopback interface
of one's own machine; the tests of the SFTP side use OpenSSH instead.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from typing import TYPE_CHECKING, Any, Self

import asyncssh

if TYPE_CHECKING:
    from pathlib import Path

# Only what needs no link may be done: a link could lead out of the folder.
_NO_LINKS = "links are not offered here"


class SandboxSftpServer:
    """An SFTP server over one folder.

    :param folder: what the user sees as ``/``; made when missing.
    :param host_key_file: private key of the server; made when missing, so that clients that trust it once
        trust it after a restart.
    :param host: address to listen at.
    :param port: port to listen at; 0 takes a free one.
    :param user: the only user.
    :param password: the password of the user; None: no login by password.
    :param authorized_key: public key of the user (``ssh-ed25519 AAAA...``); None: no login by key.
    """

    def __init__(
        self,
        folder: Path,
        host_key_file: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "sap",
        password: str | None = None,
        authorized_key: str | None = None,
    ) -> None:
        if password is None and authorized_key is None:
            raise ValueError("nobody could log in: give a password, a public key or both")
        self.folder = folder
        self.host = host
        self.port = port
        self.user = user
        self._password = password
        self._authorized = asyncssh.import_public_key(authorized_key) if authorized_key else None
        self._host_key_file = host_key_file
        self._host_key: asyncssh.SSHKey | None = None
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def start(self) -> None:
        """Listen; ``port`` is the real one from now on.

        :raises OSError: the port is taken.
        """
        self._host_key = await asyncio.to_thread(self._prepare)
        self._acceptor = await asyncssh.listen(
            self.host,
            self.port,
            server_factory=lambda: _Login(self),
            server_host_keys=[self._host_key],
            sftp_factory=lambda channel: _Tree(channel, chroot=os.fsencode(self.folder)),
            allow_scp=False,
            # Neither a shell nor a tunnel: only files.
            session_factory=None,
            login_timeout=30,
            keepalive_interval=30,
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Stop listening and end all connections. May be called twice."""
        if self._acceptor is None:
            return
        acceptor, self._acceptor = self._acceptor, None
        acceptor.close()
        for connection in list(self._connections):
            connection.abort()
        await acceptor.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    @property
    def host_key(self) -> str:
        """Public host key, as the field ``host_key`` of an Airflow connection takes it; once started."""
        return " ".join(self._key().export_public_key("openssh").decode().split()[:2])

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the host key: ``SHA256:...``; once started."""
        return str(self._key().get_fingerprint())

    def connection(self) -> dict[str, Any]:
        """Return an Airflow connection to this server, as the JSON of ``AIRFLOW_CONN_...``; once started."""
        return {
            "conn_type": "sap_sftp",
            "host": self.host,
            "port": self.port,
            "login": self.user,
            "password": self._password,
            "extra": {"host_key": self.host_key},
        }

    def allows_password(self, user: str, password: str) -> bool:
        """Whether this password opens the door."""
        if self._password is None:
            return False
        right = hmac.compare_digest(password.encode(), self._password.encode())
        return right and user == self.user

    def allows_key(self, user: str, key: asyncssh.SSHKey) -> bool:
        """Whether this key opens the door."""
        return user == self.user and self._authorized is not None and key == self._authorized

    def opened(self, connection: asyncssh.SSHServerConnection) -> None:
        """Take note of a connection, to end it on stopping."""
        self._connections.add(connection)

    def closed(self, connection: asyncssh.SSHServerConnection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def _key(self) -> asyncssh.SSHKey:
        if self._host_key is None:
            raise RuntimeError("the server has no host key before it was started")
        return self._host_key

    def _prepare(self) -> asyncssh.SSHKey:
        self.folder.mkdir(parents=True, exist_ok=True)
        return _kept_key(self._host_key_file)


class _Login(asyncssh.SSHServer):
    """Lets the one user in."""

    def __init__(self, server: SandboxSftpServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, connection: asyncssh.SSHServerConnection) -> None:
        self._connection = connection
        self._server.opened(connection)

    def connection_lost(self, error: Exception | None) -> None:
        if self._connection is not None:
            self._server.closed(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._server.allows_password(username, password)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._server.allows_key(username, key)


class _Tree(asyncssh.SFTPServer):
    """The folder, without links."""

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied(_NO_LINKS)

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied(_NO_LINKS)


def _kept_key(file: Path) -> asyncssh.SSHKey:
    """Read the host key; make it the first time."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
        # Written aside and linked: of two servers that start at once, both use the key of the first.
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        aside.write_bytes(b"")
        aside.chmod(0o600)
        aside.write_bytes(made)
        try:
            os.link(aside, file)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return asyncssh.read_private_key(str(file))
