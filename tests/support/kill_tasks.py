"""Kills the processes that work in a task of Airflow, as soon as the ledger knows of one.

A process of its own: it reads the ledger of a running Airflow a hundred times a second, and the process of
the tests has too many other things open for that.

Usage: ``kill_tasks.py LEDGER TASK SECONDS [worker]``; prints how many it killed, workers not counted.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path


def at_work(ledger: str, task: str) -> list[int]:
    """Return the processes with an open session of a task; none before the ledger is made."""
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(f"file:{ledger}?mode=rw", uri=True)) as db,
    ):
        found = db.execute(
            "select pid from asperion_sessions where closed_at is null and owner like ?", (f"%/{task}/%",)
        )
        return [pid for (pid,) in found]
    return []


def kill(pid: int, *, with_parent: bool) -> bool:
    """SIGKILL a process, and its parent too; False when it was gone already."""
    with suppress(OSError):
        parent = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        os.kill(pid, signal.SIGKILL)
        if with_parent:
            os.kill(parent, signal.SIGKILL)
        return True
    return False


def main(ledger: str, task: str, seconds: float, *, with_worker: bool) -> int:
    """Kill what is found first; return how many there were, 0 when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        killed = sum(kill(pid, with_parent=with_worker) for pid in at_work(ledger, task))
        if killed:
            return killed
        time.sleep(0.01)
    return 0


if __name__ == "__main__":
    print(main(*sys.argv[1:3], float(sys.argv[3]), with_worker="worker" in sys.argv[4:]))
