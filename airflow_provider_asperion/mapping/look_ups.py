"""Look-up tables (O11): a value of SAP's becomes a value of Asperion's, with a default and a force."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from airflow_provider_asperion.records import Problem, ProblemError, Record, shape_of

Unmapped = Literal["refuse", "default", "keep"]
LONGEST_CODE = 30


class LookUp(Record):
    """One table. Keys are compared without surrounding blanks.

    Where the source has no value the default is used, whatever ``unmapped`` says.

    :param table: value of the source -> value of Asperion.
    :param default: value for when the source has none; also for an unmapped one where ``unmapped`` is
        ``default``. Without it such a field stays empty.
    :param force: the default always, whatever the source says.
    :param unmapped: what a value that the table does not hold does: ``refuse`` the record, give the
        ``default``, or ``keep`` the value as it is.
    :param ignore_case: compare keys without regard to case.
    """

    table: dict[str, str] = Field(default_factory=dict, description="SAP value: Asperion value.")
    default: str | None = Field(None, description="Value for when the source has none.")
    force: bool = Field(False, description="Always the default, whatever the source says.")
    unmapped: Unmapped = Field("refuse", description="A value not in the table: refuse, default or keep.")
    ignore_case: bool = Field(False, description="Compare without regard to case.")

    @field_validator("table", mode="before")
    @classmethod
    def _text_only(cls, table: Any) -> Any:
        """Refuse what YAML made of an unquoted code: 0030 is the number 24 to it, NO is false."""
        if not isinstance(table, dict):
            return table
        for entry in (*table.keys(), *table.values()):
            if not isinstance(entry, str):
                raise ValueError(
                    f"{entry!r} is not text: put quotes around every code and value, as in '0030': '14'"
                )
        return table

    @model_validator(mode="after")
    def _force_needs_a_default(self) -> Self:
        if self.force and self.default is None:
            raise ValueError("force: true needs the value to use in `default`")
        return self

    @cached_property
    def _prepared(self) -> dict[str, str]:
        return {self._key(key): value for key, value in self.table.items()}

    def _key(self, value: str) -> str:
        return value.strip().casefold() if self.ignore_case else value.strip()

    def find(self, value: str | None, *, name: str) -> str | None:
        """Return what a source value becomes; None leaves the field empty.

        :param value: the value of the source, None where it has none.
        :param name: name of the table, for the problem.
        :raises ProblemError: when the table does not hold the value and ``unmapped`` is ``refuse``.
        """
        if self.force or value is None or not value.strip():
            return self.default
        found = self._prepared.get(self._key(value))
        if found is not None:
            return found
        if self.unmapped == "keep":
            return value
        if self.unmapped == "default":
            return self.default
        raise ProblemError(self._unmapped(value.strip(), name))

    @staticmethod
    def _unmapped(value: str, name: str) -> Problem:
        # Codes are shown, for they say which row to add; what is no code may be personal.
        code = len(value) <= LONGEST_CODE and "@" not in value and len(value.split()) == 1
        shown = repr(value) if code else "that value"
        return Problem(
            rule="look_up.unmapped",
            message=f"the look-up table {name!r} has no row for {shown}",
            remedy=f"add the row {shown}: '...' to look_ups.{name}.table in the settings, "
            "or set `unmapped` to default or keep",
            shape=None if code else shape_of(value),
        )
