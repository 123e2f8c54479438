"""Settings of privacy: how long each kind of data is kept, and when what is older is purged."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from airflow_provider_asperion.records import Record

Days = Annotated[int | None, Field(ge=1)]


class Retention(Record):
    """How long each kind of data is kept, in days; null: for ever. Purged by `asperion_housekeeping`."""

    schedule: str | None = Field("30 3 * * *", description="Cron expression; null: by hand only.")
    timezone: str = Field("UTC", description="Time zone of the schedule.")
    trail_days: Days = Field(
        365, description="What happened to each record, and the keyed hashes by which a person is found."
    )
    details_days: Days = Field(
        90, description="Texts of the problems of refused records; rule and field stay."
    )
    documents_days: Days = Field(
        None,
        description="Orders that were placed: number, state, fingerprint. One that was forgotten and comes "
        "again is found in Asperion, if it is still there.",
    )
    files_days: Days = Field(365, description="Which files were read; the files themselves stay.")
    runs_days: Days = Field(365, description="Runs with their sums.")
    statements_days: Days = Field(365, description="Statements of reconciliations.")
    work_days: Days = Field(
        30, description="Who worked on what, what tasks met, and publications that are over."
    )
    staging_days: int = Field(
        7, ge=1, description="Batches that a run left behind, encrypted; a run that is done leaves none."
    )
    payload_days: int = Field(
        0,
        ge=0,
        le=90,
        description="Values of each record as they came and as they were sent, encrypted, in the ledger; "
        "0: none are kept.",
    )
    task_logs_days: Days = Field(
        None,
        description="Log files of tasks of our DAGs, where Airflow keeps its logs in a local folder; null: "
        "Airflow's matter.",
    )

    def days_of(self, kind: str) -> int | None:
        """Return how long a kind of rows of the ledger is kept, in days; None: for ever."""
        found: int | None = getattr(self, f"{kind}_days")
        return found
