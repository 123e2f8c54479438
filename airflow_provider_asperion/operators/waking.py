"""Starts a DAG when a file is complete: the asset of a drop folder, with its watcher."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetWatcher

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.sap_uri import folder_uri
from airflow_provider_asperion.triggers.sap_files import SapFileTrigger

try:
    from airflow.sdk import AssetOrTimeSchedule
except ImportError:  # Airflow before 3.3
    from airflow.timetables.assets import AssetOrTimeSchedule  # type: ignore[assignment]

if TYPE_CHECKING:
    from airflow_provider_asperion.settings import Waking


def dropped_files(dag: str, integration: str, settings: Waking) -> Asset:
    """Return the asset that has an event whenever files for a flow are complete.

    :param dag: the DAG that reads them.
    """
    connection, folder = runtime.integration(integration).sap.connection, settings.folder
    trigger = SapFileTrigger(folder=folder, sap_sftp_conn_id=connection, poll_seconds=settings.poll_seconds)
    return Asset(
        name=f"{dag}__files",
        uri=folder_uri(connection, folder.inbox, folder.pattern),
        watchers=[AssetWatcher(name=f"{dag}__files", trigger=trigger)],
    )


def or_time(timetable: Any, asset: Asset) -> Any:
    """Return the schedule of a DAG that an asset starts, and the clock too."""
    return AssetOrTimeSchedule(timetable=timetable, assets=[asset])
