"""Statements as rows: of a CSV file that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_provider_asperion.flows.reconcile.statement import CountRow, Difference, RateRow, Statement

HEADINGS = (
    *("row", "flow", "administration", "from", "until", "sides", "what", "kind", "record", "file"),
    *("position", "ids", "currency", "vat_rate", "count_1", "count_2", "count_3", "count_4"),
    *("amount_1", "amount_2", "amount_3", "amount_4", "vat_1", "vat_2", "gross_1", "gross_2"),
    *("difference", "note", "remedy"),
)
# A spreadsheet takes what begins so for a formula, and runs it.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

Value = str | int | Decimal | None


def as_csv(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield the lines of a CSV file: counts, amounts per VAT rate, differences, notes."""
    yield _line(HEADINGS)
    for one in statements:
        common = {
            "flow": one.flow,
            "administration": one.administration,
            "from": one.start.isoformat(),
            "until": one.end.isoformat(),
            "sides": "/".join(one.sides),
        }
        rows = [*map(_count, one.counts), *map(_rate, one.rates)]
        rows += [_difference("difference", two) for two in one.differences]
        rows += [_difference("note", two) for two in one.notes]
        for row in rows:
            yield _line([_cell({**common, **row}.get(name)) for name in HEADINGS])


def _count(row: CountRow) -> dict[str, Value]:
    found: dict[str, Value] = {"row": "count", "what": row.name, "currency": row.currency}
    for place, cell in enumerate(row.cells, start=1):
        found |= {f"count_{place}": cell.count, f"amount_{place}": cell.amount}
    return found


def _rate(row: RateRow) -> dict[str, Value]:
    mine, theirs = row.sides
    return {
        "row": "vat",
        "what": "done",
        "kind": row.kind,
        "currency": row.currency,
        "vat_rate": row.rate,
        "amount_1": mine.net,
        "amount_2": theirs.net,
        "vat_1": mine.vat,
        "vat_2": theirs.vat,
        "gross_1": mine.gross,
        "gross_2": theirs.gross,
        "difference": row.difference.gross,
    }


def _difference(name: str, one: Difference) -> dict[str, Value]:
    found: dict[str, Value] = {
        "row": name,
        "what": one.name,
        "kind": one.kind,
        "record": one.key,
        "file": one.file,
        "position": one.position,
        "ids": " ".join(one.ids),
        "difference": one.by,
        "note": one.note,
        "remedy": one.remedy,
    }
    return found | {f"amount_{place}": amount for place, amount in enumerate(one.amounts, start=1)}


def _cell(value: Value) -> str:
    """Return a cell: an amount in all its digits, a text so that it stays one."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
