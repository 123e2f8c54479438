"""The rule by which a file in the drop folder is complete, applied look by look."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_asperion.sap.drop_folder import DropFolder, RemoteFile


class Completeness:
    """Remembers the looks at one folder, and tells which files nobody writes any more.

    With a done-file: those that have one. Without: those whose size and time stayed the same over several
    looks, and that have reached a minimum age.

    :param folder: the settings of the folder. The looks are to be ``look_interval_seconds`` apart.
    :param clock: tells the moment, aware.
    """

    def __init__(
        self, folder: DropFolder, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: dict[str, tuple[RemoteFile, int]] = {}  # how often a file was seen as it is now

    @property
    def looks(self) -> int:
        """How many looks a decision takes."""
        return 1 if self._folder.done_file is not None else self._folder.stable_looks

    @property
    def waiting(self) -> bool:
        """Whether another look can tell more."""
        return bool(self._seen)

    def take(self, seen: Mapping[str, RemoteFile]) -> list[RemoteFile]:
        """Take what a look has found, by name; return the complete files, in the order of the settings."""
        self._seen = {name: (file, self._times(name, file) + 1) for name, file in seen.items()}
        found = [file for file, times in self._seen.values() if times >= self.looks]
        if self._folder.done_file is None:
            found = [file for file in found if self._old_enough(file)]
        if self._folder.order == "name":
            return sorted(found, key=lambda file: file.name)
        return sorted(found, key=lambda file: (file.modified, file.name))

    def _times(self, name: str, file: RemoteFile) -> int:
        before, times = self._seen.get(name, (None, 0))
        return times if before == file else 0

    def _old_enough(self, file: RemoteFile) -> bool:
        age = (self._clock() - file.modified).total_seconds()
        # A file from the future says that the server's clock is ahead: then only the looks count.
        return age >= self._folder.minimum_age_seconds or age < 0
