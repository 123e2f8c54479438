"""SapFileTrigger: fires when a file in a drop folder is complete; for sensors and for asset watchers."""

from __future__ import annotations

import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.sap.names import fits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Sequence

    from airflow_provider_asperion.records import Problem
    from airflow_provider_asperion.sap.announcing import Announcer
    from airflow_provider_asperion.sap.lookout import Look, Watched

POLL_SECONDS = 2.0
AGAIN_SECONDS = 60.0


class SapFileTrigger(BaseEventTrigger):
    """Watches a drop folder, and fires when files in it are complete.

    The rule is that of the folder's settings: a done-file, or size and time unchanged over several looks and
    a minimum age. All triggers of one connection share one SSH connection, and those of one folder its looks
    (Airflow 3.3; before, each has its own).

    The payload of an event: ``files``, each with ``folder``, ``name``, ``size`` and ``modified``, oldest
    first; or ``problem``, when somebody must act before the folder can be seen (host key, login, missing
    folder): ``rule``, ``message`` and ``remedy``. What may pass by itself is tried again and never fires.

    :param folder: the settings of the folder; its path is enough.
    :param sap_sftp_conn_id: connection of type ``sap_sftp``.
    :param pattern: names that count; None: as the folder says.
    :param poll_seconds: between two looks; the folder's ``look_interval_seconds`` if that is more.
    :param again_seconds: a file that is left in the inbox fires again after so long, then after twice as
        long, up to an hour.
    :param once: end with the first event, for a task that is deferred until then.
    """

    _watched: ClassVar[dict[Hashable, Watched]] = {}

    def __init__(
        self,
        *,
        folder: DropFolder | dict[str, Any] | str,
        sap_sftp_conn_id: str = "sap_sftp_default",
        pattern: str | None = None,
        poll_seconds: float = POLL_SECONDS,
        again_seconds: float = AGAIN_SECONDS,
        once: bool = False,
    ) -> None:
        super().__init__()
        self.folder = DropFolder.model_validate({"inbox": folder} if isinstance(folder, str) else folder)
        self.sap_sftp_conn_id = sap_sftp_conn_id
        self.pattern = pattern
        self.poll_seconds = poll_seconds
        self.again_seconds = again_seconds
        self.once = once

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes this trigger anew: no secret, and the same text for the same trigger."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "folder": self.folder.model_dump(mode="json", exclude_defaults=True),
                "sap_sftp_conn_id": self.sap_sftp_conn_id,
                "pattern": self.pattern,
                "poll_seconds": self.poll_seconds,
                "again_seconds": self.again_seconds,
                "once": self.once,
            },
        )

    # One poll for all watchers of a connection: Airflow 3.3 calls these three

    def shared_stream_key(self) -> Hashable:
        """Return what those triggers have in common that share a poll."""
        return _key(self.sap_sftp_conn_id)

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[Look]:
        """Yield the looks at all folders that are watched over a connection, for ever."""
        connection = kwargs["sap_sftp_conn_id"]
        async with aclosing(_looks(connection, cls._watched_over(connection))) as looks:
            async for look in looks:
                yield look

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Look]) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each look that finds files of this trigger."""
        # Before the first wait, so that the poll, which starts with it, knows what to look at.
        self._watch(self._watched_over(self.sap_sftp_conn_id))
        async for event in self._events(shared_stream):
            yield event

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch by itself: before Airflow 3.3 nothing is shared."""
        from airflow_provider_asperion.sap.lookout import Watched

        watched = Watched()
        self._watch(watched)
        async with aclosing(_looks(self.sap_sftp_conn_id, watched)) as looks:
            async for event in self._events(looks):
                yield event

    async def cleanup(self) -> None:
        """Watch no longer."""
        key = _key(self.sap_sftp_conn_id)
        watched = self._watched.get(key)
        if watched is not None:
            watched.remove(self)
            if not watched:
                del self._watched[key]

    @classmethod
    def _watched_over(cls, connection: str) -> Watched:
        from airflow_provider_asperion.sap.lookout import Watched

        return cls._watched.setdefault(_key(connection), Watched())

    def _watch(self, watched: Watched) -> None:
        watched.add(self, self._looked_at, self.poll_seconds)

    @property
    def _looked_at(self) -> DropFolder:
        """The folder without its pattern: watchers for several patterns share a look."""
        return self.folder.model_copy(update={"pattern": "*"})

    async def _events(self, looks: AsyncIterator[Look]) -> AsyncIterator[TriggerEvent]:
        from airflow_provider_asperion.sap.announcing import Announcer

        folder, news = self._looked_at, _News(self, Announcer(self.again_seconds, time.monotonic))
        async for look in looks:
            if look.folder == folder and (event := news.of(look)) is not None:
                yield event
                if self.once:
                    return


class _News:
    """What a look tells that the looks before did not tell; the rest of it is logged, once."""

    def __init__(self, trigger: SapFileTrigger, announcer: Announcer) -> None:
        self._trigger = trigger
        self._announcer = announcer
        self._fault: str | None = None  # rule of what keeps us from seeing the folder
        self._refused: tuple[Problem, ...] = ()

    def of(self, look: Look) -> TriggerEvent | None:
        if look.fault is not None:
            return self._of_fault(look, look.fault)
        log, folder = self._trigger.log, self._trigger.folder
        if self._fault is not None:
            log.info("drop folder %s can be seen again", folder.inbox)
            self._fault = None
        for problem in look.problems:
            if problem not in self._refused:
                log.warning("%s", problem)
        self._refused = look.problems
        pattern = self._trigger.pattern or folder.pattern
        fitting = [file for file in look.files if fits(file.name, pattern)]
        due = self._announcer.due(fitting, folder.maximum_files)
        return _event(files=[file.model_dump(mode="json") for file in due]) if due else None

    def _of_fault(self, look: Look, fault: Problem) -> TriggerEvent | None:
        if fault.rule == self._fault:
            return None
        self._fault = fault.rule
        log = self._trigger.log
        (log.warning if fault.transient else log.error)(
            "drop folder %s of connection %s cannot be seen, next try in %.0f seconds: %s",
            look.folder.inbox,
            self._trigger.sap_sftp_conn_id,
            look.again_seconds,
            fault,
        )
        # Somebody must act: the run that this starts fails with the reason, and tells it as runs do.
        return None if fault.transient else _event(problem=fault)


def _event(*, files: Sequence[dict[str, Any]] = (), problem: Problem | None = None) -> TriggerEvent:
    said = None if problem is None else problem.model_dump(include={"rule", "message", "remedy"})
    return TriggerEvent({"files": list(files), "problem": said})


def _key(connection: str) -> Hashable:
    return ("sap_sftp", connection)


async def _looks(connection: str, watched: Watched) -> AsyncGenerator[Look]:
    """Yield looks over one connection of Airflow's."""
    # Here, not above: a DAG file that builds a trigger must not pay for an SSH library.
    from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
    from airflow_provider_asperion.sap.lookout import Lookout

    @asynccontextmanager
    async def connect() -> AsyncIterator[Any]:
        # A new hook each time, so that a connection that was corrected counts.
        async with SapSftpHook(connection).client() as client:
            yield client

    async with aclosing(Lookout(watched, connect).looks()) as looks:
        async for look in looks:
            yield look
