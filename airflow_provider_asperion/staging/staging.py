"""Batches of records between two tasks: written whole or not at all, and read only when whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem, ProblemError, Record
from airflow_provider_asperion.staging.frames import BrokenBatchError, Cipher, frames, records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_BLOCK = 1 << 20


def folder_of(run: str) -> str:
    """Return the name of the folder in which a run stages its batches."""
    return hashlib.sha256(run.encode()).hexdigest()[:24]


class BatchRef(Record):
    """Where a batch lies and what it must look like. Small, and free of personal data: it travels as an XCom.

    :param uri: path of the batch as its store writes it.
    :param sha256: of the stored (encrypted) bytes, hexadecimal.
    :param count: records.
    :param bytes: stored bytes.
    """

    uri: str
    sha256: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Swept:
    """How many batches were thrown away, and how many are left."""

    gone: int
    left: int


class Staging:
    """A folder of batches.

    :param root: ``pathlib.Path``, Airflow's ``ObjectStoragePath`` or any other path of universal_pathlib.
    :param cipher: a Fernet, or a MultiFernet while keys are changed.
    """

    def __init__(self, root: Any, cipher: Cipher) -> None:
        self._root = root
        self._cipher = cipher

    def write(self, name: str, records: Iterable[bytes]) -> BatchRef:
        """Write a batch in bounded memory; it takes the place of one that has the name already.

        :param name: relative, parts separated by ``/``, such as ``run/file/0003``: a function of what is
            written, so that a task that runs again overwrites its own.
        :param records: each one line of JSON, without its line end.
        :raises ValueError: the name leaves the folder, or a record holds a line end.
        """
        target = self._path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A disk shows a file while it is being written, so there it gets its name last. An object store shows
        # an object when it is complete.
        place = _on_disk(target)
        path = target if place is None else place.with_name(f".{place.name}.{secrets.token_hex(8)}")
        try:
            reference = self._write(path, str(target), records)
            if place is not None:
                path.replace(place)
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return reference

    def read(self, reference: BatchRef) -> Iterator[bytes]:
        """Yield the records of a batch, after its bytes have proved to be those that were written.

        :raises ProblemError: it is gone, cut off or changed, or the key is another one.
        """
        path = self._path(self._name(reference.uri))
        try:
            if self._sha256(path) != reference.sha256:
                raise BrokenBatchError("its content is not what was written")
            with path.open("rb") as stream:
                yield from records_of(stream, self._cipher)
        except FileNotFoundError:
            raise ProblemError(_unusable(reference, "it is gone")) from None
        except BrokenBatchError as error:
            raise ProblemError(_unusable(reference, str(error))) from error

    def discard(self, what: Iterable[BatchRef] | str) -> None:
        """Throw batches away: those referred to, or all under a folder of this staging (``run``).

        What is gone already does no harm.
        """
        if not isinstance(what, str):
            for reference in what:
                self._path(self._name(reference.uri)).unlink(missing_ok=True)
            return
        folder = self._path(what)
        if folder.exists():
            self._empty(folder)

    def sweep(self, goes: Callable[[tuple[str, ...], dt.datetime], bool], *, dry_run: bool = False) -> Swept:
        """Throw away what was left behind, with the folders that are empty then.

        :param goes: whether a batch goes, by the parts of its name and the moment at which it was written.
        :param dry_run: only count.
        """
        if not self._root.exists():
            return Swept(0, 0)
        gone = left = 0
        for path, parts in list(_files_of(self._root)):
            if not goes(parts, _written_at(path)):
                left += 1
                continue
            gone += 1
            if not dry_run:
                path.unlink(missing_ok=True)
        if gone and not dry_run:
            root = _on_disk(self._root)
            for folder in () if root is None else [path for path in root.iterdir() if path.is_dir()]:
                _remove_empty(folder)
        return Swept(gone, left)

    def _write(self, path: Any, uri: str, records: Iterable[bytes]) -> BatchRef:
        digest = hashlib.sha256()
        count = size = 0

        def counted() -> Iterator[bytes]:
            nonlocal count
            for count, record in enumerate(records, start=1):  # noqa: B007 - the count is what is wanted
                yield record

        with path.open("wb") as stream:
            for part in frames(counted(), self._cipher):
                digest.update(part)
                size += len(part)
                stream.write(part)
        return BatchRef(uri=uri, sha256=digest.hexdigest(), count=count, bytes=size)

    def _path(self, name: str) -> Any:
        parts = name.split("/")
        if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
            raise ValueError("the name of a batch is relative and stays in its folder")
        return self._root.joinpath(*parts)

    def _name(self, uri: str) -> str:
        root = str(self._root).rstrip("/") + "/"
        if not uri.startswith(root):
            raise ValueError("the batch lies in another staging folder than this one")
        return uri.removeprefix(root)

    def _sha256(self, path: Any) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def _empty(self, folder: Any) -> None:
        for path in list(folder.iterdir()):
            if path.is_dir():
                self._empty(path)
            else:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # object stores have no folders to remove
            folder.rmdir()


def _on_disk(path: Any) -> Path | None:
    """Return a path of this machine's file system as such, None when it lies in an object store."""
    # Asked first: in older versions of universal_pathlib its paths are pathlib's as well, wherever they lie.
    protocol = getattr(path, "protocol", None)
    if protocol is None:
        return Path(path)
    return Path(path.path) if protocol in ("", "file", "local") else None


def _files_of(folder: Any, parts: tuple[str, ...] = ()) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for path in list(folder.iterdir()):
        inner = (*parts, path.name)
        if path.is_dir():
            yield from _files_of(path, inner)
        else:
            yield path, inner


def _written_at(path: Any) -> dt.datetime:
    """Return when a batch was written; now, where it has gone meanwhile or its store does not tell."""
    now = dt.datetime.now(dt.UTC)
    try:
        found = path.stat()
    except FileNotFoundError:
        return now
    # Stores tell it under names of their own; Airflow's paths know two of them, and say 0 for all others.
    told = found if isinstance(found, dict) else {}
    values = (found.st_mtime, *(told.get(name) for name in ("last_modified", "updated", "created")))
    moment = next((value for value in values if value), now)
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    if not isinstance(moment, dt.datetime):
        return dt.datetime.fromtimestamp(moment, dt.UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _remove_empty(folder: Path) -> None:
    """Remove a folder with those in it, as far as they are empty; never one in which something lies."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.is_dir():
                _remove_empty(path)
        folder.rmdir()


def _unusable(reference: BatchRef, reason: str) -> Problem:
    return Problem(
        rule="staging.broken",
        message=f"the batch {reference.uri.rpartition('/')[2]} cannot be read: {reason}",
        remedy="run the flow again from the file: clear the task that read it",
    )
