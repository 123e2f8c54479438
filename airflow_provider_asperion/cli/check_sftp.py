"""Checks the SFTP side: server, host key, login, and every right that the flow needs in the drop folder."""

from __future__ import annotations

import posixpath
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.cli.connections import connection_of
from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.dropbox import Dropbox
from airflow_provider_asperion.sap.faults import told_as_problems

if TYPE_CHECKING:
    import asyncssh

    from airflow_provider_asperion.cli.findings import Report
    from airflow_provider_asperion.sap.dropbox import DropFolder

FOLDER = "sftp folder"


async def check_sftp(report: Report, connection_id: str, folder: DropFolder) -> None:
    """Try a connection and a drop folder; leaves nothing behind but the folders that the flow needs."""
    connection = await connection_of(report, connection_id, "sap_sftp")
    if connection is None:
        return
    with report.trying("sftp login"):
        async with SapSftpHook(connection_id).get_managed_conn() as client:
            server = f"{connection.host}:{connection.port or 22}"
            report.ok("sftp login", f"{server} lets user {connection.login} in")
            _tell_host_key(report, connection)
            with report.trying(FOLDER):
                await _check_folder(report, client, folder)


async def check_drop_folder(report: Report, connection_id: str, folder: DropFolder) -> None:
    """Try one more drop folder of a server that can be reached."""
    with report.trying(FOLDER):
        async with SapSftpHook(connection_id).get_managed_conn() as client:
            await _check_folder(report, client, folder)


def _tell_host_key(report: Report, connection: Any) -> None:
    if str(connection.extra_dejson.get("no_host_key_check", "")).lower() == "true":
        remedy = "fill in the field host_key of the connection, and switch no_host_key_check off"
        report.warn("sftp host key", "it is not checked: anybody in between can read the orders", remedy)
    else:
        report.ok("sftp host key", "is the one that is trusted")


async def _check_folder(report: Report, client: asyncssh.SFTPClient, folder: DropFolder) -> None:
    found, refused = await Dropbox(client, folder.model_copy(update={"stable_looks": 1})).complete_files()
    report.ok(FOLDER, f"{folder.inbox} can be listed; complete files: {len(found)}")
    for problem in refused:
        report.warn("sftp file name", problem.message, problem.remedy)
    probe = posixpath.join(folder.inbox, _probe_name())
    name = posixpath.basename(probe)
    try:
        probe = await _write(client, probe)
        report.ok("sftp rights", f"files can be written and renamed in {folder.inbox}")
        for place in (folder.work_path, folder.archive_path, folder.error_path):
            probe = await _move(client, probe, posixpath.join(place, name))
        report.ok("sftp work folders", "files can be moved to the work, archive and error folders")
        await removed(client, probe)
        report.ok("sftp removal", "files can be deleted")
    except BaseException:
        with suppress(Exception):
            await client.remove(probe)
        raise


def _probe_name() -> str:
    """Return a name that begins with a dot: no reader ever picks it up, nor does SAP's."""
    return f".asperion-check-{secrets.token_hex(4)}"


async def written(client: asyncssh.SFTPClient, folder: str) -> str:
    """Write a probe into a folder, which is made when it is missing; return its path.

    :raises ProblemError: the server refuses it.
    """
    with told_as_problems(folder):
        await client.makedirs(folder, exist_ok=True)
    return await _write(client, posixpath.join(folder, _probe_name()))


async def _write(client: asyncssh.SFTPClient, path: str) -> str:
    """Write a probe under a temporary name and give it its name, as publishing does."""
    temporary = f"{path}.tmp"
    with told_as_problems(path):
        async with client.open(temporary, "wb") as remote:
            await remote.write(b"written by `asperion check`\n")
        try:
            await client.rename(temporary, path)
        except BaseException:
            with suppress(Exception):
                await client.remove(temporary)
            raise
    return path


async def _move(client: asyncssh.SFTPClient, source: str, target: str) -> str:
    with told_as_problems(posixpath.dirname(target)):
        await client.makedirs(posixpath.dirname(target), exist_ok=True)
    try:
        with told_as_problems(target):
            await client.rename(source, target)
    except ProblemError as error:
        if error.problem.rule != "sftp.refused":
            raise
        # The answer of OpenSSH to a rename across file systems is no more than "failure".
        raise ProblemError(
            Problem(
                rule="sftp.rename",
                message=f"files cannot be moved to {posixpath.dirname(target)}",
                remedy="inbox, work, archive and error folder must be on one file system of the server",
                field="folder",
            )
        ) from error
    return target


async def removed(client: asyncssh.SFTPClient, path: str) -> None:
    """Delete a probe.

    :raises ProblemError: the server refuses it.
    """
    with told_as_problems(path):
        await client.remove(path)
