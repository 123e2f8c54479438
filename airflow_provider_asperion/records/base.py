"""The base of all records: frozen, strict about unknown fields, free of surrounding blanks."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A value that two parts of the house share. Never changed after it was made."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
