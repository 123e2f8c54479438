"""Log files of the tasks of our DAGs, where Airflow keeps them in a local folder."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.configuration import conf

from airflow_provider_asperion.hooks.flows import FLOWS, HOUSEKEEPING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def dag_ids(integrations: Iterable[str]) -> set[str]:
    """Return the ids of all DAGs that may be ours."""
    return {flow.dag_id(name) for flow in FLOWS for name in integrations} | {HOUSEKEEPING}


def purge_task_logs(
    integrations: Iterable[str], before: dt.datetime, *, dry_run: bool = False, folder: Path | None = None
) -> int:
    """Delete log files of our DAGs that were last written before a moment; return how many.

    Airflow's default form of names is meant: ``dag_id=.../run_id=.../task_id=.../attempt=1.log`` (source:
    ``[logging] log_filename_template``). A link is never followed, and no other DAG's folder looked into.

    :param folder: of all logs; default ``[logging] base_log_folder``.
    """
    base = folder or Path(conf.get("logging", "base_log_folder")).expanduser()
    gone = 0
    for dag in sorted(dag_ids(integrations)):
        for path in list(_old(base / f"dag_id={dag}", before)):
            gone += 1
            if not dry_run:
                path.unlink(missing_ok=True)
                _remove_empty(path.parent, base / f"dag_id={dag}")
    return gone


def _old(folder: Path, before: dt.datetime) -> Iterator[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_symlink() or not path.is_file():
                continue
            if dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC) < before:
                yield path


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove folders that are empty now, from the inside outward."""
    with suppress(OSError):  # not empty, or a new task has begun to log in it
        while folder != top:
            folder.rmdir()
            folder = folder.parent
