"""`asperion reconcile`: file = ledger = Asperion over an interval; 1 when it does not tie. Writes nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.connections import missing_connections_told
from airflow_provider_asperion.cli.output import printable, remark, show
from airflow_provider_asperion.cli.plan_table import counted
from airflow_provider_asperion.cli.running import integration_of, reach_connections, settings_of
from airflow_provider_asperion.flows.reconcile.compare import in_words
from airflow_provider_asperion.flows.reconcile.table import as_csv
from airflow_provider_asperion.operators.reconciling import reconcile as reconcile_flows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from airflow_provider_asperion.flows.reconcile.statement import Cell, Statement

SHOWN = 50
GAP = "   "


def reconcile(arguments: argparse.Namespace) -> int:
    """Print the statements; return 1 when something does not tie, 2 when the interval is none."""
    reach_connections()
    now = dt.datetime.now(dt.UTC)
    start = arguments.reconcile_from or now - dt.timedelta(days=1)
    end = arguments.reconcile_to or now
    if end <= start:
        remark("--to does not lie behind --from")
        return 2
    integration = integration_of(settings_of(arguments), arguments.integration)
    with missing_connections_told():
        found = asyncio.run(reconcile_flows(integration, start, end))
    if arguments.csv:
        with Path(arguments.csv).open("w", encoding="utf-8", newline="") as file:
            file.writelines(as_csv(found))
    for one in found:
        for line in (one.model_dump_json(),) if arguments.json else lines(one):
            show(line if arguments.json else printable(line))
    return 0 if all(one.ties for one in found) else 1


def lines(one: Statement) -> Iterator[str]:
    """Yield a statement for a person to read."""
    interval = f"{one.start:%Y-%m-%d %H:%M} until before {one.end:%Y-%m-%d %H:%M} {one.start:%Z}"
    calls = f", {counted(one.requests, 'request')}" if one.requests else ""
    yield f"{one.flow}, administration {one.administration}, {interval}"
    yield f"{counted(one.files, 'file')}{calls}"
    yield ""
    yield from _counts(one)
    yield from _rates(one)
    yield "it ties" if one.ties else counted(one.found, "difference")
    for two in one.differences[:SHOWN]:
        yield f"  {two}"
        yield f"      {_where(two.file, two.position)}what to do: {two.remedy}"
    if one.found > SHOWN:
        yield f"  ... and {one.found - SHOWN:,} more; --csv FILE has all of them"
    if one.notes:
        yield f"{counted(len(one.notes), 'record')} that ties and was changed in Asperion since"
    yield ""


def _counts(one: Statement) -> Iterator[str]:
    if not one.counts:
        return
    headings = ["", "", *(name for side in one.sides for name in (side, ""))]
    rows = [
        [row.name, row.currency, *(text for cell in row.cells for text in _cells(cell))] for row in one.counts
    ]
    yield from _aligned(headings, rows, left=2)
    yield ""


def _rates(one: Statement) -> Iterator[str]:
    if not one.rates:
        return
    first, last = one.sides[0], one.sides[-1]
    headings = ["", "rate", f"net {first}", f"net {last}", f"VAT {first}", f"VAT {last}", "difference"]
    rows = []
    for row in one.rates:
        mine, theirs = row.sides
        amounts = (mine.net, theirs.net, mine.vat, theirs.vat, row.difference.gross)
        kind = f"{row.kind.replace('_', ' ')} {row.currency}".strip()
        rows.append([kind, in_words(row.rate), *(f"{amount:,.2f}" for amount in amounts)])
    yield from _aligned(headings, rows, left=2)
    yield ""


def _cells(cell: Cell) -> tuple[str, str]:
    return f"{cell.count:,}", "" if cell.amount is None else f"{cell.amount:,.2f}"


def _where(file: str, position: int | None) -> str:
    return f"{file}, document {position}; " if file and position else ""


def _aligned(headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Yield the lines of a table; all but the first columns stand to the right."""
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    for row in (headings, *rows):
        cells = [
            f"{cell:<{width}}" if place < left else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield GAP.join(cells).rstrip()
