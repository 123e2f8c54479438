"""SapSftpHook: makes a drop folder of an SAP system out of an Airflow connection."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.providers.sftp.hooks.sftp import SFTPHookAsync

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.dropbox import Dropbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from airflow.sdk import Connection

    from airflow_provider_asperion.sap.dropbox import DropFolder, RemoteFile
    from airflow_provider_asperion.sap.transfer import RemoteStream

CONNECT_SECONDS = 15
LOGIN_SECONDS = 30
KEEPALIVE_SECONDS = 15
FAREWELL_SECONDS = 5
# GCM first: the processor does it in hardware together with the checksum, twice the speed of the default.
ENCRYPTION = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
# Asked for behind those of the trusted keys: a server that has another kind of key shows it then, so that the
# refusal can name it.
HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
# asyncssh tells every step of every connection at INFO: nothing for a task log.
asyncssh.set_log_level("WARNING")


class SapSftpHook(SFTPHookAsync):
    """Talks to the SFTP server at which SAP drops files.

    Everything of Airflow's own SFTP hook works: password, key, key file, known_hosts file. Host keys are
    checked unless the connection says ``no_host_key_check``; ``host_key`` may hold several keys, one a line.

    :param sap_sftp_conn_id: the connection.
    """

    conn_name_attr = "sap_sftp_conn_id"
    default_conn_name = "sap_sftp_default"
    conn_type = "sap_sftp"
    hook_name = "SAP (SFTP)"

    def __init__(self, sap_sftp_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(sftp_conn_id=sap_sftp_conn_id, **kwargs)
        self.sap_sftp_conn_id = sap_sftp_conn_id
        self._ssh: asyncssh.SSHClientConnection | None = None

    @asynccontextmanager
    async def dropbox(self, folder: DropFolder) -> AsyncIterator[Dropbox]:
        """Open a drop folder over one connection.

        :raises ProblemError: the server cannot be reached, is another one, or refuses the login.
        """
        async with self.client() as client:
            yield Dropbox(client, folder)

    @asynccontextmanager
    async def open_stream(self, folder: DropFolder, file: RemoteFile) -> AsyncIterator[RemoteStream]:
        """Open one file of a drop folder for reading by a thread, over a connection for it alone.

        :raises ProblemError: as :meth:`dropbox` does.
        :raises FileNotFoundError: the file is gone.
        """
        async with self.dropbox(folder) as dropbox, dropbox.open(file) as stream:
            yield stream

    @asynccontextmanager
    async def client(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Open an SFTP client; nested uses share one connection. Leaving never waits for a silent server.

        :raises ProblemError: the server cannot be reached, is another one, refuses the login, or has no SFTP.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(CONNECT_SECONDS + 2 * LOGIN_SECONDS):
                    client = await stack.enter_async_context(self._unhurried())
            except (asyncssh.Error, OSError, TimeoutError) as error:
                raise ProblemError(_no_sftp(self.sftp_conn_id, error)) from error
            yield client

    @asynccontextmanager
    async def _unhurried(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Cut the connection when its orderly end takes too long."""
        cut: asyncio.TimerHandle | None = None
        try:
            async with self.get_managed_conn() as client:
                try:
                    yield client
                finally:
                    if self._ssh is not None and self.get_conn_count() == 1:
                        cut = asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self._ssh.abort)
        finally:
            if cut is not None:
                cut.cancel()

    async def _get_conn(self) -> asyncssh.SSHClientConnection:
        """Connect; the stock hook gives no time-outs, no choice of ciphers, and no reason for a refusal."""
        try:
            connection = await get_async_connection(self.sftp_conn_id)
        except AirflowNotFoundException:
            raise ProblemError(_no_connection(self.sftp_conn_id)) from None
        options = self._options(connection)
        witness = _HostKeyWitness()
        try:
            self._ssh = await asyncssh.connect(
                client_factory=lambda: witness,
                connect_timeout=CONNECT_SECONDS,
                login_timeout=LOGIN_SECONDS,
                keepalive_interval=KEEPALIVE_SECONDS,
                encryption_algs=ENCRYPTION,
                # What is not in the connection is not taken from the worker's own SSH set-up.
                config=None,
                agent_path=None,
                **options,
            )
        except (asyncssh.Error, OSError, TimeoutError) as error:
            raise ProblemError(self._problem(error, connection, witness)) from error
        return self._ssh

    def _options(self, connection: Connection) -> dict[str, Any]:
        """Return the arguments of ``asyncssh.connect`` that the connection gives."""
        extra = {name: value for name, value in connection.extra_dejson.items() if value not in (None, "")}
        unchecked = str(extra.get("no_host_key_check", False)).lower() == "true"
        if self.no_host_key_check is not None:
            unchecked = self.no_host_key_check
        options: dict[str, Any] = {
            "host": self.host or connection.host or "",
            "port": self.port or connection.port or 22,
            "username": self.username or connection.login,
            "client_keys": self._client_keys(extra),
        }
        if not options["host"]:
            raise ProblemError(_field_problem(self.sftp_conn_id, "host", "is empty"))
        if self.password or connection.password:
            options["password"] = self.password or connection.password
        if unchecked:
            if "host_key" in extra:
                raise ProblemError(
                    _field_problem(
                        self.sftp_conn_id,
                        "no_host_key_check",
                        "is set, and a host_key to check is given as well",
                    )
                )
            self.log.warning(
                "the host key of %s is not checked: anybody in between can read", options["host"]
            )
            options["known_hosts"] = None
        elif "host_key" in extra:
            keys = _host_keys(str(extra["host_key"]), self.sftp_conn_id)
            options["known_hosts"] = (keys, [], [])
            options["server_host_key_algs"] = _host_key_algorithms(keys)
        elif "known_hosts" in extra:
            options["known_hosts"] = self._known_hosts(str(extra["known_hosts"]))
        return options

    def _known_hosts(self, path: str) -> Any:
        try:
            return asyncssh.read_known_hosts(str(Path(path).expanduser()))
        except (OSError, ValueError) as error:
            reason = f"names a file that cannot be read ({_short(error)})"
            raise ProblemError(_field_problem(self.sftp_conn_id, "known_hosts", reason)) from None

    def _client_keys(self, extra: dict[str, Any]) -> list[Any] | None:
        passphrase = extra.get("private_key_passphrase") or extra.get("passphrase") or self.passphrase or None
        key, key_file = extra.get("private_key") or self.private_key, extra.get("key_file") or self.key_file
        try:
            if key:
                return [asyncssh.import_private_key(str(key), passphrase)]
            if key_file:
                return [asyncssh.read_private_key(str(key_file), passphrase)]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OSError, ValueError) as error:
            field = "private_key" if key else "key_file"
            reason = f"cannot be read ({type(error).__name__}); see its format and passphrase"
            raise ProblemError(_field_problem(self.sftp_conn_id, field, reason)) from None
        return None

    def _problem(self, error: BaseException, connection: Connection, witness: _HostKeyWitness) -> Problem:
        """Say why there is no connection."""
        name = self.sftp_conn_id
        server = f"{self.host or connection.host}:{self.port or connection.port or 22}"
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return Problem(
                rule="sftp.host_key",
                message=f"the host key of {server} is not trusted: it shows {witness.fingerprint}"
                + _expected(connection),
                remedy=f"ask the server's operator for its fingerprint; if it is that one, put "
                f"'{witness.public_key}' into the field host_key of connection {name}",
                field="host_key",
            )
        if isinstance(error, asyncssh.PermissionDenied):
            return Problem(
                rule="sftp.login_refused",
                message=f"{server} refuses the login of user {self.username or connection.login}",
                remedy=f"correct user, password or private key of connection {name}",
                field="login",
            )
        if isinstance(error, asyncssh.KeyExchangeFailed):
            return Problem(
                rule="sftp.algorithms",
                message=f"the worker and {server} have no algorithm in common, or its host key is of another "
                "kind than the one in the known_hosts file",
                remedy=f"put the server's host key into the field host_key of connection {name}; if it is "
                "there already, have the server's operator allow current algorithms",
                field="host_key",
            )
        if isinstance(error, socket.gaierror):
            return Problem(
                rule="sftp.unknown_host",
                message=f"there is no server of the name {self.host or connection.host}",
                remedy=f"correct the host of connection {name}, or the name service of the worker",
                field="host",
                transient=True,
            )
        late = isinstance(error, TimeoutError)
        return Problem(
            rule="sftp.unreachable",
            message=f"{server} "
            + ("does not answer in time" if late else f"cannot be reached ({_short(error)})"),
            remedy=f"check host and port of connection {name}, and that the worker may reach the server",
            field="host",
            transient=True,
        )

    def test_connection(self) -> tuple[bool, str]:
        """Say in one sentence whether the connection works, and if not, exactly why."""
        # In a thread of its own: whoever calls may be running an event loop already.
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(lambda: asyncio.run(self.check())).result()

    async def check(self) -> tuple[bool, str]:
        """Log in and look into the login folder. Never raises for what is wrong."""
        try:
            async with self.client() as client:
                async with asyncio.timeout(LOGIN_SECONDS):
                    folder = await client.realpath(".")
                    entries = await client.readdir(".")
        except ProblemError as error:
            return False, f"{error.problem.message}: {error.problem.remedy}."
        except (asyncssh.Error, OSError, TimeoutError) as error:
            return False, f"logged in, but the login folder cannot be read: {_short(error)}."
        count = sum(entry.filename not in (".", "..") for entry in entries)
        return True, f"Logged in; the login folder {folder} has {count} entries."


class _HostKeyWitness(asyncssh.SSHClient):
    """Remembers the host key that the server showed when nobody vouches for it."""

    def __init__(self) -> None:
        self.fingerprint = "no key"
        self.public_key = ""

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Refuse, as without this method, but remember what was shown."""
        self.fingerprint = key.get_fingerprint()
        self.public_key = " ".join(key.export_public_key("openssh").decode().split()[:2])
        return False


def _host_keys(text: str, connection: str) -> list[Any]:
    """Read the field ``host_key``: one key a line; a bare one is RSA, as with the stock hook."""
    keys = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        # Also accept a line of a known_hosts file, which begins with the name of the host.
        kind = next((place for place, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))), None)
        entry = " ".join(words[kind : kind + 2]) if kind is not None else f"ssh-rsa {words[0]}"
        try:
            keys.append(asyncssh.import_public_key(entry))
        except (asyncssh.KeyImportError, ValueError):
            raise ProblemError(
                _field_problem(connection, "host_key", "holds a line that is no public key")
            ) from None
    return keys


def _host_key_algorithms(trusted: Sequence[Any]) -> list[str]:
    """Return the algorithms to ask a server for: those of the trusted keys first."""
    first = [algorithm.decode() for key in trusted for algorithm in key.sig_algorithms]
    return list(dict.fromkeys([*first, *HOST_KEY_ALGORITHMS]))


def _expected(connection: Connection) -> str:
    text = connection.extra_dejson.get("host_key")
    if not text:
        return ", and the connection names none"
    prints = [key.get_fingerprint() for key in _host_keys(str(text), "")]
    return f"; the connection expects {' or '.join(prints)}"


def _short(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _no_sftp(connection: str, error: BaseException) -> Problem:
    """Say that the login worked and SFTP did not; a broken connection may work again, a refusal will not."""
    refused = isinstance(error, asyncssh.ChannelOpenError | asyncssh.SFTPError)
    return Problem(
        rule="sftp.no_sftp" if refused else "sftp.unreachable",
        message=f"the login of connection {connection} works, but the server offers no SFTP ({_short(error)})"
        if refused
        else f"the server of connection {connection} did not open SFTP ({_short(error)})",
        remedy="have the server's operator allow SFTP for this user",
        transient=not refused,
    )


def _no_connection(connection: str) -> Problem:
    return Problem(
        rule="sftp.connection",
        message=f"Airflow has no connection {connection}",
        remedy="add it in Admin > Connections, of type SAP (SFTP), or correct sap.connection in the settings",
    )


def _field_problem(connection: str, field: str, reason: str) -> Problem:
    return Problem(
        rule="connection.field",
        message=f"connection {connection}: {field} {reason}",
        remedy="correct the field in Admin > Connections",
        field=field,
    )
