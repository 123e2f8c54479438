"""Settings of a drop folder, and what is known of a file in it."""

from __future__ import annotations

import datetime as dt
import posixpath
from typing import Literal

from pydantic import Field, field_validator

from airflow_provider_asperion.records import Record


class RemoteFile(Record):
    """A file on the server, as it was when somebody looked.

    :param modified: its modification time, aware; whole seconds, as SFTP version 3 tells it.
    """

    folder: str
    name: str
    size: int
    modified: dt.datetime

    @property
    def path(self) -> str:
        """Its path on the server."""
        return posixpath.join(self.folder, self.name)


class PublishedFile(Record):
    """A file that was written for SAP."""

    path: str
    size: int
    sha256: str


class DropFolder(Record):
    """A folder in which SAP drops files, and where they go.

    ``work``, ``archive`` and ``error`` are below the inbox unless they begin with ``/``. They must be on the
    same file system: a rename is atomic only there.
    """

    inbox: str = Field(min_length=1, description="Folder in which SAP drops files.")
    pattern: str = Field("*", description="Names that count, with * and ?.")
    work: str = Field("work", description="Where claimed files wait.")
    archive: str = Field("archive", description="Where files go that are done, in a folder per day.")
    error: str = Field("error", description="Where files go that cannot be read, with a .err beside them.")
    ignored_suffixes: tuple[str, ...] = Field(
        (".tmp", ".temp", ".part", ".filepart", ".done", ".ok", ".err", ".lock"),
        description="Names that are never read; nor are those that begin with a dot.",
    )
    done_file: str | None = Field(
        None, description="Name of the marker that says a file is complete, e.g. {name}.done; null: none."
    )
    stable_looks: int = Field(2, ge=1, description="Without marker: looks between which nothing changes.")
    look_interval_seconds: float = Field(2, ge=0, description="Time between two looks.")
    minimum_age_seconds: float = Field(5, ge=0, description="Without marker: age by the server's clock.")
    zero_bytes: Literal["reject", "skip"] = Field(
        "reject", description="An empty file goes to the error folder, or is left where it is."
    )
    maximum_bytes: int | None = Field(
        None, ge=1, description="A larger file is left where it is and reported; null: any size."
    )
    order: Literal["oldest", "name"] = Field("oldest", description="Which files come first.")
    maximum_files: int = Field(1000, ge=1, description="Files per run; the next run goes on.")
    stall_seconds: float = Field(60, gt=0, description="A server silent for this long is given up.")
    check_written: Literal["content", "size"] = Field(
        "content", description="Before a written file appears: read it back whole, or look at its size."
    )

    @field_validator("done_file")
    @classmethod
    def _names_the_file(cls, template: str | None) -> str | None:
        if template is not None and "{name}" not in template:
            raise ValueError("the marker's name must contain {name}")
        return template

    @field_validator("ignored_suffixes")
    @classmethod
    def _lower(cls, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(suffix.lower() for suffix in suffixes)

    @property
    def work_path(self) -> str:
        """Path of the work folder."""
        return posixpath.join(self.inbox, self.work)

    @property
    def archive_path(self) -> str:
        """Path of the archive."""
        return posixpath.join(self.inbox, self.archive)

    @property
    def error_path(self) -> str:
        """Path of the error folder."""
        return posixpath.join(self.inbox, self.error)

    def done_name(self, name: str) -> str:
        """Return the name of a file's marker."""
        return (self.done_file or "{name}").replace("{name}", name)
