"""Settings of what is watched beside the records: files that should come, and too many that are refused."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from airflow_provider_asperion.records import Record


class CircuitRules(Record):
    """When a flow stops by itself because too many of its records are refused; nothing of it is lost."""

    share: float | None = Field(
        None, gt=0, le=1, description="Share of refused records at which it stops, e.g. 0.5; null: never."
    )
    minimum: int = Field(20, ge=1, description="So many records of a run at least before it can stop.")
    cool_down_minutes: float = Field(
        60, gt=0, description="After this time one batch is tried; when that is good the flow goes on."
    )


class Expectation(Record):
    """When files should come, and by which numbers; the DAG asperion_watch looks."""

    cron: str | None = Field(
        None, description="When one must have come, e.g. 0 7 * * 1-5: at 7 on weekdays; null: any time."
    )
    within_hours: float = Field(24, gt=0, description="In so many hours before that moment.")
    files: int = Field(1, ge=1, description="How many at least.")
    number: str | None = Field(
        None,
        description="Regular expression with a group named number, where names of files count up, e.g. "
        r"ORDERS_(?P<number>\d+); null: they do not.",
    )
    grace_minutes: float = Field(
        30, ge=0, description="A number counts as missing so long after a later one has come."
    )
    largest_gap: int = Field(
        100, ge=1, description="Where more numbers are missing at once, the sender has begun anew."
    )

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, cron: str | None) -> str | None:
        from croniter import croniter

        if cron is not None and not croniter.is_valid(cron):
            raise ValueError(f"{cron!r} is no cron expression; one is 0 7 * * 1-5")
        return cron

    @field_validator("number")
    @classmethod
    def _has_the_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"this is no regular expression: {error}") from None
        if "number" not in groups:
            raise ValueError(r"it has no group named number: (?P<number>\d+)")
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> Expectation:
        if self.cron is None and self.number is None:
            raise ValueError("say when files should come (cron) or by which numbers (number)")
        return self
