"""A remote file as a stream for a worker thread, fed by the event loop: bounded memory, watched, hashed."""

from __future__ import annotations

import asyncio
import hashlib
import io
import queue
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Protocol

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.faults import stalled, told_as_problems

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from typing_extensions import Buffer

BLOCK = 255 * 1024  # the most that OpenSSH answers to one request
AHEAD = 16  # blocks read ahead: 4 MiB, enough to keep a fast link busy


def drain(stream: BinaryIO) -> None:
    """Read to the end, past the place where parsing had to stop: for size and checksum."""
    while stream.read(BLOCK):
        pass


class RemoteReader(Protocol):
    """An open remote file, as asyncssh offers it."""

    async def read(self, size: int = -1, offset: int | None = None) -> bytes:
        """Read at an offset."""


class RemoteStream(io.RawIOBase):
    """The bytes of a remote file, for the one thread that parses them.

    :ivar count: bytes handed out so far.
    :ivar digest: SHA-256 over them; of the whole file once it was read to the end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, room: asyncio.Semaphore) -> None:
        self._loop = loop
        self._room = room
        self._blocks: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()
        self._rest = memoryview(b"")
        self._ended = False
        self._fault: BaseException | None = None
        self._digest = hashlib.sha256()
        self.count = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of what was handed out, hexadecimal."""
        return self._digest.hexdigest()

    def put(self, block: bytes | BaseException) -> None:
        """Hand a block to the reading thread; ``b""`` is the end, an exception is raised there."""
        self._blocks.put(block)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer; 0 at the end of the file."""
        if not self._rest and not self._ended:
            self._take()
        view = memoryview(buffer)
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _take(self) -> None:
        if self._fault is not None:
            # Again and again: a parser that tries once more must not take a cut for the end of the file.
            raise self._fault
        block = self._blocks.get()
        if isinstance(block, BaseException):
            self._fault = block
            raise block
        if not block:
            self._ended = True
            return
        self._digest.update(block)
        self.count += len(block)
        self._rest = memoryview(block)
        self._loop.call_soon_threadsafe(self._room.release)


@asynccontextmanager
async def stream_of(
    file: RemoteReader, *, path: str, size: int, stall_seconds: float
) -> AsyncIterator[RemoteStream]:
    """Read a remote file ahead of a thread; on leaving, whatever was not read is given up.

    :param size: bytes that the file had when it was claimed; another number at its end is a fault.
    :param stall_seconds: longest time without a byte.
    :raises ProblemError: in the reading thread: no byte came, the connection broke, the file has changed.
    """
    room = asyncio.Semaphore(AHEAD)
    stream = RemoteStream(asyncio.get_running_loop(), room)
    feeding = asyncio.create_task(
        _feed(file, stream, room, path=path, size=size, stall_seconds=stall_seconds)
    )
    try:
        yield stream
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
        stream.put(ConnectionAbortedError("the transfer was given up"))


async def _feed(
    file: RemoteReader,
    stream: RemoteStream,
    room: asyncio.Semaphore,
    *,
    path: str,
    size: int,
    stall_seconds: float,
) -> None:
    flights: deque[asyncio.Task[bytes]] = deque()
    link = _Link(file, path, stall_seconds)
    try:
        total, offset = 0, 0
        while True:
            # As many blocks on their way as there is room for, handed over in order.
            while offset < size and (not flights or not room.locked()):
                await room.acquire()
                length = min(BLOCK, size - offset)
                flights.append(link.start(offset, length))
                offset += length
            if not flights:
                break
            block = await link.landed(flights[0])
            flights.popleft()
            total += len(block)
            stream.put(block)
            if not block:
                break
        flights.append(link.start(size, 1))
        if total != size or await link.landed(flights[-1]):
            raise ProblemError(_changed(path, size))
        stream.put(b"")
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        stream.put(error)
    finally:
        await _give_up(flights)


class _Link:
    """Requests on one connection, with one watch over all: on a slow link they wait for each other."""

    def __init__(self, file: RemoteReader, path: str, stall_seconds: float) -> None:
        self._file = file
        self._path = path
        self._stall_seconds = stall_seconds
        self._clock = asyncio.get_running_loop().time
        self._alive = self._clock()

    def start(self, offset: int, length: int) -> asyncio.Task[bytes]:
        """Ask for a block."""
        self._alive = self._clock()
        return asyncio.create_task(self._block(offset, length))

    async def landed(self, flight: asyncio.Task[bytes]) -> bytes:
        """Wait for a block as long as anything at all comes."""
        while True:
            await asyncio.wait({flight}, timeout=max(0.0, self._alive + self._stall_seconds - self._clock()))
            if flight.done():
                return flight.result()
            if self._clock() - self._alive >= self._stall_seconds:
                raise ProblemError(stalled(self._path, self._stall_seconds))

    async def _block(self, offset: int, length: int) -> bytes:
        """Read one block whole; a server may answer with less than was asked for."""
        parts = []
        while length:
            with told_as_problems(self._path):
                part = await self._file.read(length, offset)
            self._alive = self._clock()
            if not part:
                break
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)


async def _give_up(flights: deque[asyncio.Task[bytes]]) -> None:
    for flight in flights:
        flight.cancel()
    await asyncio.gather(*flights, return_exceptions=True)


def _changed(path: str, size: int) -> Problem:
    return Problem(
        rule="file.changed",
        message=f"{path} had {size} bytes when it was claimed, and has another size now",
        remedy="have the sender write under a temporary name, or set folder.done_file",
        transient=True,
    )
