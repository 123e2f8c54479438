"""From Airflow's configuration and connections to what a flow works with: settings, ledger, staging."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.configuration import conf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.ledger import Ledger
    from airflow_provider_asperion.settings import Integration, Settings
    from airflow_provider_asperion.staging import Cipher, Staging

SECTION = "asperion"


def airflow_home() -> Path:
    """Return AIRFLOW_HOME as a path."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def settings_path() -> Path:
    """Return where the settings file is: ``[asperion] settings``, below AIRFLOW_HOME when relative."""
    return airflow_home() / Path(conf.get(SECTION, "settings", fallback="asperion.yaml")).expanduser()


def state_folder() -> Path:
    """Return the folder of the ledger and of staged batches: ``[asperion] state_folder``."""
    return airflow_home() / Path(conf.get(SECTION, "state_folder", fallback="asperion")).expanduser()


def settings() -> Settings:
    """Return the settings; without a settings file the defaults, so that a fresh install shows its DAGs.

    :raises ProblemError: when the file is wrong; each problem names the line.
    """
    path = settings_path()
    return _load(path, path.stat().st_mtime_ns if path.exists() else None)


@lru_cache(maxsize=4)
def _load(path: Path, changed: int | None) -> Settings:
    from airflow_provider_asperion.settings import Settings, load_settings

    return Settings() if changed is None else load_settings(path)


def integration(name: str) -> Integration:
    """Return the settings of one integration.

    :raises ProblemError: when there is none of that name.
    """
    known = settings().integrations
    if name not in known:
        from airflow_provider_asperion.records import Problem, ProblemError

        raise ProblemError(
            Problem(
                rule="settings.integration",
                message=f"the settings have no integration {name!r}",
                remedy=f"use one of: {', '.join(sorted(known))}",
                file=settings_path().name,
            )
        )
    return known[name]


def cipher() -> Cipher:
    """Return what encrypts batches and tokens: Airflow's Fernet key, else a key file of our own.

    A deployment without ``[core] fernet_key`` gets a key file in the state folder, readable by its owner.
    """
    from cryptography.fernet import Fernet, MultiFernet

    from airflow_provider_asperion.staging import local_key

    keys = [key.strip() for key in (conf.get("core", "fernet_key", fallback="") or "").split(",")]
    if any(keys):
        return MultiFernet([Fernet(key) for key in keys if key])
    return local_key(state_folder())


@contextmanager
def open_ledger(chosen: Settings | None = None) -> Iterator[Ledger]:
    """Open the ledger of the settings: a PostgreSQL connection, or SQLite in the state folder."""
    from airflow_provider_asperion.ledger import Ledger

    chosen = chosen or settings()
    ledger = Ledger.open(
        _ledger_url(chosen.ledger.connection),
        cipher=cipher(),
        lease_seconds=chosen.ledger.lease_seconds,
    )
    try:
        yield ledger
    finally:
        ledger.close()


def _ledger_url(connection: str | None) -> str:
    if connection is None:
        folder = state_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return f"sqlite:///{folder / 'ledger.db'}"
    from airflow.sdk import BaseHook
    from sqlalchemy.engine import URL

    found = BaseHook.get_connection(connection)
    return URL.create(
        "postgresql+psycopg",
        username=found.login,
        password=found.password,
        host=found.host,
        port=found.port,
        database=found.schema,
    ).render_as_string(hide_password=False)


def staging(chosen: Settings | None = None) -> Staging:
    """Return where batches wait between two tasks."""
    from airflow.sdk import ObjectStoragePath

    from airflow_provider_asperion.staging import Staging

    path = (chosen or settings()).staging.path
    if path is None:
        folder = state_folder() / "staging"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = f"file://{folder}"
    return Staging(ObjectStoragePath(path), cipher())
