"""Which files a run reads, and making them its own: new ones, those left behind, archived ones."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.ledger import Ledger, SeenFile, files, refusals
from airflow_provider_asperion.records import Problem, Record
from airflow_provider_asperion.sap.dropbox import RemoteFile, original_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from airflow_provider_asperion.ledger import FileClaim
    from airflow_provider_asperion.sap.dropbox import Dropbox

MOST_GROUPS = 32


class FileToRead(Record):
    """A file that a run is to read. Small and free of personal data: it travels as an XCom.

    :param source: ``inbox``: new; ``work``: left behind by an earlier run; ``archive``: read again.
    :param name: as the sender named it.
    :param claim: id under which the ledger knows it, where that is known beforehand.
    :param positions: of the documents that are read again; None: all.
    """

    source: Literal["inbox", "work", "archive"]
    name: str
    remote: RemoteFile
    claim: str | None = None
    positions: tuple[int, ...] | None = None


class FileGroup(Record):
    """The files that one task reads.

    :param share: how many batches each of them may make.
    """

    files: tuple[FileToRead, ...]
    share: int


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A file that the run may read.

    :param id: under which the ledger knows it.
    :param archived: it lies in the archive, and stays there.
    :param positions: of the documents that are read again; None: all.
    """

    id: str
    name: str
    remote: RemoteFile
    archived: bool
    positions: tuple[int, ...] | None = None


class Intake:
    """Finds and claims files of one drop folder.

    :param place: server and folder as one text, which stays the same over runs.
    :param run: the run that claims.
    """

    def __init__(self, dropbox: Dropbox, ledger: Ledger, *, place: str, run: str) -> None:
        self._dropbox = dropbox
        self._ledger = ledger
        self._place = place
        self._run = run

    async def new_files(self, pattern: str | None = None) -> tuple[list[FileToRead], list[Problem]]:
        """Return complete new files and files that an earlier run left behind, oldest first.

        :raises ProblemError: the folder cannot be read.
        """
        fresh, problems = await self._dropbox.complete_files(pattern)
        found = [FileToRead(source="inbox", name=file.name, remote=file) for file in fresh]
        return await self._left_behind() + found, problems

    async def archived_files(
        self, start: dt.datetime, end: dt.datetime, pattern: str | None = None
    ) -> list[FileToRead]:
        """Return the archived files that landed in an interval, oldest first."""
        found = await self._dropbox.archived_files(start, end, pattern)
        return [FileToRead(source="archive", name=original_name(file.name), remote=file) for file in found]

    async def refused_files(
        self, wanted: Collection[str], administration: str
    ) -> tuple[list[FileToRead], list[Problem]]:
        """Return the files in which refused documents stand, each with the places of those.

        :param wanted: see :func:`.refusals.refused`. What waits in the work folder is not among them: the
            next run goes on with it anyway.
        """
        found = self._ledger.run(refusals.refused, self._place, wanted, administration=administration)
        files_, problems = [], []
        for claim, several in groupby(found, key=lambda refusal: refusal.file):
            positions = tuple(sorted({refusal.position for refusal in several}))
            if claim.state not in ("archived", "rejected"):
                continue
            remote = await self._dropbox.look_at(claim.path)
            if remote is None:
                problems.append(_no_longer_there(claim.seen.name, len(positions)))
                continue
            files_.append(
                FileToRead(
                    source="archive", name=claim.seen.name, remote=remote, claim=claim.id, positions=positions
                )
            )
        return files_, problems

    async def claim(self, file: FileToRead) -> ClaimedFile | None:
        """Make a file this run's own; None when another run has it, or it is gone.

        A task that was killed and runs again gets back what it had, wherever it lies by now.
        """
        if file.source == "archive":
            id_ = file.claim or self._archived_id(file)
            return ClaimedFile(id_, file.name, file.remote, archived=True, positions=file.positions)
        seen = self._seen(file)
        known = self._ledger.run(files.find_file, seen)
        settled = known is not None and known.state in ("archived", "rejected")
        if known is not None and settled and await self._dropbox.look_at(file.remote.path) is None:
            # By an earlier try of this very run; else the sender has put the file there once more.
            return await self._from_archive(known, file) if known.state == "archived" else None
        path = file.remote.path
        if file.source == "inbox":
            path = self._dropbox.work_path(_token(seen), file.name)
        claimed = self._ledger.run(files.claim_file, seen, self._run, path)
        if claimed is None:
            return None
        remote = await self._take(file, seen)
        if remote is None:
            self._ledger.run(files.drop_claim, claimed.id, self._run)
            return None
        self._ledger.run(files.file_claimed, claimed.id, self._run)
        return ClaimedFile(claimed.id, file.name, remote, archived=False)

    async def put_away(self, claimed: ClaimedFile, faults: Sequence[Problem] = ()) -> str:
        """Move a file that was read to the archive, or with its faults to the error folder."""
        if faults:
            path = await self._dropbox.reject(
                claimed.remote, claimed.id, "\n".join(str(fault) for fault in faults)
            )
            self._ledger.run(files.reject_file, claimed.id, self._run, path, faults)
        else:
            path = await self._dropbox.archive(claimed.remote, claimed.id)
            self._ledger.run(files.archive_file, claimed.id, self._run, path)
        return path

    async def leave(self, claimed: ClaimedFile) -> None:
        """Leave a file in the work folder, for the next try or run."""
        self._ledger.run(files.leave_open, claimed.id, self._run)

    async def _take(self, file: FileToRead, seen: SeenFile) -> RemoteFile | None:
        if file.source == "work":
            return await self._dropbox.look_at(file.remote.path)
        return await self._dropbox.claim(file.remote, _token(seen))

    async def _from_archive(self, known: FileClaim, file: FileToRead) -> ClaimedFile | None:
        remote = await self._dropbox.look_at(known.path)
        return None if remote is None else ClaimedFile(known.id, file.name, remote, archived=True)

    async def _left_behind(self) -> list[FileToRead]:
        """Return files of the work folder that no living run holds."""
        lying = await self._dropbox.claimed_files()
        at_work = self._ledger.run(files.paths_at_work, self._place)
        left = {claim.path for claim in self._ledger.run(files.open_claims, self._place)}
        # What the ledger has never heard of lies there too after a ledger was lost or changed.
        free = [file for file in lying.values() if file.path in left or file.path not in at_work]
        found = [FileToRead(source="work", name=original_name(file.name), remote=file) for file in free]
        return sorted(found, key=lambda file: (file.remote.modified, file.name))

    def _seen(self, file: FileToRead) -> SeenFile:
        return SeenFile(self._place, file.name, file.remote.size, file.remote.modified)

    def _archived_id(self, file: FileToRead) -> str:
        known = self._ledger.run(files.find_file, self._seen(file))
        return known.id if known is not None else _token(self._seen(file))


async def taken(intake: Intake, file: FileToRead, *, dry_run: bool) -> ClaimedFile | None:
    """Claim a file, see :meth:`Intake.claim`; a dry run reads it where it lies."""
    if dry_run:
        token = hashlib.sha256(file.remote.path.encode()).hexdigest()[:16]
        return ClaimedFile(f"plan-{token}", file.name, file.remote, archived=True, positions=file.positions)
    return await intake.claim(file)


def grouped(found: Sequence[FileToRead], *, batches: int) -> list[FileGroup]:
    """Spread files over at most 32 tasks, in order.

    :param batches: how many batches all of them together may make.
    """
    if not found:
        return []
    size = -(-len(found) // MOST_GROUPS)
    share = max(2, batches // len(found))
    return [
        FileGroup(files=tuple(found[start : start + size]), share=share)
        for start in range(0, len(found), size)
    ]


def place_of(connection: str, folder: str) -> str:
    """Return the text by which the ledger tells folders apart."""
    return f"{connection}:{posixpath.normpath(folder)}"


def _no_longer_there(name: str, documents: int) -> Problem:
    return Problem(
        rule="file.gone",
        message=f"{documents} refused documents cannot be read again: the file is no longer in the archive",
        remedy="have the sender send it again",
        file=name,
    )


def _token(seen: SeenFile) -> str:
    """Return what marks the file in the work folder: the same for every try to claim it."""
    text = "\0".join((seen.folder, seen.name, str(seen.size), seen.landed_at.isoformat()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
