"""Looks at drop folders for as long as somebody watches them: one connection, one look for all watchers."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.completeness import Completeness
from airflow_provider_asperion.sap.dropbox import Dropbox

if TYPE_CHECKING:
    from airflow_provider_asperion.sap.drop_folder import DropFolder, RemoteFile

Connect = Callable[[], AbstractAsyncContextManager[Any]]

# Seconds before the next try, doubling from the first to the last.
USUAL_WAIT = (1.0, 60.0)
# A refused login stays refused until a person acts, and servers lock out who insists.
REFUSED_WAIT = (300.0, 3600.0)
REFUSED = ("sftp.login_refused", "sftp.host_key", "sftp.algorithms", "sftp.no_sftp")
LEAST_PAUSE = 0.2
# Faults of the connection as a whole; any other one is about its folder alone.
LOST = ("sftp.connection_lost", "sftp.stalled")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a folder found.

    :param files: the complete ones, in the order of the settings.
    :param problems: files that are refused and left where they are.
    :param fault: why the folder could not be seen; then there are no files.
    :param again_seconds: after a fault, when the next look follows.
    """

    folder: DropFolder
    files: tuple[RemoteFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    fault: Problem | None = None
    again_seconds: float = 0


class Watched:
    """The folders that are watched over one connection; they may come and go while it is open."""

    def __init__(self) -> None:
        self._watchers: dict[object, tuple[DropFolder, float]] = {}
        self._changed = asyncio.Event()

    def add(self, watcher: object, folder: DropFolder, seconds: float) -> None:
        """Watch a folder.

        :param watcher: who does; it watches one folder.
        :param seconds: between two looks; never less than the folder's rule asks for.
        """
        if folder.done_file is None:
            seconds = max(seconds, folder.look_interval_seconds)
        self._watchers[watcher] = (folder, max(seconds, LEAST_PAUSE))
        self._changed.set()

    def remove(self, watcher: object) -> None:
        """Watch it no longer; nothing to do when it never was."""
        self._watchers.pop(watcher, None)

    def intervals(self) -> dict[DropFolder, float]:
        """Return the seconds between two looks, by folder: the least that a watcher asks for."""
        found: dict[DropFolder, float] = {}
        for folder, seconds in self._watchers.values():
            found[folder] = min(seconds, found.get(folder, seconds))
        return found

    async def pause(self, seconds: float | None) -> None:
        """Wait; not when somebody begins to watch."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    def __bool__(self) -> bool:
        return bool(self._watchers)


@dataclass(slots=True)
class Patience:
    """How long to wait after a fault, and after another one.

    :param chance: draws from [0, 1): watchers of several triggerers do not come back all at once.
    """

    chance: Callable[[], float]
    _refused: bool = False
    _wait: float = 0

    def after(self, fault: Problem) -> float:
        """Return the seconds to wait."""
        refused = fault.rule in REFUSED
        first, longest = REFUSED_WAIT if refused else USUAL_WAIT
        doubled = 2 * self._wait if self._refused == refused else 0
        self._refused, self._wait = refused, min(max(first, doubled), longest)
        return self._wait * (1 - self.chance() / 4)

    def restore(self) -> None:
        """Take note that all is well."""
        self._wait = 0


@dataclass(slots=True)
class _Post:
    """What is remembered of a folder from look to look."""

    kept: Completeness
    patience: Patience
    due: float = 0


@dataclass(slots=True)
class Lookout:
    """Yields looks, for ever; whatever goes wrong is a look too, with its fault.

    :param watched: the folders to look at.
    :param connect: opens an ``asyncssh.SFTPClient``; it is kept open as long as it works.
    :param now: tells the moment, aware.
    :param clock: tells seconds.
    :param chance: see :class:`Patience`.
    """

    watched: Watched
    connect: Connect
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _posts: dict[DropFolder, _Post] = field(default_factory=dict)

    async def looks(self) -> AsyncGenerator[Look]:
        """Yield what is seen of each folder, again and again."""
        patience = Patience(self.chance)
        while True:
            try:
                async with self.connect() as client:
                    async for look in self._over(client):
                        if look.fault is None:
                            patience.restore()
                        yield look
            except ProblemError as error:
                fault = error.problems[0]
            except Exception as error:
                # A watcher that ends is started again at once, for ever: whatever it is, it waits.
                fault = _unforeseen(error)
            else:
                raise AssertionError("looking ends by a fault only")
            wait = patience.after(fault)
            again = self.clock() + wait
            while (left := again - self.clock()) > 0:
                # Who begins to watch meanwhile is told too; it costs no further try.
                for folder in self.watched.intervals():
                    yield Look(folder, fault=fault, again_seconds=left)
                await self.watched.pause(left)

    async def _over(self, client: Any) -> AsyncIterator[Look]:
        """Yield looks over one connection, until it is lost.

        :raises ProblemError: it is lost.
        """
        while True:
            intervals = self.watched.intervals()
            self._posts = {folder: self._posts.get(folder) or self._new(folder) for folder in intervals}
            for folder, post in self._posts.items():
                if post.due <= self.clock():
                    look = await self._look(client, folder, post)
                    post.due = self.clock() + (look.again_seconds if look.fault else intervals[folder])
                    yield look
            ends = [post.due for post in self._posts.values()]
            await self.watched.pause(max(0.0, min(ends) - self.clock()) if ends else None)

    async def _look(self, client: Any, folder: DropFolder, post: _Post) -> Look:
        try:
            files, problems = await Dropbox(client, folder, clock=self.now).look(post.kept)
        except ProblemError as error:
            fault = error.problems[0]
            if fault.rule in LOST:
                raise
            return Look(folder, fault=fault, again_seconds=post.patience.after(fault))
        post.patience.restore()
        return Look(folder, tuple(files), tuple(problems))

    def _new(self, folder: DropFolder) -> _Post:
        return _Post(Completeness(folder, self.now), Patience(self.chance))


def _unforeseen(error: Exception) -> Problem:
    return Problem(
        rule="sftp.watch",
        message=f"watching the drop folders failed: {type(error).__name__}",
        remedy="nothing to do when it passes; else report it with the log of the triggerer",
        transient=True,
    )
