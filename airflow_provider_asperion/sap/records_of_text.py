"""Cuts decoded text into records: at line ends, or without any at the width of IDoc records."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_asperion.sap.drafts import BrokenFileError, broken

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROL_WIDTH = 524
FULL_WIDTH = 1063
# No record is longer; a line far beyond is no flat file.
LONGEST_LINE = 4 * FULL_WIDTH


class Line(NamedTuple):
    """A record, without its line end.

    :param number: 1-based line, or 1-based record where there are no lines.
    :param ended: whether a line end stood behind it.
    """

    number: int
    text: str
    ended: bool


def records(texts: Iterator[str]) -> Iterator[Line]:
    """Yield the records of a flat file.

    :raises BrokenFileError: as the texts do, after the records that were complete before; or a record is
        longer than any can be.
    """
    first = ""
    for text in texts:
        first += text
        if "\n" in first or len(first) > LONGEST_LINE:
            break
    if "\n" in first or len(first) <= FULL_WIDTH:
        yield from _lines(first, texts)
    else:
        yield from _fixed(first, texts)


def _lines(first: str, texts: Iterator[str]) -> Iterator[Line]:
    number, rest = 1, ""
    fault: BrokenFileError | None = None
    text = first
    while True:
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            if len(line) > LONGEST_LINE:
                raise _too_long(number)
            yield Line(number, line.removesuffix("\r"), True)
            number += 1
        if len(rest) > LONGEST_LINE:
            raise _too_long(number)
        try:
            text = next(texts)
        except StopIteration:
            break
        except BrokenFileError as error:
            fault = error
            break
    if fault is not None:
        raise fault
    if rest.strip("\r\x1a "):
        yield Line(number, rest, False)


def _fixed(first: str, texts: Iterator[str]) -> Iterator[Line]:
    """Cut text without line ends: control records of 524 or 1063 characters, data records of 1063."""
    width = FULL_WIDTH if first[CONTROL_WIDTH:FULL_WIDTH].isspace() else CONTROL_WIDTH
    rest, number = first, 0
    while True:
        begin = 0
        while True:
            need = width if rest.startswith("EDI_DC40", begin) else FULL_WIDTH
            if len(rest) - begin < need:
                break
            number += 1
            yield Line(number, rest[begin : begin + need], True)
            begin += need
        rest = rest[begin:]
        text = next(texts, None)
        if text is None:
            break
        rest += text
    if rest.strip("\r\n\x1a "):
        yield Line(number + 1, rest, False)


def _too_long(number: int) -> BrokenFileError:
    return broken(
        "idoc.record_length",
        f"a record is longer than {LONGEST_LINE} characters: these are no records of an IDoc",
        "have the sender write one record per line, or records of 1063 characters without line ends",
        line=number,
    )
