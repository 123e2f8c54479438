"""The drop folder on a server: which files are complete, claiming one, archiving, rejecting, publishing."""

from __future__ import annotations

import asyncio
import datetime as dt
import posixpath
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.completeness import Completeness
from airflow_provider_asperion.sap.drop_folder import DropFolder, PublishedFile, RemoteFile
from airflow_provider_asperion.sap.faults import folder_missing
from airflow_provider_asperion.sap.names import fault_of_name, fits
from airflow_provider_asperion.sap.server import FOLDER, SftpServer, remote_file
from airflow_provider_asperion.sap.transfer import RemoteStream, stream_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

__all__ = ["SEPARATOR", "DropFolder", "Dropbox", "PublishedFile", "RemoteFile", "original_name"]

SEPARATOR = "__"  # between the id of a claim and the name of its file
_DOUBLE = re.compile(r"~[0-9A-Za-z-]{1,8}$")  # behind the name of a file whose name was taken


def original_name(name: str) -> str:
    """Return the sender's name of a claimed file, or of one archived where its name was taken."""
    return _DOUBLE.sub("", name.partition(SEPARATOR)[2] or name)


class Dropbox:
    """One drop folder.

    :param client: an open ``asyncssh.SFTPClient``, or what behaves like one.
    :param folder: the settings of the folder.
    :param clock: tells the moment, aware.
    :param sleep: waits a number of seconds.
    """

    def __init__(
        self,
        client: Any,
        folder: DropFolder,
        *,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._server = SftpServer(client, folder.stall_seconds)
        self.folder = folder
        self._clock = clock
        self._sleep = sleep

    # Looking

    async def complete_files(self, pattern: str | None = None) -> tuple[list[RemoteFile], list[Problem]]:
        """Return the files that nobody writes any more, oldest first, and a problem per refused file.

        A file is complete when its done-file is there, or, where the settings have none, when size and time
        stay the same over several looks and it has reached a minimum age. Refused, and left where they are:
        files with an unsafe name, and those larger than the settings allow.

        :param pattern: instead of the pattern of the settings.
        :raises ProblemError: the folder does not exist or may not be read.
        """
        kept = Completeness(self.folder, self._clock)
        files, problems = await self.look(kept, pattern)
        for _ in range(kept.looks - 1):
            if not kept.waiting:
                break
            await self._sleep(self.folder.look_interval_seconds)
            files, _ = await self.look(kept, pattern)
        return files[: self.folder.maximum_files], problems

    async def look(
        self, kept: Completeness, pattern: str | None = None
    ) -> tuple[list[RemoteFile], list[Problem]]:
        """Look at the inbox once; return what is complete by now, and a problem per refused file.

        :param kept: remembers the looks before.
        :param pattern: instead of the pattern of the settings.
        :raises ProblemError: the folder does not exist or may not be read.
        """
        seen, problems = await self._candidates(pattern or self.folder.pattern)
        return kept.take(seen), problems

    async def claimed_files(self) -> dict[str, RemoteFile]:
        """Return what lies in the work folder, by the id of its claim."""
        found = {}
        for file in await self._server.files(self.folder.work_path):
            claim, separator, name = file.name.partition(SEPARATOR)
            if separator and fault_of_name(name) is None and not claim.startswith("."):
                found[claim] = file
        return found

    async def archived_files(
        self, start: dt.datetime, end: dt.datetime, pattern: str | None = None
    ) -> list[RemoteFile]:
        """Return the archived files that landed from ``start`` until before ``end``, oldest first.

        A file lands when the sender writes it: its modification time, which renaming leaves alone. It is
        archived on that day or a later one.

        :param pattern: of the sender's names, see :func:`original_name`.
        """
        wanted = pattern or self.folder.pattern
        found = []
        # A day more, for a server whose clock is ahead of ours.
        first = f"{start - dt.timedelta(days=1):%Y%m%d}"
        for day in [day for day in await self._days() if day >= first]:
            for file in await self._server.files(posixpath.join(self.folder.archive_path, day)):
                name = original_name(file.name)
                suits = fits(name, wanted) or fits(file.name, wanted)
                if start <= file.modified < end and suits and not self._ignored(name):
                    found.append(file)
        return sorted(found, key=lambda file: (file.modified, file.name))

    async def look_at(self, path: str) -> RemoteFile | None:
        """Return what is known of a file, None when it is not there."""
        return await self._server.look_at(path)

    # Claiming

    def work_path(self, claim: str, name: str) -> str:
        """Return where a claimed file lies."""
        return posixpath.join(self.folder.work_path, f"{claim}{SEPARATOR}{name}")

    async def claim(self, file: RemoteFile, claim: str) -> RemoteFile | None:
        """Move a file to the work folder; None when somebody else was faster, or it is still being written.

        Its done-file goes with it: left behind, it would vouch for the next file of that name.

        :param claim: id of the claim; a file that lies there under it already counts as claimed.
        """
        target = self.work_path(claim, file.name)
        renamed = await self._server.rename(file.path, target)
        taken = await self.look_at(target)
        if taken is None:
            return None
        if renamed and not _same(taken, file):
            # It changed between our look and our hold: its writer goes on writing into it, wherever it lies.
            await self._server.rename(target, file.path)
            return None
        if self.folder.done_file is not None:
            await self._server.rename(self._marker(file.name), self._marker_at_work(claim))
        return taken

    @asynccontextmanager
    async def open(self, file: RemoteFile) -> AsyncIterator[RemoteStream]:
        """Open a file for reading by a thread; see :func:`transfer.stream_of`.

        :raises FileNotFoundError: it is gone.
        """
        remote = await self._server.open(file.path)
        try:
            async with stream_of(
                remote, path=file.path, size=file.size, stall_seconds=self.folder.stall_seconds
            ) as stream:
                yield stream
        finally:
            await self._server.close(remote)

    # Ending

    async def archive(self, file: RemoteFile, claim: str) -> str:
        """Move a claimed file to the archive of today; return its path there.

        May be repeated, on a later day too: then the path is where it went the first time.

        :param claim: tells it from others of its name.
        :raises FileNotFoundError: it is neither claimed nor archived.
        """
        today = posixpath.join(self.folder.archive_path, f"{self._clock():%Y%m%d}")
        path = await self._move_aside(file, today, claim)
        if path is None:
            days = reversed(await self._days())
            folders = [posixpath.join(self.folder.archive_path, day) for day in days]
            path = await self._where_it_went(file, folders, claim)
        await self._move_marker(file, path)
        return path

    async def reject(self, file: RemoteFile, claim: str, reason: str) -> str:
        """Move a claimed file to the error folder, beside a readable ``.err`` file that tells why.

        May be repeated.

        :param reason: one text for people, without personal values.
        :raises FileNotFoundError: it is neither claimed nor rejected.
        """
        path = await self._move_aside(file, self.folder.error_path, claim)
        if path is None:
            path = await self._where_it_went(file, [self.folder.error_path], claim)
        await self._server.publish(f"{path}.err", [f"{reason}\n".encode()], read_back=False)
        await self._move_marker(file, path)
        return path

    async def release(self, file: RemoteFile) -> bool:
        """Give a claimed file back to the inbox; False when it cannot, because the name is taken there.

        May be repeated.

        :raises FileNotFoundError: it is neither claimed nor in the inbox.
        """
        claim, _, name = file.name.partition(SEPARATOR)
        target = posixpath.join(self.folder.inbox, name)
        if not await self._server.rename(file.path, target):
            if await self.look_at(file.path) is not None:
                return False
            there = await self.look_at(target)
            if there is None or not _same(there, file):
                raise FileNotFoundError(file.path)
        if self.folder.done_file is not None:
            await self._server.rename(self._marker_at_work(claim), self._marker(name))
        return True

    # Writing

    async def publish(self, name: str, chunks: Iterable[bytes], *, done_file: bool = False) -> PublishedFile:
        """Write a file for SAP, so that nobody ever sees half of it: temporary name, check, rename.

        A file of the same name is replaced: publishing again ends in the same state. Once renamed it is
        published, whether it can still be seen or was fetched at once.

        :param done_file: write its done-file last.
        :raises ProblemError: what arrived is not what was sent; nothing is visible then.
        :raises ValueError: the name is not safe.
        """
        path = await self._path_for(name)
        read_back = self.folder.check_written == "content"
        published = await self._server.publish(path, chunks, read_back=read_back)
        if done_file:
            await self._write_marker(name)
        return published

    async def upload(self, name: str, chunks: Iterable[bytes]) -> PublishedFile:
        """Write a file for SAP under a temporary name and check it; see :meth:`reveal`. May be repeated.

        :raises ProblemError: what arrived is not what was sent.
        :raises ValueError: the name is not safe.
        """
        path = await self._path_for(name)
        return await self._server.upload(path, chunks, read_back=self.folder.check_written == "content")

    async def reveal(self, name: str, *, done_file: bool = False) -> None:
        """Let an uploaded file appear under its name, its done-file last.

        May be repeated: a file whose temporary name is gone has appeared, whether it can still be seen or SAP
        has fetched it since. Then no done-file is written either: it would vouch for nothing.
        """
        path = posixpath.join(self.folder.inbox, name)
        await self._server.reveal(path)
        if done_file and self.folder.done_file is not None and await self.look_at(path) is not None:
            await self._write_marker(name)

    async def _path_for(self, name: str) -> str:
        fault = fault_of_name(name)
        if fault is not None:
            raise ValueError(fault.message)
        await self._server.make_folder(self.folder.inbox)
        return posixpath.join(self.folder.inbox, name)

    async def _write_marker(self, name: str) -> None:
        if self.folder.done_file is not None:
            await self._server.publish(self._marker(name), [], read_back=False)

    # Small steps

    async def _candidates(self, pattern: str) -> tuple[dict[str, RemoteFile], list[Problem]]:
        """Return the files of the inbox that count, by name."""
        try:
            entries = await self._server.entries(self.folder.inbox)
        except FileNotFoundError:
            raise ProblemError(await self._missing_inbox()) from None
        names = {name for name, _ in entries}
        found, problems = {}, []
        for name, attributes in entries:
            fault = fault_of_name(name)
            if fault is not None:
                problems.append(fault)
            elif isinstance(name, str):
                file = remote_file(self.folder.inbox, name, attributes)
                if not self._counts(file, names, pattern):
                    continue
                if self.folder.maximum_bytes is not None and file.size > self.folder.maximum_bytes:
                    problems.append(_too_large(file, self.folder.maximum_bytes))
                else:
                    found[file.name] = file
        return found, problems

    def _counts(self, file: RemoteFile, names: set[Any], pattern: str) -> bool:
        if self._ignored(file.name) or not fits(file.name, pattern):
            return False
        if file.size == 0 and self.folder.zero_bytes == "skip":
            return False
        return self.folder.done_file is None or self.folder.done_name(file.name) in names

    def _ignored(self, name: str) -> bool:
        return name.startswith(".") or name.lower().endswith(self.folder.ignored_suffixes)

    async def _days(self) -> list[str]:
        """Return the day folders of the archive, oldest first."""
        try:
            entries = await self._server.entries(self.folder.archive_path, kind=FOLDER)
        except FileNotFoundError:
            return []
        return sorted(name for name, _ in entries if isinstance(name, str) and name.isdigit())

    async def _missing_inbox(self) -> Problem:
        existing = self.folder.inbox
        while existing not in ("", "/", "."):
            existing = posixpath.dirname(existing) or "."
            if await self.look_at(existing) is not None:
                break
        return folder_missing(self.folder.inbox, "the login folder" if existing == "." else existing)

    async def _move_aside(self, file: RemoteFile, folder: str, claim: str) -> str | None:
        """Move a file under its own name or, where taken, with the claim behind it; None: it is gone."""
        for target in _targets(file, folder, claim):
            if await self._server.rename(file.path, target):
                return target
        return None

    async def _where_it_went(self, file: RemoteFile, folders: list[str], claim: str) -> str:
        """Return where a file was moved by a run that was killed before it could say so.

        :raises FileNotFoundError: nowhere, or it is still there because both names are taken.
        """
        for folder in folders:
            for target in reversed(_targets(file, folder, claim)):
                seen = await self.look_at(target)
                if seen is not None and _same(seen, file):
                    return target
        raise FileNotFoundError(file.path)

    # Done-files

    def _marker(self, name: str) -> str:
        return posixpath.join(self.folder.inbox, self.folder.done_name(name))

    def _marker_at_work(self, claim: str) -> str:
        return posixpath.join(self.folder.work_path, f".{claim}.marker")

    async def _move_marker(self, file: RemoteFile, path: str) -> None:
        """Let the done-file of a claimed file follow it to where it went."""
        if self.folder.done_file is None:
            return
        claim, _, name = file.name.partition(SEPARATOR)
        target = self.folder.done_name(path)
        if await self._server.rename(self._marker_at_work(claim), target):
            return
        # A run was killed before it took the marker. Beside a new file of that name it is the new one's.
        if name and await self.look_at(posixpath.join(self.folder.inbox, name)) is None:
            await self._server.rename(self._marker(name), target)


def _targets(file: RemoteFile, folder: str, claim: str) -> tuple[str, str]:
    name = file.name.partition(SEPARATOR)[2] or file.name
    return posixpath.join(folder, name), posixpath.join(folder, f"{name}~{claim[:8]}")


def _same(one: RemoteFile, other: RemoteFile) -> bool:
    """Whether two looks at different places saw the same file: a rename keeps size and time."""
    return (one.size, one.modified) == (other.size, other.modified)


def _too_large(file: RemoteFile, maximum: int) -> Problem:
    return Problem(
        rule="file.too_large",
        message=f"the file has {file.size} bytes, more than the {maximum} allowed; it is left where it is",
        remedy="have it sent in parts, or raise folder.maximum_bytes",
        file=file.name,
        field="folder.maximum_bytes",
    )
