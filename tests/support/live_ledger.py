"""Asks the SQLite ledger of a running Airflow something, in a process of its own.

SQLite's locks are the process's: closing any descriptor of a file gives up all locks that it has on it.
The process of the system tests reads every file of Airflow byte by byte, and a connection that it still had
open meanwhile, even one that only waits for the garbage collector, would go on without locks: it reads shared
memory that others cut off ("database disk image is malformed", or a bus error). So that process never opens
the live ledger with SQLite; ``tests/unit/test_system_tests.py`` holds it to that.

Usage: ``live_ledger.py LEDGER``; reads ``[statement, parameters]`` as JSON, prints the rows as JSON.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

BUSY_SECONDS = 60
REPOSITORY = Path(__file__).resolve().parents[2]


def ask(ledger: Path, statement: str, *parameters: str | int) -> list[list[Any]]:
    """Run one statement, committed, and return its rows."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.live_ledger", str(ledger)],
        cwd=REPOSITORY,
        input=json.dumps([statement, parameters]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows: list[list[Any]] = json.loads(done.stdout)
    return rows


def answer(ledger: str, statement: str, parameters: list[str | int]) -> list[list[Any]]:
    """Run the statement here."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=rw", uri=True, timeout=BUSY_SECONDS)) as live, live:
        return [list(row) for row in live.execute(statement, parameters)]


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1], *json.load(sys.stdin))))
