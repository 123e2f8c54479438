"""Faults of a value inside an expression: what is wrong and the shape of the value, never the value."""

from __future__ import annotations

from airflow_provider_asperion.records import shape_of


class BadValueError(ValueError):
    """A function of the mapper cannot work with a value.

    :param reason: what is wrong, as a sentence without the value.
    :param remedy: what a person does about it.
    :param value: the value, of which only the shape is kept.
    """

    def __init__(self, reason: str, *, remedy: str | None = None, value: object = None) -> None:
        self.reason = reason
        self.remedy = remedy
        self.shape = None if value is None else shape_of(value)
        super().__init__(reason)
