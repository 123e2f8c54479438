"""How quickly the pages answer on a ledger with ten million trail events in PostgreSQL.

``python -m benchmarks.ledger_search`` starts a PostgreSQL of its own in a temporary folder (Debian: the
package postgresql), fills it with the trail of a busy year, and measures searches and pages. ``--write`` puts
the figures into docs/performance.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.schema import (
    AddConstraint,
    CreateIndex,
    DropConstraint,
    DropIndex,
    ExecutableDDLElement,
)

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import Ledger, search, tables
from airflow_provider_asperion.monitoring import data, rights
from benchmarks.machine import machine_in_words
from tests.support import postgres
from tests.support.pages import Manager, client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

PAGE = Path("docs/performance.md")
FILL = Path(__file__).with_suffix(".sql")
BEGIN, END = "<!-- begin: make bench-ledger -->", "<!-- end: make bench-ledger -->"
BIG = (tables.documents, tables.events, tables.sightings, tables.names, tables.snapshots)
EVENTS_PER_ORDER, ORDERS_PER_FILE, ORDERS_PER_CUSTOMER = 4, 1_000, 8
DAYS = 365
SETTINGS = "integrations: {default: {asperion: {administration: 1}}}\n"

MOMENT = "(now() - interval '{days} days' + n * (interval '{days} days' / {orders}))"
PROBLEM = """'[{"rule": "article.missing", "message": "article SKU-1 does not exist in Asperion",
    "remedy": "create it", "field": "lines.1.sku", "file": "orders.xml", "position": 1}]'"""


def fill(ledger: Ledger, events: int) -> None:
    """Write a year with so many events; indexes are made at the end, as a restore would."""
    orders = events // EVENTS_PER_ORDER
    values = {
        "orders": orders,
        "days": DAYS,
        "per_file": ORDERS_PER_FILE,
        "per_order": EVENTS_PER_ORDER,
        "per_customer": ORDERS_PER_CUSTOMER,
        "moment": MOMENT.format(days=DAYS, orders=orders),
        "file_moment": MOMENT.format(days=DAYS, orders=orders // ORDERS_PER_FILE),
        "run_moment": MOMENT.format(days=DAYS, orders=DAYS * 24),
        "sku_moment": MOMENT.format(days=DAYS, orders=200_000),
        "run": f"'sap_orders_to_asperion/scheduled__' || n / {ORDERS_PER_FILE}",
        "file_run": "'sap_orders_to_asperion/scheduled__' || n",
        "problem": PROBLEM,
    }
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET synchronous_commit = off"))
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
        made_last = list(_made_last())
        for table in BIG:
            # What lives for an hour need survive no power cut.
            connection.execute(text(f"ALTER TABLE {table.name} SET UNLOGGED"))
        for _, drop in made_last:
            connection.execute(drop)
        for statement in FILL.read_text().split(";\n"):
            if statement.strip():
                _timed(connection, statement.format(**values))
        for make, _ in reversed(made_last):
            connection.execute(make)
        connection.execute(text("VACUUM ANALYZE"))


def _made_last() -> Iterator[tuple[ExecutableDDLElement, ExecutableDDLElement]]:
    """Yield how to make, and how to drop, the indexes and unique constraints of the tables with many rows."""
    for table in BIG:
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            yield CreateIndex(index), DropIndex(index)
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint):
                yield AddConstraint(constraint, isolate_from_table=False), DropConstraint(constraint)


def _timed(connection: Connection, statement: str) -> None:
    began = time.perf_counter()
    rows = connection.exec_driver_sql(statement.replace("%", "%%")).rowcount
    name = statement.partition("INTO ")[2].split()[0]
    print(f"  {name}: {rows:,} rows in {time.perf_counter() - began:.0f} s", flush=True)


def measures(
    ledger: Ledger, orders: int, chance: random.Random
) -> Iterator[tuple[str, Callable[[], object], int]]:
    """Yield what is measured: its name, one go at it, and how often."""

    def found(least: int = 1, **asked: object) -> Callable[[], object]:
        def go() -> None:
            values = {name: value() if callable(value) else value for name, value in asked.items()}
            with ledger.transaction(reading=True) as work:
                page = search.search(work, search.Query(administrations=("1",), **values))
            assert len(page.hits) >= least, values

        return go

    def number() -> str:
        return str(4_500_000_000 + chance.randrange(orders))

    def person() -> tuple[str, ...]:
        return (_md5(f"person{chance.randrange(orders // ORDERS_PER_CUSTOMER)}"), "another")

    def file() -> str:
        return f"orders_{chance.randrange(orders // ORDERS_PER_FILE):07}.xml"

    yield "search by order number", found(text=number), 200
    yield "search by the beginning of a number", found(text=lambda: number()[:7]), 50
    yield "search by e-mail address", found(text="piet@example.org", hashes=person), 200
    yield "search by SKU", found(text=lambda: f"SKU-{chance.randrange(200_000):06}"), 200
    yield "search by file (its 1,000 orders, first page)", found(50, text=file), 50
    yield (
        "search by run (its 1,000 orders, first page)",
        found(
            50,
            text=lambda: f"sap_orders_to_asperion/scheduled__{chance.randrange(orders // ORDERS_PER_FILE)}",
        ),
        50,
    )
    yield "refused of the last 30 days", found(states=("refused",), since=_days_ago(30)), 50
    yield "all of the last 24 hours", found(50, since=_days_ago(1)), 50
    yield "everything, newest first", found(50), 50
    yield "what nobody knows", found(0, text="XYZ-404"), 50
    reader = client(1)

    def page(path: Callable[[], str]) -> Callable[[], object]:
        def go() -> None:
            answer = reader.get(path())
            assert answer.status_code in (200, 303), answer.text

        return go

    yield "page: Overview", page(lambda: "/"), 30
    yield "page: Activity, by order number", page(lambda: f"/activity?text={number()}"), 50
    yield "page: Record", page(lambda: f"/record/{_md5(f'order{chance.randrange(orders)}')}"), 50
    yield "page: Refused", page(lambda: "/refused"), 10
    yield "page: runs of a flow", page(lambda: "/flow/default/orders_to_asperion"), 30


def measure(go: Callable[[], object], times: int) -> tuple[float, float, float]:
    """Return the first answer, the median and the 95th percentile, in milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        go()
        took.append((time.perf_counter() - began) * 1000)
    return took[0], statistics.median(took), sorted(took)[int(len(took) * 0.95)]


def table(events: int, rows: list[tuple[str, tuple[float, float, float]]]) -> str:
    """Return the figures as a table of Markdown, with what they were measured on."""
    lines = [
        f"{events:,} trail events of {events // EVENTS_PER_ORDER:,} orders. {machine_in_words()}",
        "",
        "| What | first (ms) | median (ms) | 95 of 100 within (ms) |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {first:,.0f} | {middle:,.1f} | {most:,.1f} |" for name, (first, middle, most) in rows),
    ]
    return "\n".join(lines)


def write(content: str) -> None:
    """Put the figures into the page, between the two marks."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{content}\n\n{END}{after}")


def main() -> None:
    """Fill, measure, show; with ``--write`` into the manual."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--write", action="store_true", help=f"put the figures into {PAGE}")
    arguments = parser.parse_args()
    if reason := postgres.reason_to_skip():
        raise SystemExit(reason)
    rights.get_auth_manager = Manager
    home = runtime.airflow_home()
    home.mkdir(parents=True, exist_ok=True)
    (home / "asperion.yaml").write_text(SETTINGS)
    with postgres.server() as server:
        url = server.format(database="postgres")
        runtime.ledger_url = lambda chosen: url
        ledger = data.ledger()
        began = time.perf_counter()
        print(f"filling a ledger with {arguments.events:,} events", flush=True)
        fill(ledger, arguments.events)
        print(f"  filled in {time.perf_counter() - began:.0f} s", flush=True)
        rows = []
        for name, go, times in measures(ledger, arguments.events // EVENTS_PER_ORDER, random.Random(1)):
            rows.append((name, measure(go, times)))
            first, middle, most = rows[-1][1]
            print(f"  {name}: first {first:.0f} ms, median {middle:.1f} ms, p95 {most:.1f} ms", flush=True)
        if arguments.write:
            write(table(arguments.events, rows))
        ledger.close()


def _days_ago(days: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(days=days)


def _md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


if __name__ == "__main__":
    main()
