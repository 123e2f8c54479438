"""Which complete files are told of, and when again: each once, and one that stays only after a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_asperion.sap.drop_folder import RemoteFile

LONGEST_SECONDS = 3600.0


class Announcer:
    """Remembers what was told.

    Whoever is told of a file moves it out of the inbox. One that stays could not be claimed: it is told again
    after a back-off that doubles, up to an hour, so that it is neither forgotten nor told without end. A file
    that changes is another file. The memory is lost with the process: then all that lies there is told anew.

    :param again_seconds: the first back-off.
    :param clock: tells seconds.
    """

    def __init__(self, again_seconds: float, clock: Callable[[], float]) -> None:
        self._again_seconds = again_seconds
        self._clock = clock
        self._told: dict[RemoteFile, tuple[float, float]] = {}  # when it may be told again; the wait after

    def due(self, files: Iterable[RemoteFile], limit: int) -> list[RemoteFile]:
        """Return the files to tell of now.

        :param files: all that are complete.
        :param limit: most files at once; the others follow with the next call.
        """
        now = self._clock()
        complete = list(files)
        due = [file for file in complete if self._told.get(file, (now, 0.0))[0] <= now][:limit]
        lying = set(complete)
        # What has gone is kept until its back-off is over: it may be on its way back, given up by a claim.
        self._told = {file: told for file, told in self._told.items() if file in lying or told[0] > now}
        for file in due:
            wait = self._told.get(file, (now, self._again_seconds))[1]
            self._told[file] = (now + wait, min(2 * wait, LONGEST_SECONDS))
        return due
