"""Who this process is, and whether another one of this machine is gone: how a SIGKILL is noticed at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple


class ProcessIdentity(NamedTuple):
    """A process, told from every other of all time.

    :param host: host name, boot id and PID namespace; empty where the system does not tell (not Linux), and
        then only the lease counts. The namespace is part of it because two containers that share a host name
        do not see each other's processes: to one, every process of the other would look gone.
    :param pid: number of the process in that namespace.
    :param start: start time in clock ticks since boot (field 22 of ``/proc/PID/stat``): numbers are reused.
    """

    host: str
    pid: int
    start: str


def this_process() -> ProcessIdentity:
    """Return the identity of the calling process."""
    pid = os.getpid()
    state = _state_and_start(pid)
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path: "pid:[4026531836]"
    except OSError:
        state = None
    if state is None:
        return ProcessIdentity("", pid, "")
    return ProcessIdentity(f"{socket.gethostname()} {boot} {namespace}", pid, state[1])


def is_gone(process: ProcessIdentity, observer: ProcessIdentity) -> bool:
    """Return True only when ``observer`` can be sure that ``process`` has ended.

    Doubt (another host, a process whose state may not be read) counts as alive: the lease decides then.
    """
    if not process.host or process.host != observer.host:
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it exists and belongs to another user
    seen = _state_and_start(process.pid)
    if seen is None:
        return False
    state, start = seen
    return start != process.start or state in "ZX"  # Z: killed, its parent has not looked yet


def _state_and_start(pid: int) -> tuple[str, str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The name of the program stands in brackets and may itself hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]
