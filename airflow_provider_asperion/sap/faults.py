"""What an SFTP server answers, as problems: what is wrong, with which path, and what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncssh

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def told_as_problems(path: str) -> Iterator[None]:
    """Turn the faults of SFTP calls into problems that name the path.

    ``FileNotFoundError`` passes as it is: the caller knows what a missing file means.

    :raises ProblemError: transient when trying again later can help.
    :raises FileNotFoundError: the path does not exist.
    """
    try:
        yield
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
        raise FileNotFoundError(path) from error
    except asyncssh.SFTPError as error:
        raise ProblemError(_of_answer(error, path)) from error
    except (asyncssh.Error, OSError, EOFError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ProblemError(_connection_lost(path, error)) from error


def folder_missing(path: str, existing: str) -> Problem:
    """Say that a folder is not there, and how far its path exists."""
    return Problem(
        rule="sftp.folder",
        message=f"the folder {path} does not exist on the server; {existing} does",
        remedy="correct folder.inbox in the settings, or have the folder made",
        field="folder.inbox",
    )


def stalled(path: str, seconds: float) -> Problem:
    """Say that the server is silent."""
    return Problem(
        rule="sftp.stalled",
        message=f"nothing came from the server for {seconds:g} seconds while working at {path}",
        remedy="nothing to do when it passes; else see network and server",
        transient=True,
    )


def _of_answer(error: asyncssh.SFTPError, path: str) -> Problem:
    if isinstance(error, asyncssh.SFTPPermissionDenied | asyncssh.SFTPWriteProtect):
        return Problem(
            rule="sftp.permission",
            message=f"the server does not allow this at {path}",
            remedy="give the user of the connection the right to read, write and rename there",
        )
    if isinstance(error, asyncssh.SFTPNoSpaceOnFilesystem | asyncssh.SFTPQuotaExceeded):
        return Problem(
            rule="sftp.full",
            message=f"the server has no space left for {path}",
            remedy="make room on the server; the next run goes on",
            transient=True,
        )
    if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
        return _connection_lost(path, error)
    return Problem(
        rule="sftp.refused",
        message=f"the server refused an operation at {path}: {type(error).__name__}",
        remedy="see the server's log; the next run tries again",
        transient=True,
    )


def _connection_lost(path: str, error: BaseException) -> Problem:
    return Problem(
        rule="sftp.connection_lost",
        message=f"the connection broke while working at {path}: {type(error).__name__}",
        remedy="nothing to do when it passes; else see network and server",
        transient=True,
    )
