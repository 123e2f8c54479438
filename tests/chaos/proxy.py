"""A TCP proxy between us and one side, which breaks connections on order."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

Trouble = Literal["refuse", "reset", "hang", "drip", "lose_answer"]
BLOCK = 65_536
_WRITE = re.compile(rb"^(POST|PUT) /v1/")


@dataclass
class Toxic:
    """What goes wrong with connections.

    :param trouble: ``refuse``: closed at once; ``reset``: torn down after so many bytes from the server;
        ``hang``: nothing more passes after them; ``drip``: all passes in small pieces; ``lose_answer``: torn
        down when the server begins to answer a write over HTTP.
    :param after: bytes from the server that pass before.
    :param times: so many connections have it.
    """

    trouble: Trouble
    after: int = 0
    times: int = 1
    fired: int = 0


@dataclass
class Proxy:
    """Listens on a free loopback port and hands everything on to another one."""

    target: int
    toxics: list[Toxic] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=BLOCK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and tear all connections down."""
        self.cut()
        if self._server is not None:
            self._server.close()

    def cut(self) -> None:
        """Tear all connections down."""
        for writer in list(self._open):
            writer.transport.abort()

    def _take(self, *troubles: Trouble) -> Toxic | None:
        found = next((one for one in self.toxics if one.trouble in troubles and one.times > 0), None)
        if found is not None:
            found.times -= 1
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refused = self._take("refuse")
        if refused is not None:
            refused.fired += 1
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target, limit=BLOCK)
        except OSError:
            writer.transport.abort()
            return
        for one in (writer, back):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open |= {writer, back}
        link = _Link(self, writer, back, self._take("reset", "hang", "drip"))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(link.forth(reader))
                group.create_task(link.back(there))
        except* (OSError, _TornError):
            pass
        finally:
            self._open -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    def lose_answer(self) -> bool:
        """Whether the answer to a write that passes now shall be lost; counts it."""
        found = self._take("lose_answer")
        if found is not None:
            found.fired += 1
        return found is not None


class _TornError(Exception):
    """The connection is torn down."""


class _Link:
    """One connection through the proxy."""

    def __init__(
        self, proxy: Proxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter, toxic: Toxic | None
    ) -> None:
        self._proxy, self._near, self._far, self._toxic = proxy, near, far, toxic
        self._lose_next_answer = False
        self._passed = 0

    async def forth(self, reader: asyncio.StreamReader) -> None:
        """Hand on what the client sends."""
        while block := await reader.read(BLOCK):
            if _WRITE.match(block) and self._proxy.lose_answer():
                self._lose_next_answer = True
            self._far.write(block)
            await self._far.drain()
        with suppress(OSError):
            self._far.write_eof()

    async def back(self, reader: asyncio.StreamReader) -> None:
        """Hand on what the server sends, as far as the toxic lets it."""
        while block := await reader.read(BLOCK):
            if self._lose_next_answer:
                raise _TornError
            await self._hand_back(block)
        raise _TornError

    async def _hand_back(self, block: bytes) -> None:
        toxic = self._toxic
        self._passed += len(block)
        if toxic is None or (toxic.trouble != "drip" and self._passed <= toxic.after):
            self._near.write(block)
            await self._near.drain()
            return
        toxic.fired += 1
        if toxic.trouble == "drip":
            for start in range(0, len(block), 512):
                self._near.write(block[start : start + 512])
                await self._near.drain()
                await asyncio.sleep(0.002)
            return
        self._near.write(block[: max(0, toxic.after - self._passed + len(block))])
        if toxic.trouble == "hang":
            await asyncio.Event().wait()
        raise _TornError
