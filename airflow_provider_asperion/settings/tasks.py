"""Settings that the tasks of several flows share: how often they are tried, how they write to Asperion."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from airflow_provider_asperion.records import Record
from airflow_provider_asperion.sap.drop_folder import DropFolder


class Waking(Record):
    """When the DAG of a flow from SAP's files runs."""

    enabled: bool = True
    schedule: str | None = Field("*/15 * * * *", description="Cron expression; null: by hand only.")
    timezone: str = Field("UTC", description="Time zone of the schedule and of 'today'.")
    wake: Literal["schedule", "file"] = Field(
        "schedule",
        description="file: the DAG starts seconds after a file is complete, and by `schedule` too, as a "
        "safety net.",
    )
    poll_seconds: float = Field(
        2,
        gt=0,
        description="With wake: file: seconds between two looks at the folder; never less than "
        "folder.look_interval_seconds, where files have no marker.",
    )
    folder: DropFolder


class TaskRules(Record):
    """How often Airflow tries a task again."""

    retries: int = Field(3, ge=0, description="How often Airflow tries a task again.")
    retry_delay_seconds: int = Field(30, ge=0, description="Seconds before Airflow tries a task again.")


class PostRules(TaskRules):
    """How records are written to Asperion."""

    pool: str = Field("default_pool", description="Airflow pool of the delivering tasks.")
    unclear_looks: int = Field(
        4, ge=1, description="How often to look for a record whose answer never came before sending again."
    )
    unclear_wait_seconds: float = Field(1.0, ge=0, description="Wait before the first look; doubles.")
    busy_wait_seconds: float = Field(
        30.0, ge=0, description="How long to wait for a record that another worker has in hand."
    )
