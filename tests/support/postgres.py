"""A PostgreSQL of one's own for tests: an empty cluster in a temporary folder, reached by a socket only."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian keeps the server's programs out of PATH.
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else []
    for folder in candidates + _DEBIAN[::-1]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def reason_to_skip() -> str | None:
    """Say why no server can be started here, None when one can."""
    if programs() is None:
        return "PostgreSQL is not installed (Debian: postgresql)"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres or nobody"
    return None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server; yield the URL of its database without the name: append ``postgres`` or one you made."""
    binaries = programs()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = _other_user() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=60"
    try:
        _run(user, folder, binaries / "initdb", "-D", data, "-A", "trust", "-U", "ledger", "-E", "UTF8")
        _run(
            user, folder, binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"
        )
        try:
            yield f"postgresql+psycopg://ledger@/{{database}}?host={folder}"
        finally:
            _run(user, folder, binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _run(user: pwd.struct_passwd | None, folder: Path, *command: object) -> None:
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        # pg_ctl leaves the server behind with these open: a pipe would never end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
        **identity,
    )
    if done.returncode:
        log = folder / "log"
        text = log.read_text() if log.exists() else ""
        raise RuntimeError(f"{Path(str(command[0])).name} ended with {done.returncode}\n{text[-2000:]}")
