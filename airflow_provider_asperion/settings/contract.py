"""Settings of the contract check: where Asperion's description of its API is, and when it is compared."""

from __future__ import annotations

from pydantic import Field

from airflow_provider_asperion.records import Record
from airflow_provider_asperion.settings.tasks import TaskRules


class ContractCheck(Record):
    """Asperion's description of its API is compared with what the flows use, so that drift shows early."""

    enabled: bool = Field(True, description="Whether it has a DAG.")
    schedule: str | None = Field("0 6 * * 1", description="Cron expression; null: by hand only.")
    timezone: str = Field("UTC", description="Time zone of the schedule.")
    address: str = Field(
        "/swagger/v1/swagger.json",
        min_length=1,
        description="Address of the OpenAPI description (JSON or YAML): whole, or below that of the "
        "connection. Known is Asperion's page https://api-sandbox.asperion.nl/swagger/; the path of the file "
        "is inferred.",
    )
    delivery: TaskRules = TaskRules()
