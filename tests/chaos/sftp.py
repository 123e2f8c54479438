"""SAP's SFTP server, with moods: it refuses, fills up, and SAP fetches a file the moment it appears."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from tests.support.scripted_sftp import PasswordLogin, public

OUT = "out"
asyncssh.set_log_level("WARNING")


@dataclass
class Mood:
    """How the server behaves, and what it has seen.

    :param refuse_rename: so many renames are refused.
    :param full_after: bytes after which writing fails, once; None: never.
    :param greedy: SAP fetches each file of the folder ``out`` at once, and removes it.
    :param appeared: name and content of every file that became visible in ``out``, in that order.
    :param in_the_open: names that were opened for writing in ``out`` under which SAP could see them.
    """

    refuse_rename: int = 0
    full_after: int | None = None
    greedy: bool = False
    fired: dict[str, int] = field(default_factory=dict)
    appeared: list[tuple[str, bytes]] = field(default_factory=list)
    in_the_open: list[str] = field(default_factory=list)
    written: int = 0

    def fire(self, name: str) -> None:
        """Count that something went wrong on order."""
        self.fired[name] = self.fired.get(name, 0) + 1


class SapServer:
    """The server; ``mood`` may be replaced while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mood = Mood()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        """Listen on a free loopback port."""
        outer = self

        class Tree(_Tree):
            server = outer

        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=PasswordLogin,
            server_host_keys=[self.key],
            sftp_factory=lambda channel: Tree(channel, chroot=os.fsencode(self.folder)),
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Stop listening."""
        if self._acceptor is not None:
            self._acceptor.close()

    @property
    def host_key(self) -> str:
        """The public key, as a connection's field ``host_key`` takes it."""
        return public(self.key)


class _Tree(asyncssh.SFTPServer):
    server: SapServer

    def _visible(self, path: bytes) -> str | None:
        """Return the name of a file in ``out`` that SAP sees, None for all other paths."""
        folder, _, name = path.strip(b"/").decode().rpartition("/")
        return name if folder == OUT and not name.startswith(".") else None

    def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
        name = self._visible(path)
        if name is not None and pflags & asyncssh.FXF_WRITE:
            self.server.mood.in_the_open.append(name)
        return super().open(path, pflags, attrs)

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        mood = self.server.mood
        mood.written += len(data)
        if mood.full_after is not None and mood.written > mood.full_after:
            mood.full_after = None
            mood.fire("full")
            file_obj.seek(offset)
            file_obj.write(data[: len(data) // 2])
            raise asyncssh.SFTPNoSpaceOnFilesystem("no space left")
        return super().write(file_obj, offset, data)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._maybe_refuse()
        # As servers of OpenSSH: never over a file that is there.
        if Path(os.fsdecode(self.map_path(newpath))).exists():
            raise asyncssh.SFTPFailure("the file is there")
        super().rename(oldpath, newpath)
        self._appear(newpath)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._maybe_refuse()
        super().posix_rename(oldpath, newpath)
        self._appear(newpath)

    def _maybe_refuse(self) -> None:
        mood = self.server.mood
        if mood.refuse_rename > 0:
            mood.refuse_rename -= 1
            mood.fire("refuse_rename")
            raise asyncssh.SFTPFailure("not now")

    def _appear(self, path: bytes) -> None:
        name, mood = self._visible(path), self.server.mood
        if name is None:
            return
        real = Path(os.fsdecode(self.map_path(path)))
        mood.appeared.append((name, real.read_bytes()))
        if mood.greedy:
            mood.fire("greedy")
            real.unlink()
