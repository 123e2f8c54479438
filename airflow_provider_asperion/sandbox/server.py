"""Runs the emulator: ``Sandbox`` serves one on a port of this machine, in a thread of its own."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from airflow_provider_asperion.sandbox.admin import summary
from airflow_provider_asperion.sandbox.app import Emulator
from airflow_provider_asperion.sandbox.box import Box
from airflow_provider_asperion.sandbox.changes import Change
from airflow_provider_asperion.sandbox.faults import FaultRule, Faults
from airflow_provider_asperion.sandbox.seed import Seed
from airflow_provider_asperion.sandbox.switches import Switches

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable
    from typing import Self

    from airflow_provider_asperion.sandbox.state import State

START_SECONDS = 30.0


class Sandbox:
    """An Asperion of one's own, for tests and trials; a context manager.

    :param host: a loopback address.
    :param port: 0 takes a free one.
    :param faults: rules in force from the start.
    :param box: a prepared box; else one is made of the switches.
    :param articles: so many in each administration, like ``debtors``, ``orders`` and ``invoices``.
    :param allow_remote: serve on an address that other machines reach, as a container must.
    :param switches: any of :class:`.switches.Switches`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[FaultRule] = (),
        box: Box | None = None,
        articles: int | None = None,
        debtors: int | None = None,
        orders: int | None = None,
        invoices: int | None = None,
        allow_remote: bool = False,
        **switches: Any,
    ) -> None:
        if not allow_remote and not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the sandbox is for this machine only: its logins are public")
        sizes = {"articles": articles, "debtors": debtors, "orders": orders, "invoices": invoices}
        seed = Seed(**{name: size for name, size in sizes.items() if size is not None})
        self.box = box or Box(switches=Switches(**switches), faults=Faults(list(faults)), seed=seed)
        self.host = host
        self.port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Base URL of the API and of the login."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def state(self) -> State:
        """What is in it; hold ``state.lock`` while looking."""
        return self.box.state

    @property
    def access_token(self) -> str:
        """A bearer token that does not end."""
        return self.box.credentials.access_token

    @property
    def refresh_token(self) -> str:
        """The first refresh token."""
        return self.box.credentials.refresh_token

    @property
    def client_id(self) -> str:
        """Id of the application that may log in."""
        return self.box.credentials.client_id

    @property
    def client_secret(self) -> str:
        """Secret of the application that may log in."""
        return self.box.credentials.client_secret

    def summary(self, administration: int = 1, *, seeded: bool = False) -> dict[str, Any]:
        """Return what ``/_sandbox/state`` tells of an administration; amounts are Decimal.

        :param seeded: documents and debtors that were there from the start, too.
        """
        with self.state.lock:
            result: dict[str, Any] = summary(self.box, seeded=seeded)[str(administration)]
        return result

    def change(self, resource: str, key: int | str, *, administration: int = 1, **fields: Any) -> None:
        """Change an entry as somebody in Asperion's screens would; see :class:`.changes.Change`.

        :raises ValueError: there is no such entry, or a value is of another type than its field.
        """
        self.box.change([Change(resource=resource, key=key, administration=administration, set=fields)])

    def remove(self, resource: str, key: int | str, *, administration: int = 1) -> None:
        """Remove an entry.

        :raises ValueError: there is no such entry.
        """
        self.box.change([Change(resource=resource, key=key, administration=administration, remove=True)])

    def fault(self, kind: str, **rule: Any) -> FaultRule:
        """Put a fault in force; see :class:`.faults.FaultRule`. ``fired`` of the result counts."""
        made = FaultRule.model_validate({"kind": kind, **rule})
        with self.state.lock:
            self.box.faults.rules.append(made)
        return made

    def start(self) -> None:
        """Serve until :meth:`stop`.

        :raises OSError: when the port is taken.
        """
        listener = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        emulator = Emulator(self.box)
        config = uvicorn.Config(
            emulator,
            http=_tracked(emulator),
            ws="none",
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="asperion-sandbox", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise RuntimeError("the sandbox did not start in time")

    def stop(self) -> None:
        """Stop serving; what is in it stays, and the port is kept for the next start."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(START_SECONDS)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


def _tracked(emulator: Emulator) -> type[asyncio.Protocol]:
    """Return an HTTP protocol whose connections the emulator can close, which ASGI offers no way to."""

    class Tracked(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._peer = tuple((transport.get_extra_info("peername") or ())[:2])
            emulator.transports[self._peer] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            emulator.transports.pop(self._peer, None)
            super().connection_lost(exc)

    return Tracked
