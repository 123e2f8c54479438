"""Settings that the tasks of several flows share: how often they are tried, how they write to Asperion."""

from __future__ import annotations

from pydantic import Field

from airflow_provider_asperion.records import Record


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
