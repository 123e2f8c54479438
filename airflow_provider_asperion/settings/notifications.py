"""Settings of who is told what goes wrong, how, and when not. Secrets are in Airflow's connections."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from airflow_provider_asperion.records import Record

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(value: Any) -> Any:
    # YAML reads 22:00 without quotes as a number to the base of 60.
    if isinstance(value, int) and 0 <= value <= 24 * 60:
        return f"{value // 60:02}:{value % 60:02}"
    return value


TimeOfDay = Annotated[
    str, BeforeValidator(_clock), StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class Channel(Record):
    """A way to tell people: any notifier of Airflow, with its arguments."""

    notifier: str = Field(
        min_length=1,
        description="smtp, slack, http, or the dotted path of a notifier of Airflow's or your own.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="What the notifier is made with: connection ids, addressees; {{ message.subject }}, "
        "{{ message.text }}, {{ message.html }} and {{ message.data }} are filled in.",
    )
    enabled: bool = Field(True, description="false: nobody is told through it.")
    flows: tuple[str, ...] = Field((), description="Only what these flows have to tell; none: all.")
    resolved: bool = Field(True, description="Whether it is told that something is over, too.")


class Silence(Record):
    """A time in which nobody is told anything; what came up is told when it is over."""

    days: tuple[Day, ...] = Field(DAYS, min_length=1, description="Days on which it begins.")
    begin: TimeOfDay = Field("00:00", description="When it begins, e.g. 22:00.")
    end: TimeOfDay = Field("24:00", description="When it ends; not later than begin: on the next day.")


class Notifications(Record):
    """Who is told what goes wrong, at once and once per cause."""

    channels: dict[ChannelName, Channel] = Field(
        default_factory=dict, description="By a name of yours; without one nobody is told."
    )
    remind_after_hours: float | None = Field(
        24, gt=0, description="Tell again after so long what is still so; null: never."
    )
    grown_factor: float = Field(
        2, gt=1, description="Tell again when so many times the records have the same cause."
    )
    keys_shown: int = Field(5, ge=0, le=20, description="How many keys of records a message shows.")
    forget_after_days: float = Field(
        7, gt=0, description="What happened and cannot be seen to be over is forgotten after so long."
    )
    timezone: str = Field("UTC", description="Time zone of the silences and of moments in messages.")
    silences: tuple[Silence, ...] = Field((), description="When nobody is told.")
    watch_schedule: str | None = Field(
        "*/10 * * * *",
        description="How often the DAG asperion_watch looks for late files and sends what waits; null: there "
        "is no such DAG.",
    )
    timeout_seconds: float = Field(60, gt=0, description="A channel that takes longer has failed.")

    @field_validator("timezone")
    @classmethod
    def _is_one(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {name!r}; one is Europe/Amsterdam") from None
        return name
