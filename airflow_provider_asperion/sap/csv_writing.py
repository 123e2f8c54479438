"""Writes delimited files in the dialect of the receiver, with a trailer that proves them whole."""

from __future__ import annotations

import codecs
import csv
import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Problem, ProblemError, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_asperion.sap.write_profile import CsvForm, WriteProfile
    from airflow_provider_asperion.sap.writing import TargetDocument

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
# Our reader takes a file line by line: a line break inside a field would be the end of its row.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class CsvWriter:
    """Writes one delimited file.

    :param columns: in their order.
    :param numbers: columns that hold numbers; they come with a point and the minus in front.
    :param dates: columns that hold dates; they come as ``YYYY-MM-DD``.
    """

    suffix = ".csv"

    def __init__(
        self,
        profile: WriteProfile,
        columns: Sequence[str],
        numbers: frozenset[str] = frozenset(),
        dates: frozenset[str] = frozenset(),
    ) -> None:
        self.cut: list[Problem] = []
        self._form: CsvForm = profile.csv
        self._columns = tuple(columns)
        self._known = frozenset(columns)
        self._numbers, self._dates = numbers, dates
        self._rows = 0
        self._sums = dict.fromkeys(self._form.sums, Decimal(0))
        self._text = io.StringIO()
        self._csv = csv.writer(
            self._text,
            delimiter=self._form.delimiter,
            quotechar=self._form.quote,
            quoting=csv.QUOTE_ALL if self._form.quoting == "all" else csv.QUOTE_MINIMAL,
            lineterminator="\r\n" if self._form.line_end == "crlf" else "\n",
        )

    def begin(self) -> bytes:
        """Return the byte order mark and the row of column names, where the settings want them."""
        mark = _byte_order_mark(self._form.encoding) if self._form.byte_order_mark else b""
        return mark + (self._encoded([self._columns]) if self._form.header else b"")

    def add(self, document: TargetDocument) -> bytes:
        """Return the rows of a document.

        :raises ProblemError: a column is not one of the file's, or a value cannot be written.
        """
        rows: list[Mapping[str, str]] = document.data["lines"]
        try:
            body = self._encoded([self._row(row, document.key) for row in rows])
        except UnicodeEncodeError as error:
            raise ProblemError(self._unwritable(rows, document.key, error)) from None
        self._rows += len(rows)
        for column in self._sums:
            self._sums[column] += sum((Decimal(row[column]) for row in rows if row.get(column)), Decimal(0))
        return body

    def end(self) -> bytes:
        """Return the trailer, where the settings want one: its marker, the count of rows, the sums."""
        if self._form.trailer is None:
            return b""
        sums = [self._number(f"{total:f}") for total in self._sums.values()]
        return self._encoded([[self._form.trailer, str(self._rows), *sums]])

    def _row(self, row: Mapping[str, str], key: str) -> list[str]:
        unknown = row.keys() - self._known
        if unknown:
            raise ProblemError(
                Problem(
                    rule="csv.column",
                    message=f"there is no column {', '.join(sorted(unknown))} in such a file",
                    remedy="correct the mapping; its rows name the columns",
                    record=key,
                    field=min(unknown),
                )
            )
        return [self._value(column, row.get(column, "")) for column in self._columns]

    def _value(self, column: str, text: str) -> str:
        if not text:
            return ""
        if column in self._numbers:
            return self._number(text)
        if column in self._dates and (found := _DATE.fullmatch(text)):
            year, month, day = found.groups()
            return self._form.date.replace("YYYY", year).replace("MM", month).replace("DD", day)
        text = _CONTROL.sub(" ", text).strip()
        if column in self._form.pad and text.isdigit():
            return text.zfill(self._form.pad[column])
        guarded = self._form.neutralise_formulas and text.startswith(_FORMULA)
        return f"'{text}" if guarded else text

    def _number(self, text: str) -> str:
        digits = text.lstrip("-").replace(".", self._form.decimal_sign)
        if not text.startswith("-"):
            return digits
        return f"-{digits}" if self._form.minus == "before" else f"{digits}-"

    def _encoded(self, rows: Iterable[Sequence[str]]) -> bytes:
        self._csv.writerows(rows)
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode(_without_mark(self._form.encoding))

    def _unwritable(self, rows: Sequence[Mapping[str, str]], key: str, error: UnicodeEncodeError) -> Problem:
        sign = error.object[error.start]
        column = next((name for row in rows for name, text in row.items() if sign in text), None)
        return Problem(
            rule="file.encoding",
            message=f"a value holds a sign that {self._form.encoding} does not have: U+{ord(sign):04X}",
            remedy="correct it in Asperion, map it to another text, or write the files in utf-8",
            record=key,
            field=column,
            shape=shape_of(next((row[column] for row in rows if column and column in row), "")),
        )


def _without_mark(encoding: str) -> str:
    """Return the encoding that adds no byte order mark of its own to each piece."""
    name = codecs.lookup(encoding).name
    return {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}.get(name, name)


def _byte_order_mark(encoding: str) -> bytes:
    return "\ufeff".encode(_without_mark(encoding)) if encoding.lower().startswith("utf") else b""
