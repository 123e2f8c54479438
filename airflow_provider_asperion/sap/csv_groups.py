"""Gathers the rows of a delimited file into documents, and refuses those that a damaged row may belong to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem, SourceDocument, shape_of
from airflow_provider_asperion.sap.csv_trailer import TrailerCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sap.profile import ReadProfile

# What Excel makes of a long number: 1,23457E+12. The digits are lost.
_EXCEL = re.compile(r"[0-9][.,][0-9]+E\+[0-9]+", re.IGNORECASE)
_AGAIN = "correct the row in the file, and have it sent again"


class Groups:
    """The rows of the document that is open, and the keys that were met.

    Memory is that of one document, and a number for each key.

    :param columns: names of the columns; values under an empty name are passed over and counted.
    """

    def __init__(self, columns: tuple[str, ...], profile: ReadProfile, file: str) -> None:
        self._columns = columns
        self._profile = profile
        self._file = file
        self._key_index = columns.index(profile.csv.group_by)
        self._trailer = TrailerCheck(profile.csv.trailer, columns, profile.csv.dialect)
        self._met: set[int] = set()
        self._position = 0
        self._key = ""
        self._line = 0
        self._rows: list[dict[str, str]] = []
        self._skipped: dict[str, int] = {}
        self._size = 0
        self._fault: Problem | None = None
        self._doubt: Problem | None = None

    @property
    def is_trailed(self) -> bool:
        """Whether the trailer was seen, behind which nothing can be missing."""
        return self._trailer.seen

    def take(self, row: list[str], line: int) -> Iterator[SourceDocument | Problem]:
        """Take a row in; yield the document before, when this row begins another.

        :raises BrokenFileError: the row stands behind the trailer.
        """
        if self._trailer.takes(row, line):
            return
        key = row[self._key_index] if self._key_index < len(row) else ""
        if not key:
            yield from self._without_key(line)
            return
        if key != self._key:
            yield from self._end()
            self._begin(key, line)
        self._add(row, line)

    def close(self) -> Iterator[SourceDocument | Problem]:
        """Yield the last document.

        :raises BrokenFileError: the trailer is missing, or does not tie.
        """
        self._trailer.refuse_if_missing()
        yield from self._end()
        self._trailer.check()

    def _begin(self, key: str, line: int) -> None:
        self._position += 1
        self._key, self._line = key, line
        self._rows, self._skipped, self._size = [], {}, 0
        self._fault, self._doubt = self._doubt, None
        if hash(key) in self._met:
            self._refuse(
                "csv.key.returns",
                "rows with this key came before, with other documents between",
                "have the sender keep the rows of one document together",
                line,
                field=self._profile.csv.group_by,
            )
        self._met.add(hash(key))

    def _end(self) -> Iterator[SourceDocument | Problem]:
        if not self._key:
            return
        where = {"file": self._file, "position": self._position, "line": self._line, "record": self._key}
        if self._fault is not None:
            yield self._fault.at(**where)
        else:
            yield SourceDocument(
                file=self._file,
                position=self._position,
                line=self._line,
                format="csv",
                message_type=self._profile.csv.name,
                basic_type="",
                document_number=self._key,
                key=self._key,
                data={"header": self._rows[0], "lines": self._rows},
                skipped=self._skipped,
            )
        self._key = ""

    def _without_key(self, line: int) -> Iterator[SourceDocument | Problem]:
        """Refuse a row without key, and the documents around it: it may be a line of either."""
        column = self._profile.csv.group_by
        if self._key:
            self._refuse(
                "csv.key.missing", "a row after it has no key and may belong to it", _AGAIN, line, column
            )
        yield from self._end()
        self._position += 1
        missing = Problem(
            rule="csv.key.missing",
            message="a row has no key, so that its document is not known",
            remedy=f"have the sender fill {column} in every row",
            file=self._file,
            position=self._position,
            line=line,
            field=column,
        )
        yield missing
        self._doubt = _fault(
            "csv.key.missing", "a row before it has no key and may belong to it", _AGAIN, line, column
        )

    def _add(self, row: list[str], line: int) -> None:
        columns, limits = self._columns, self._profile.limits
        if len(row) != len(columns):
            message = f"a row has {len(row)} fields, the header row has {len(columns)}"
            self._refuse("csv.columns", message, _AGAIN, line)
            if len(row) >= 2 * len(columns) - 1:
                # Two rows in one: the second may have been the first one of the next document.
                self._doubt = _fault("csv.columns", "a row before it may hold one of its rows", _AGAIN, line)
            return
        self._size += sum(map(len, row))
        if len(self._rows) >= limits.segments or self._size > limits.document_bytes:
            self._refuse("csv.too_large", "the document is larger than the limits allow", _AGAIN, line)
            self._rows.clear()
            return
        for name, value in zip(columns, row, strict=True):
            if value and (
                len(value) > limits.field_length or "\n" in value or "E+" in value or "e+" in value
            ):
                self._check(name, value, line)
            if value and not name:
                self._skipped["(no name)"] = self._skipped.get("(no name)", 0) + 1
        self._trailer.add(row, line)
        if self._fault is None:
            self._rows.append(
                {name: value for name, value in zip(columns, row, strict=True) if value and name}
            )

    def _check(self, name: str, value: str, line: int) -> None:
        if len(value) > self._profile.limits.field_length:
            self._refuse("csv.field_length", "a field is longer than the limits allow", _AGAIN, line, name)
        elif _EXCEL.fullmatch(value):
            self._refuse(
                "csv.excel",
                "a spreadsheet program made a short form of a long number; its digits are lost",
                "have the sender send it without opening it in a spreadsheet, or make the column text",
                line,
                field=name,
                shape=value,
            )
        elif max(value.count(sign) for sign in ";\t|,") >= len(self._columns) - 1 > 1:
            self._refuse(
                "csv.quotes", "a field seems to hold a whole row: quotes do not match", _AGAIN, line, name
            )

    def _refuse(
        self,
        rule: str,
        message: str,
        remedy: str,
        line: int,
        field: str | None = None,
        shape: str | None = None,
    ) -> None:
        self._fault = self._fault or _fault(rule, message, remedy, line, field, shape)


def _fault(
    rule: str, message: str, remedy: str, line: int, field: str | None = None, shape: str | None = None
) -> Problem:
    return Problem(
        rule=rule,
        message=message,
        remedy=remedy,
        line=line,
        field=field,
        shape=None if shape is None else shape_of(shape),
    )
