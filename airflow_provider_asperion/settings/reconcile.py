"""Settings of the reconciliation: when it runs, and what it looks at."""

from __future__ import annotations

from pydantic import Field

from airflow_provider_asperion.records import Record
from airflow_provider_asperion.settings.tasks import TaskRules


class Reconcile(Record):
    """Once a day file, ledger and Asperion are compared; what does not tie fails the run, by name (X5)."""

    enabled: bool = Field(True, description="false: there is no DAG.")
    schedule: str | None = Field("30 2 * * *", description="Cron expression; null: by hand only.")
    timezone: str = Field("UTC", description="Time zone of the schedule.")
    in_flight: int = Field(8, ge=1, le=256, description="Requests to Asperion at once.")
    answer_hours: float = Field(
        24, ge=0, description="How long SAP may take to answer, where answers_from_sap is switched on."
    )
    amounts_to_sap: bool = Field(
        True,
        description="Compare the amounts of orders that were sent to SAP with what Asperion holds now; reads "
        "Asperion's list.",
    )
    delivery: TaskRules = TaskRules()
