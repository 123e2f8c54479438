"""SapFileSensor: waits until SAP has dropped a file and finished writing it."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseSensorOperator, PokeReturnValue

from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.triggers.sap_files import SapFileTrigger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class SapFileSensor(BaseSensorOperator):
    """Waits until a drop folder holds complete files, and returns them: folder, name, size, modified.

    A file is complete by the rule of the folder's settings, see :class:`.DropFolder`. The sensor leaves it
    where it is: whoever uses it moves it away, or the next run finds it again.

    :param folder: the settings of the folder; its path is enough.
    :param sap_sftp_conn_id: connection of type ``sap_sftp``.
    :param pattern: names that count; None: as the folder says.
    :param deferrable: wait in the triggerer, without a worker; ``[operators] default_deferrable`` unless
        given. All waiting sensors of a connection share one poll of the server, each ``poke_interval``.
    """

    template_fields: Sequence[str] = ("folder", "sap_sftp_conn_id", "pattern")
    ui_color = "#e3f0ec"

    def __init__(
        self,
        *,
        folder: DropFolder | dict[str, Any] | str,
        sap_sftp_conn_id: str = "sap_sftp_default",
        pattern: str | None = None,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(folder, DropFolder):
            folder = folder.model_dump(mode="json", exclude_defaults=True)
        self.folder = folder
        self.sap_sftp_conn_id = sap_sftp_conn_id
        self.pattern = pattern
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:
        """Return the complete files; wait for them here, or in the triggerer."""
        if not self.deferrable:
            return super().execute(context)
        self.defer(
            trigger=SapFileTrigger(
                folder=self.folder,
                sap_sftp_conn_id=self.sap_sftp_conn_id,
                pattern=self.pattern,
                poll_seconds=self.poke_interval,
                once=True,
            ),
            method_name="execute_complete",
            timeout=dt.timedelta(seconds=self.timeout),
        )
        raise AssertionError("deferring ends the task's work here")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the files that the trigger has seen.

        :raises AirflowFailException: the folder cannot be seen until somebody acts.
        """
        if event["problem"] is not None:
            raise AirflowFailException(str(Problem(**event["problem"])))
        return self._told(event["files"])

    def poke(self, context: Context) -> PokeReturnValue:
        """Look whether there are complete files; a look takes as long as the rule asks for."""
        try:
            files = asyncio.run(self._complete())
        except ProblemError as error:
            if not error.transient:
                raise AirflowFailException(str(error.problem)) from None
            self.log.warning("%s", error.problem)
            files = []
        return PokeReturnValue(bool(files), self._told(files) if files else None)

    async def _complete(self) -> list[dict[str, Any]]:
        from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook

        given = {"inbox": self.folder} if isinstance(self.folder, str) else self.folder
        async with SapSftpHook(self.sap_sftp_conn_id).dropbox(DropFolder.model_validate(given)) as dropbox:
            files, problems = await dropbox.complete_files(self.pattern)
        for problem in problems:
            self.log.warning("%s", problem)
        return [file.model_dump(mode="json") for file in files]

    def _told(self, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for file in files:
            self.log.info("file %s, %s bytes", file["name"], file["size"])
        return files
