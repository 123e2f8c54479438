"""What figures were measured on, in a sentence; no names of machines."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.support import postgres


def machine_in_words() -> str:
    """Return processor, memory and versions."""
    memory = int(_first_number("/proc/meminfo", "MemTotal")) / 1024 / 1024
    model = _after_colon("/proc/cpuinfo", "model name") or platform.machine()
    return (
        f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d} with {os.cpu_count()} cores ({model}), "
        f"{memory:.0f} GB of memory, Python {platform.python_version()}, {_postgresql()}, "
        f"SQLAlchemy {version('SQLAlchemy')}, Airflow {version('apache-airflow')}; PostgreSQL as it comes, "
        f"without tuning; load average {os.getloadavg()[0]:.1f} when it was done."
    )


def _postgresql() -> str:
    folder = postgres.programs()
    if folder is None:
        return "no PostgreSQL"
    said = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return " ".join(said.stdout.split()[i] for i in (0, 2)).replace("postgres", "PostgreSQL")


def _after_colon(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _first_number(path: str, name: str) -> str:
    return _after_colon(path, name).split()[0]
