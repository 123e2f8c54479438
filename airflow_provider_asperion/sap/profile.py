"""How the files of one sender are to be read: types, encodings, the CSV dialect, layouts and limits."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from airflow_provider_asperion.records import Record
from airflow_provider_asperion.sap.dialect import Dialect

# The types that the shipped mappings understand.
MESSAGE_TYPES = ("ORDERS", "INVOIC")


def _known_encoding(name: str) -> str:
    try:
        "é".encode(codecs.lookup(name).name)
    except (LookupError, UnicodeError):
        raise ValueError(f"{name!r} is no encoding of texts; use utf-8, iso-8859-15, cp1252, ...") from None
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class Limits(Record):
    """What a file may hold at most. Beyond it comes a problem, never a full memory."""

    file_bytes: PositiveInt = Field(4 * 1024**3, description="Bytes of a file.")
    # What SAP's receivers take by default, and our writers write (CPI: files up to 40 MB).
    json_bytes: PositiveInt = Field(40_000_000, description="Characters of a JSON file: it is read whole.")
    document_bytes: PositiveInt = Field(16 * 1024**2, description="Characters of one document.")
    segments: PositiveInt = Field(200_000, description="Segments, or CSV rows, of one document.")
    field_length: PositiveInt = Field(10_000, description="Characters of one field.")
    nesting: PositiveInt = Field(32, le=200, description="Levels of nesting of XML and JSON.")


class Trailer(Record):
    """The last line of a CSV file, that says what the file should add up to."""

    marker: str = Field(min_length=1, description="Text of the first field of the trailer, e.g. TRAILER.")
    rows: PositiveInt | None = Field(None, description="Its field (from 1) with the number of rows.")
    sums: dict[str, PositiveInt] = Field(
        default_factory=dict, description="Column of the rows: field of the trailer (from 1) with its sum."
    )


class CsvProfile(Record):
    """Delimited files. There is no SAP standard: every site writes its own report, so all is a setting."""

    name: str = Field("orders_csv", description="Name of this kind of file; a mapping may ask for it.")
    delimiter: Literal["auto", ";", ",", "\t", "|"] = Field(
        "auto", description="Sign between fields; auto: the one with which the header row names group_by."
    )
    quote: str = Field('"', max_length=1, description="Sign around fields; empty: none (GUI downloads).")
    encoding: Encoding = Field("utf-8", description="Encoding of a file without byte order mark.")
    columns: tuple[str, ...] = Field((), description="Column names, for files without a header row.")
    skip_lines: int = Field(0, ge=0, description="Lines before the header row.")
    group_by: str = Field("ORDER_NO", description="Column whose value makes consecutive rows one document.")
    dialect: Dialect = Field(Dialect(), description="How numbers and dates are written.")
    trailer: Trailer | None = None

    @model_validator(mode="after")
    def _check_columns(self) -> CsvProfile:
        if self.columns and self.group_by not in self.columns:
            raise ValueError(f"group_by {self.group_by!r} is not among the columns")
        if self.columns and self.delimiter == "auto":
            raise ValueError("without a header row the delimiter cannot be found: name it")
        return self


class ReadProfile(Record):
    """How the files of one sender are to be read. The defaults read SAP's own IDocs in UTF-8.

    The format of a file is never set: it is seen from its content.
    """

    message_types: tuple[str, ...] = Field(
        MESSAGE_TYPES, min_length=1, description="Message types (MESTYP) that are read; others are refused."
    )
    aliases: dict[str, str] = Field(
        default_factory=dict,
        description="A sender's own message type, extension or root element: what it stands for, "
        "e.g. ZORDERS: ORDERS.",
    )
    flat_encoding: Encoding = Field(
        "utf-8", description="Encoding of IDoc flat files without byte order mark, e.g. iso-8859-15."
    )
    csv: CsvProfile = CsvProfile()
    layouts: tuple[Path, ...] = Field(
        (), description="Files with segment layouts of your own: WE63 parser file, IDoc XSD or YAML."
    )
    limits: Limits = Limits()
    check_totals: bool = Field(True, description="Refuse documents whose control totals do not tie.")
    require_totals: bool = Field(
        False,
        description="Refuse IDocs without E1EDS01: its totals are the only proof that a flat one is whole.",
    )
    accept_open_end: bool = Field(
        False, description="Accept a last record without line end; it may as well have been cut off."
    )

    def message_type(self, *names: str) -> str | None:
        """Return the accepted message type that the first known one of some names stands for, else None."""
        aliases = {name.upper(): meant.upper() for name, meant in self.aliases.items()}
        accepted = {name.upper() for name in self.message_types}
        meant = (aliases.get(name.upper(), name.upper()) for name in names)
        return next((one for one in meant if one in accepted), None)
