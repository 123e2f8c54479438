"""The drop folder on a server: which files are complete, claiming one, archiving, rejecting, publishing."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import posixpath
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem, ProblemError, Record
from airflow_provider_asperion.sap.drop_folder import DropFolder, RemoteFile
from airflow_provider_asperion.sap.faults import folder_missing, told_as_problems
from airflow_provider_asperion.sap.names import fault_of_name, fits
from airflow_provider_asperion.sap.transfer import RemoteStream, stream_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

__all__ = ["DropFolder", "Dropbox", "PublishedFile", "RemoteFile"]

_REGULAR, _FOLDER = 1, 2  # SFTP's FILEXFER_TYPE_REGULAR and _DIRECTORY
SEPARATOR = "__"  # between the id of a claim and the name of its file


class PublishedFile(Record):
    """A file that was written for SAP."""

    path: str
    size: int
    sha256: str


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
        self.folder = folder
        self._clock = clock
        self._sleep = sleep

    # Looking

    async def complete_files(self, pattern: str | None = None) -> tuple[list[RemoteFile], list[Problem]]:
        """Return the files that nobody writes any more, oldest first, and a problem per refused name.

        A file is complete when its done-file is there, or, where the settings have none, when size and time
        stay the same over several looks and it has reached a minimum age.

        :param pattern: instead of the pattern of the settings.
        :raises ProblemError: the folder does not exist or may not be read.
        """
        seen, problems = await self._candidates(pattern or self.folder.pattern)
        if self.folder.done_file is None:
            for _ in range(self.folder.stable_looks - 1):
                if not seen:
                    break
                await self._sleep(self.folder.look_interval_seconds)
                again, _ = await self._candidates(pattern or self.folder.pattern)
                seen = {name: file for name, file in again.items() if seen.get(name) == file}
            seen = {name: file for name, file in seen.items() if self._old_enough(file)}
        files = sorted(seen.values(), key=lambda file: (file.modified, file.name))
        return files[: self.folder.maximum_files], problems

    async def claimed_files(self) -> dict[str, RemoteFile]:
        """Return what lies in the work folder, by the id of its claim."""
        found = {}
        for file in await self._listed(self.folder.work_path):
            claim, separator, name = file.name.partition(SEPARATOR)
            if separator and fault_of_name(name) is None:
                found[claim] = file
        return found

    async def archived_files(
        self, start: dt.datetime, end: dt.datetime, pattern: str | None = None
    ) -> list[RemoteFile]:
        """Return the archived files that landed from ``start`` until before ``end``, oldest first.

        A file lands when the sender writes it: its modification time, which renaming leaves alone. It is
        archived on that day or a later one.
        """
        wanted = pattern or self.folder.pattern
        days = [day for day in await self._days() if day >= f"{start:%Y%m%d}"]
        found = []
        for day in days:
            for file in await self._listed(posixpath.join(self.folder.archive_path, day)):
                if start <= file.modified < end and fits(file.name, wanted) and not self._ignored(file.name):
                    found.append(file)
        return sorted(found, key=lambda file: (file.modified, file.name))

    # Claiming

    def work_path(self, claim: str, name: str) -> str:
        """Return where a claimed file lies."""
        return posixpath.join(self.folder.work_path, f"{claim}{SEPARATOR}{name}")

    async def claim(self, file: RemoteFile, claim: str) -> RemoteFile | None:
        """Move a file to the work folder; None when somebody else was faster, or it is still being written.

        :param claim: id of the claim; a file that lies there under it already counts as claimed.
        """
        target = self.work_path(claim, file.name)
        if not await self._rename(file.path, target):
            return await self.look_at(target)
        taken = await self.look_at(target)
        if taken is None or (taken.size, taken.modified) == (file.size, file.modified):
            return taken
        # It changed between our look and our hold: its writer goes on writing into it, wherever it lies.
        await self._rename(target, file.path)
        return None

    async def look_at(self, path: str) -> RemoteFile | None:
        """Return what is known of a file, None when it is not there."""
        try:
            with told_as_problems(path):
                attributes = await self._client.lstat(path)
        except FileNotFoundError:
            return None
        return _remote_file(posixpath.dirname(path), posixpath.basename(path), attributes)

    @asynccontextmanager
    async def open(self, file: RemoteFile) -> AsyncIterator[RemoteStream]:
        """Open a file for reading by a thread; see :func:`transfer.stream_of`.

        :raises FileNotFoundError: it is gone.
        """
        with told_as_problems(file.path):
            # Blocks of the size asked for: asyncssh would cut each into 16 KiB requests of its own.
            remote = await self._client.open(file.path, "rb")
        try:
            async with stream_of(
                remote, path=file.path, size=file.size, stall_seconds=self.folder.stall_seconds
            ) as stream:
                yield stream
        finally:
            with suppress(Exception):  # what was read is whole or refused already
                await remote.close()

    # Ending

    async def archive(self, file: RemoteFile, claim: str) -> str:
        """Move a claimed file to the archive of today; return its path there. May be repeated."""
        name = file.name.partition(SEPARATOR)[2] or file.name
        day = posixpath.join(self.folder.archive_path, f"{self._clock():%Y%m%d}")
        path = await self._move_aside(file.path, day, name, claim)
        await self._move_done_file(name, day)
        return path

    async def reject(self, file: RemoteFile, claim: str, reason: str) -> str:
        """Move a claimed file to the error folder, beside a readable ``.err`` file that tells why."""
        name = file.name.partition(SEPARATOR)[2] or file.name
        path = await self._move_aside(file.path, self.folder.error_path, name, claim)
        await self._publish(f"{path}.err", [f"{reason}\n".encode()])
        await self._move_done_file(name, self.folder.error_path)
        return path

    async def release(self, file: RemoteFile) -> bool:
        """Give a claimed file back to the inbox; False when it cannot, because the name is taken there."""
        name = file.name.partition(SEPARATOR)[2] or file.name
        return await self._rename(file.path, posixpath.join(self.folder.inbox, name))

    # Writing

    async def publish(self, name: str, chunks: Iterable[bytes], *, done_file: bool = False) -> PublishedFile:
        """Write a file for SAP, so that nobody ever sees half of it: temporary name, check, rename.

        A file of the same name is replaced: publishing again ends in the same state.

        :param done_file: write its done-file last.
        :raises ProblemError: what arrived is not what was sent; nothing is visible then.
        :raises ValueError: the name is not safe.
        """
        fault = fault_of_name(name)
        if fault is not None:
            raise ValueError(fault.message)
        await self._make_folder(self.folder.inbox)
        published = await self._publish(posixpath.join(self.folder.inbox, name), chunks)
        if done_file and self.folder.done_file is not None:
            marker = posixpath.join(self.folder.inbox, self.folder.done_name(name))
            await self._publish(marker, [])
        return published

    async def _publish(self, path: str, chunks: Iterable[bytes]) -> PublishedFile:
        temporary = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.tmp")
        digest, size = hashlib.sha256(), 0
        with told_as_problems(path):
            async with self._client.open(temporary, "wb") as remote:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    await remote.write(chunk)
            await self._check_arrived(temporary, size, digest.hexdigest())
            await self._client.posix_rename(temporary, path)
        return PublishedFile(path=path, size=size, sha256=digest.hexdigest())

    async def _check_arrived(self, path: str, size: int, sha256: str) -> None:
        digest, count = hashlib.sha256(), 0
        async with self._client.open(path, "rb") as remote:
            while block := await remote.read(1 << 20, count):
                digest.update(block)
                count += len(block)
        if (count, digest.hexdigest()) != (size, sha256):
            raise ProblemError(
                Problem(
                    rule="sftp.write_differs",
                    message=f"{size} bytes were sent to {path}, {count} other ones are there",
                    remedy="nothing to do when it passes; else see the server's disk",
                    transient=True,
                )
            )

    # Small steps

    async def _candidates(self, pattern: str) -> tuple[dict[str, RemoteFile], list[Problem]]:
        """Return the files of the inbox that count, by name."""
        try:
            entries = await self._entries(self.folder.inbox)
        except FileNotFoundError:
            raise ProblemError(await self._missing_inbox()) from None
        names = {name for name, _ in entries}
        found, problems = {}, []
        for name, attributes in entries:
            fault = fault_of_name(name)
            if fault is not None:
                problems.append(fault)
            elif isinstance(name, str):
                file = _remote_file(self.folder.inbox, name, attributes)
                if self._counts(file, names, pattern):
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

    def _old_enough(self, file: RemoteFile) -> bool:
        age = (self._clock() - file.modified).total_seconds()
        # A file from the future says that the server's clock is ahead: then only the looks count.
        return age >= self.folder.minimum_age_seconds or age < 0

    async def _listed(self, folder: str) -> list[RemoteFile]:
        try:
            entries = await self._entries(folder)
        except FileNotFoundError:
            return []
        return [
            _remote_file(folder, name, attributes)
            for name, attributes in entries
            if isinstance(name, str) and fault_of_name(name) is None
        ]

    async def _days(self) -> list[str]:
        """Return the day folders of the archive, oldest first."""
        try:
            entries = await self._entries(self.folder.archive_path, kind=_FOLDER)
        except FileNotFoundError:
            return []
        return sorted(name for name, _ in entries if isinstance(name, str) and name.isdigit())

    async def _entries(self, folder: str, *, kind: int = _REGULAR) -> list[tuple[str | bytes, Any]]:
        """Return names and attributes; a name that is no UTF-8 stays bytes, and spoils no other."""
        with told_as_problems(folder):
            entries = await self._client.readdir(folder.encode())
        return [(_decoded(entry.filename), entry.attrs) for entry in entries if entry.attrs.type == kind]

    async def _missing_inbox(self) -> Problem:
        existing = self.folder.inbox
        while existing not in ("", "/", "."):
            existing = posixpath.dirname(existing) or "."
            if await self.look_at(existing) is not None:
                break
        return folder_missing(self.folder.inbox, "the login folder" if existing == "." else existing)

    async def _make_folder(self, folder: str) -> None:
        with told_as_problems(folder):
            await self._client.makedirs(folder, exist_ok=True)

    async def _rename(self, source: str, target: str) -> bool:
        """Rename, never over another file; False when the source is gone or the target is there."""
        for attempt in (1, 2):
            try:
                with told_as_problems(source):
                    await self._client.rename(source, target)
            except FileNotFoundError:
                # Either the source is gone, or the folder of the target is not there yet.
                if attempt == 2 or await self.look_at(source) is None:
                    return False
                await self._make_folder(posixpath.dirname(target))
            except ProblemError as error:
                if error.problem.rule != "sftp.refused" or await self.look_at(target) is None:
                    raise
                return False
            else:
                return True
        return False

    async def _move_aside(self, source: str, folder: str, name: str, claim: str) -> str:
        """Move a file to a folder, under its own name or, where that is taken, with the claim behind it."""
        await self._make_folder(folder)
        plain = posixpath.join(folder, name)
        marked = posixpath.join(folder, f"{name}~{claim[:8]}")
        for target in (plain, marked):
            if await self._rename(source, target):
                return target
        # It was moved before: by a run that was killed before it could say so.
        for target in (marked, plain):
            if await self.look_at(target) is not None:
                return target
        raise FileNotFoundError(source)

    async def _move_done_file(self, name: str, folder: str) -> None:
        if self.folder.done_file is None:
            return
        marker = self.folder.done_name(name)
        moved = await self._rename(posixpath.join(self.folder.inbox, marker), posixpath.join(folder, marker))
        if not moved:
            # The archive has one of that name already; a marker without its file must not stay behind.
            with suppress(FileNotFoundError), told_as_problems(marker):
                await self._client.remove(posixpath.join(self.folder.inbox, marker))


def _decoded(name: bytes) -> str | bytes:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name


def _remote_file(folder: str, name: str, attributes: Any) -> RemoteFile:
    return RemoteFile(
        folder=folder,
        name=name,
        size=attributes.size or 0,
        modified=dt.datetime.fromtimestamp(attributes.mtime or 0, dt.UTC),
    )
