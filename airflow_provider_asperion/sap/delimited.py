"""Reads delimited files: consecutive rows with the same key are one document."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from airflow_provider_asperion.sap.csv_groups import Groups
from airflow_provider_asperion.sap.drafts import broken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.records import Problem, SourceDocument
    from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
    from airflow_provider_asperion.sap.source import Source

DELIMITERS = (";", "\t", "|", ",")
_LONGEST_LINE = 1_000_000


def read_csv(source: Source, profile: ReadProfile, *, file: str) -> Iterator[SourceDocument | Problem]:
    """Yield the documents of a delimited file.

    :raises BrokenFileError: nothing more can be read; all documents before were yielded.
    """
    lines = _Lines(source.texts(profile.csv.encoding))
    for _ in range(profile.csv.skip_lines):
        next(lines, None)
    columns, delimiter = _header(lines, profile.csv)
    groups = Groups(columns, profile, file)
    rows = _rows(lines, profile.csv, delimiter)
    for line, row in rows:
        if any(row):
            yield from groups.take(row, line)
    if not lines.ended and not profile.accept_open_end and not groups.is_trailed:
        raise broken(
            "file.cut_off",
            "the last row has no line end: its document may be incomplete, and is not read",
            "have the file sent again; or have each row end with a line end, or set accept_open_end",
            line=lines.number,
        )
    yield from groups.close()


class _Lines:
    """Lines of text with their ends, counted."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._lines = self._split(texts)
        self.number = 0
        self.ended = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.ended = line.endswith(("\n", "\r"))
        return line

    def _split(self, texts: Iterator[str]) -> Iterator[str]:
        rest = ""
        for text in texts:
            lines = (rest + text).split("\n")
            rest = lines.pop()
            for line in lines:
                yield line + "\n"
            if len(rest) > _LONGEST_LINE:
                raise broken(
                    "csv.row_length", "a row is longer than any can be", _CHECK_DIALECT, line=self.number + 1
                )
        if rest.strip("\x1a"):
            yield rest


_CHECK_DIALECT = "check delimiter and quote in the settings (csv), and have the sender write one row per line"


def _rows(lines: _Lines, profile: CsvProfile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=profile.quote or None,
        quoting=csv.QUOTE_MINIMAL if profile.quote else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        line = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # Behind a quote that was never closed no border between rows can be trusted.
            raise broken(
                "csv.quotes", "quotes do not match in the row that begins here", _CHECK_DIALECT, line=line
            ) from None
        yield line, [value.strip() for value in row]


def _header(lines: _Lines, profile: CsvProfile) -> tuple[tuple[str, ...], str]:
    """Return the names of the columns, and the delimiter."""
    if profile.columns:
        if profile.delimiter == "auto":
            raise broken(
                "csv.delimiter", "without a header row the delimiter cannot be found", _CHECK_DIALECT
            )
        return profile.columns, profile.delimiter
    text = next(lines, "")
    choices = DELIMITERS if profile.delimiter == "auto" else (profile.delimiter,)
    for delimiter in choices:
        names = _split_header(text, profile, delimiter)
        if profile.group_by in names:
            _refuse_doubles(names, lines.number)
            return names, delimiter
    raise broken(
        "csv.header",
        f"the header row has no column {profile.group_by}",
        "have the sender name the columns in the first row, or set csv.columns or csv.group_by",
        line=lines.number or None,
    )


def _split_header(text: str, profile: CsvProfile, delimiter: str) -> tuple[str, ...]:
    try:
        names = next(
            csv.reader(
                [text],
                delimiter=delimiter,
                quotechar=profile.quote or None,
                quoting=csv.QUOTE_MINIMAL if profile.quote else csv.QUOTE_NONE,
                strict=True,
            ),
            [],
        )
    except csv.Error:
        return ()
    return tuple(name.strip() for name in names)


def _refuse_doubles(names: tuple[str, ...], line: int) -> None:
    doubles = sorted({name for name in names if name and names.count(name) > 1})
    if doubles:
        raise broken(
            "csv.header",
            f"the header row names a column twice: {', '.join(doubles)[:200]}",
            "have the sender give each column a name of its own",
            line=line,
        )
