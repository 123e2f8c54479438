"""Shows a plan to a person: a line per record, a line per field that changes, and the sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.output import printable
from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_provider_asperion.flows.orders_to_asperion.plan import Change, PlanEntry

ORDER = "order"
OF_ORDERS = ("customer", "lines", "amount")
MOST_WIDTH = 40


def as_json(entries: Iterable[PlanEntry], *, masked: bool) -> Iterator[str]:
    """Yield a line of JSON per record; masked: with the form of values only."""
    for entry in entries:
        shown = entry.model_copy(update={"changes": tuple(_masked(change) for change in entry.changes)})
        yield (shown if masked else entry).model_dump_json()


def as_table(entries: Sequence[PlanEntry], *, masked: bool, thing: str = ORDER) -> Iterator[str]:
    """Yield the lines of a table.

    :param thing: what the records are: order, customer, article.
    """
    if not entries:
        yield f"there is no {thing} to plan"
        return
    headings = ("file", thing, "what", *(OF_ORDERS if thing == ORDER else ()))
    rows = [_row(entry)[: len(headings)] for entry in entries]
    columns = zip(headings, *rows, strict=True)
    widths = [min(MOST_WIDTH, max(len(cell) for cell in column)) for column in columns]
    yield _joined(headings, widths)
    for entry, row in zip(entries, rows, strict=True):
        yield _joined(row, widths)
        for change in entry.changes:
            yield f"    {printable(change.masked() if masked else _in_full(change))}"
        for problem in entry.problems:
            yield f"    {printable(str(problem))}"
    yield from _sums(entries, thing)


def _row(entry: PlanEntry) -> tuple[str, ...]:
    action = f"{entry.action} {entry.asperion_id}" if entry.asperion_id else entry.action
    lines, amount = (str(entry.lines), f"{entry.amount:.2f}") if entry.lines else ("", "")
    cells = (entry.file, entry.record, action, entry.customer or "", lines, amount)
    return tuple(printable(cell) for cell in cells)


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    left = [f"{cell:<{width}}" for cell, width in zip(cells[:4], widths[:4], strict=True)]
    right = [f"{cell:>{width}}" for cell, width in zip(cells[4:], widths[4:], strict=True)]
    return "  ".join([*left, *right]).rstrip()


def _in_full(change: Change) -> str:
    return f"{change.field}: {change.now or '(empty)'} -> {change.then or '(empty)'}"


def _masked(change: Change) -> Change:
    from airflow_provider_asperion.records import shape_of

    return change.model_copy(update={"now": shape_of(change.now), "then": shape_of(change.then)})


def _sums(entries: Sequence[PlanEntry], thing: str) -> Iterator[str]:
    summary = PlanSummary.of(entries)
    yield ""
    yield f"{counted(len(entries), thing)}: {listed(summary.actions)}"
    if summary.customers:
        yield f"customers of orders to create: {listed(summary.customers)}"
    if summary.problems:
        yield f"problems: {listed(summary.problems)}"
    yield "Nothing was written."


def counted(count: int, thing: str) -> str:
    """Return how many of a thing: ``1 order``, ``10,000 orders``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def listed(found: Mapping[str, int]) -> str:
    """Return how many of what, by name."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(found.items()))
