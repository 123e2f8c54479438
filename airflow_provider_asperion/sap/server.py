"""Small steps on an SFTP server: each is answered in time or given up, and its faults are problems."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import asyncssh

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.drop_folder import PublishedFile, RemoteFile
from airflow_provider_asperion.sap.faults import stalled, told_as_problems
from airflow_provider_asperion.sap.names import fault_of_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator

Answer = TypeVar("Answer")
REGULAR, FOLDER = 1, 2  # SFTP's FILEXFER_TYPE_REGULAR and FILEXFER_TYPE_DIRECTORY
FAREWELL_SECONDS = 5.0  # for closing what was given up already
WRITE_BLOCK = 1 << 20


class SftpServer:
    """What the drop folder asks of a server.

    :param client: an open ``asyncssh.SFTPClient``, or what behaves like one.
    :param stall_seconds: longest wait for one answer.
    """

    def __init__(self, client: Any, stall_seconds: float) -> None:
        self._client = client
        self._stall_seconds = stall_seconds

    async def ask(self, path: str, answer: Awaitable[Answer], seconds: float | None = None) -> Answer:
        """Wait for an answer.

        :param seconds: instead of the usual time.
        :raises ProblemError: it is a refusal, or does not come in time.
        :raises FileNotFoundError: the path does not exist.
        """
        # Not asyncio.timeout: asyncssh closes handles when cancelled, and would wait for that answer too.
        asking = asyncio.ensure_future(answer)
        limit = self._stall_seconds if seconds is None else seconds
        try:
            await asyncio.wait({asking}, timeout=limit)
        finally:
            in_time = asking.done()
            if not in_time:
                asking.add_done_callback(_forget)
                asking.cancel()
        if not in_time:
            raise ProblemError(stalled(path, limit))
        with told_as_problems(path):
            return asking.result()

    async def entries(self, folder: str, *, kind: int = REGULAR) -> list[tuple[str | bytes, Any]]:
        """Return names and attributes; a name that is no UTF-8 stays bytes, and spoils no other."""
        entries = await self.ask(folder, self._client.readdir(folder.encode()))
        return [(_decoded(entry.filename), entry.attrs) for entry in entries if entry.attrs.type == kind]

    async def files(self, folder: str) -> list[RemoteFile]:
        """Return the files of a folder that have a safe name; none when there is no such folder."""
        try:
            entries = await self.entries(folder)
        except FileNotFoundError:
            return []
        return [
            remote_file(folder, name, attributes)
            for name, attributes in entries
            if isinstance(name, str) and fault_of_name(name) is None
        ]

    async def look_at(self, path: str) -> RemoteFile | None:
        """Return what is known of a file, None when it is not there. Links are not followed."""
        try:
            attributes = await self.ask(path, self._client.lstat(path))
        except FileNotFoundError:
            return None
        return remote_file(posixpath.dirname(path), posixpath.basename(path), attributes)

    async def make_folder(self, folder: str) -> None:
        """Make a folder and those above it, where missing."""
        await self.ask(folder, self._client.makedirs(folder, exist_ok=True))

    async def open(self, path: str, mode: str = "rb") -> Any:
        """Open a file; see :meth:`close`."""
        return await self.ask(path, self._client.open(path, mode))

    async def close(self, remote: Any) -> None:
        """Close what was read; a server that does not answer is left alone."""
        with suppress(ProblemError, FileNotFoundError):
            await self.ask("", remote.close(), min(FAREWELL_SECONDS, self._stall_seconds))

    async def rename(self, source: str, target: str) -> bool:
        """Rename, never over another file; False when the source is gone or the target is there."""
        for attempt in (1, 2):
            try:
                await self.ask(source, self._client.rename(source, target))
            except FileNotFoundError:
                # Either the source is gone, or the folder of the target is not there yet.
                if attempt == 2 or await self.look_at(source) is None:
                    return False
                await self.make_folder(posixpath.dirname(target))
            except ProblemError as error:
                if error.problem.rule != "sftp.refused" or await self.look_at(target) is None:
                    raise
                return False
            else:
                return True
        return False

    async def remove(self, path: str) -> None:
        """Remove a file; nothing to do when it is gone."""
        with suppress(FileNotFoundError):
            await self.ask(path, self._client.remove(path))

    async def publish(self, path: str, chunks: Iterable[bytes], *, read_back: bool = True) -> PublishedFile:
        """Write a file so that nobody ever sees half of it: temporary name, check, rename.

        :param read_back: compare the content; else the size only.
        :raises ProblemError: what arrived is not what was sent; nothing is visible then.
        """
        published = await self.upload(path, chunks, read_back=read_back)
        await self._replace(temporary_path(path), path)
        return published

    async def upload(self, path: str, chunks: Iterable[bytes], *, read_back: bool = True) -> PublishedFile:
        """Write a file under its temporary name and check it; nobody sees it before :meth:`reveal`.

        :raises ProblemError: what arrived is not what was sent.
        """
        temporary = temporary_path(path)
        digest, size = hashlib.sha256(), 0
        remote = await self.open(temporary, "wb")
        try:
            for block in _in_blocks(chunks):
                digest.update(block)
                size += len(block)
                await self.ask(path, remote.write(block))
            await self.ask(path, remote.close())
        except BaseException:
            await self.close(remote)
            raise
        await self._check_arrived(temporary, path, size, digest.hexdigest() if read_back else None)
        return PublishedFile(path=path, size=size, sha256=digest.hexdigest())

    async def reveal(self, path: str) -> bool:
        """Give an uploaded file its name; False when it has it already, even if it was fetched since."""
        if await self.look_at(temporary_path(path)) is None:
            return False
        await self._replace(temporary_path(path), path)
        return True

    async def _check_arrived(self, temporary: str, path: str, size: int, sha256: str | None) -> None:
        if sha256 is None:
            seen = await self.look_at(temporary)
            arrived = seen is not None and seen.size == size
        else:
            arrived = await self._sha256(temporary, path) == sha256
        if not arrived:
            raise ProblemError(
                Problem(
                    rule="sftp.write_differs",
                    message=f"{size} bytes were sent to {path}, other ones are there",
                    remedy="nothing to do when it passes; else see the server's disk",
                    transient=True,
                )
            )

    async def _sha256(self, temporary: str, path: str) -> str:
        digest, count = hashlib.sha256(), 0
        remote = await self.open(temporary)
        try:
            while block := await self.ask(path, remote.read(WRITE_BLOCK, count)):
                digest.update(block)
                count += len(block)
        finally:
            await self.close(remote)
        return digest.hexdigest()

    async def _replace(self, source: str, target: str) -> None:
        """Rename over what may be there; where the server cannot, there is a moment without either."""
        if not await self.ask(target, self._renamed_over(source, target)):
            await self.remove(target)
            await self.ask(target, self._client.rename(source, target))

    async def _renamed_over(self, source: str, target: str) -> bool:
        try:
            await self._client.posix_rename(source, target)
        except asyncssh.SFTPOpUnsupported:
            return False
        return True


def temporary_path(path: str) -> str:
    """Return the name under which a file is written until it is whole: hidden, in the same folder."""
    return posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.tmp")


def _forget(asking: asyncio.Future[Any]) -> None:
    """Look at how an abandoned request ended, so that asyncio does not complain of it."""
    if not asking.cancelled():
        asking.exception()


def remote_file(folder: str, name: str, attributes: Any) -> RemoteFile:
    """Make a record of SFTP attributes."""
    return RemoteFile(
        folder=folder,
        name=name,
        size=attributes.size or 0,
        modified=dt.datetime.fromtimestamp(attributes.mtime or 0, dt.UTC),
    )


def _decoded(name: bytes) -> str | bytes:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name


def _in_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Join small chunks and cut large ones: each block costs one round trip and is watched by itself."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= WRITE_BLOCK:
            yield bytes(waiting[:WRITE_BLOCK])
            del waiting[:WRITE_BLOCK]
    if waiting:
        yield bytes(waiting)
