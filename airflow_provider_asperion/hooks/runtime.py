"""From Airflow's configuration and connections to what a flow works with: settings, ledger, staging."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from airflow.sdk import Context

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.flows.intake import Intake
    from airflow_provider_asperion.ledger import Ledger, TokenVault
    from airflow_provider_asperion.ledger.payloads import Keeper
    from airflow_provider_asperion.sap.drop_folder import DropFolder
    from airflow_provider_asperion.sap.dropbox import Dropbox
    from airflow_provider_asperion.settings import Integration, OutFolder, Settings
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
    ledger = Ledger.open(ledger_url(chosen), create=True, lease_seconds=chosen.ledger.lease_seconds)
    try:
        yield ledger
    finally:
        ledger.close()


def ledger_url(chosen: Settings) -> str:
    """Return the URL of the ledger; it holds a password where the ledger is on PostgreSQL."""
    connection = chosen.ledger.connection
    if connection is None:
        folder = _private(state_folder())
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
        folder = _private(_private(state_folder()) / "staging")
        path = f"file://{folder}"
    return Staging(ObjectStoragePath(path), cipher())


def _private(folder: Path) -> Path:
    """Make a folder that its owner alone may enter; one that is there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def lease_seconds() -> float:
    """Return how long a silent worker keeps what it holds."""
    return settings().ledger.lease_seconds


def vault(ledger: Ledger) -> TokenVault:
    """Return where the ledger keeps logins, encrypted."""
    from airflow_provider_asperion.ledger import TokenVault

    return TokenVault(ledger, cipher())


def keeper(chosen: Settings | None = None) -> Keeper | None:
    """Return what keeps values of records for some days, encrypted; None where the settings keep none."""
    days = (chosen or settings()).retention.payload_days
    if not days:
        return None
    from airflow_provider_asperion.ledger.payloads import Keeper

    return Keeper(cipher(), days)


def flow(integration_name: str, flow_name: str) -> Any:
    """Return the settings of a flow.

    :raises ProblemError: the integration does not exist, or does not have the flow.
    """
    chosen = getattr(integration(integration_name).flows, flow_name)
    if chosen is not None:
        return chosen
    from airflow_provider_asperion.records import Problem, ProblemError

    raise ProblemError(
        Problem(
            rule="settings.flow",
            message=f"the integration {integration_name!r} has no flow {flow_name}",
            remedy=f"add flows.{flow_name} to it",
            file=settings_path().name,
        )
    )


@asynccontextmanager
async def asperion(integration_name: str, tokens: TokenVault, *, in_flight: int) -> AsyncIterator[Asperion]:
    """Open a client for the administration of an integration."""
    from airflow_provider_asperion.asperion import ClientOptions, VaultTokenStore
    from airflow_provider_asperion.hooks.asperion import AsperionHook

    side = integration(integration_name).asperion
    hook = AsperionHook(side.connection, token_store=VaultTokenStore(tokens))
    options = ClientOptions(in_flight=in_flight)
    async with hook.client(administration=side.administration, names=side.names, options=options) as client:
        yield client


async def administration_of(integration_name: str) -> str:
    """Return the id of the administration of an integration, from the settings or else the connection.

    :raises ProblemError: neither names one.
    """
    from airflow_provider_asperion.hooks.asperion import AsperionHook
    from airflow_provider_asperion.records import Problem, ProblemError

    side = integration(integration_name).asperion
    found = side.administration or (await AsperionHook(side.connection).extra()).administration
    if found is None:
        raise ProblemError(
            Problem(
                rule="settings.administration",
                message=f"neither the settings nor connection {side.connection} name an administration",
                remedy="fill in the field Administration of the connection; its Test button lists the ids",
                field="asperion.administration",
            )
        )
    return str(found)


@asynccontextmanager
async def intake(
    integration_name: str, folder: DropFolder, *, run: str
) -> AsyncIterator[tuple[Intake, Dropbox, Ledger]]:
    """Open a folder in which SAP drops files, with the ledger."""
    from airflow_provider_asperion.flows.intake import Intake, place_of
    from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook

    connection = integration(integration_name).sap.connection
    place = place_of(connection, folder.inbox)
    with open_ledger() as ledger:
        async with SapSftpHook(connection).dropbox(folder) as dropbox:
            yield Intake(dropbox, ledger, place=place, run=run), dropbox, ledger


@asynccontextmanager
async def outgoing(integration_name: str, folder: OutFolder) -> AsyncIterator[Dropbox]:
    """Open the folder from which SAP fetches a flow's files."""
    from airflow_provider_asperion.hooks.sap_sftp import SapSftpHook

    async with SapSftpHook(integration(integration_name).sap.connection).dropbox(folder.drop_folder) as box:
        yield box


def run_of(context: Context) -> str:
    """Return the name of the run, unique over DAGs."""
    return f"{context['ti'].dag_id}/{context['run_id']}"


def owner_of(context: Context) -> str:
    """Return who is at work: DAG, run, task, map index and try."""
    ti = context["ti"]
    return f"{run_of(context)}/{ti.task_id}/{ti.map_index}/{ti.try_number}"


def staging_folder(run: str) -> str:
    """Return the folder, below that of each file, in which a run stages its batches."""
    from airflow_provider_asperion.staging import folder_of

    return folder_of(run)
