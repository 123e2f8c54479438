"""Judges a finished run of the bench by what is there: Asperion's tables, SAP's folders, the ledger's rows.

It shares no code with what it judges: it reads rows with sqlite3 and files with the csv module.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.chaos.stage import INBOX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.scenario import Dropped, Scenario, Truth
    from tests.chaos.stage import Stage

# Names in these folders are ours to make.
OURS = ("work", "archive", "error")


def violations(scenario: Scenario, stage: Stage) -> list[str]:
    """Return what is wrong, each beginning with the invariant: I1 to I7."""
    found = list(_orders(scenario, stage) if scenario.flow == "orders" else _way_back(scenario, stage))
    found += _folders(scenario, stage)
    found += _nothing_personal(scenario, stage)
    return found


def writes(stage: Stage) -> int:
    """Return how many writes Asperion has seen, and files SAP: what a run without news must not add to."""
    posted = [
        one for one in stage.box.box.requests if one[0] in ("POST", "PUT") and one[1].startswith("/v1/")
    ]
    return len(posted) + len(stage.sap.mood.appeared)


def traces(stage: Stage) -> list[str]:
    """Return what lies on SAP's server, by path."""
    return sorted(str(path.relative_to(stage.tree)) for path in stage.tree.rglob("*") if path.is_file())


def _orders(scenario: Scenario, stage: Stage) -> Iterator[str]:
    with stage.box.state.lock:
        tables = stage.box.state.administrations[1].tables
        orders = [dict(row.values) for row in tables["salesorderwithlines"].rows.values()]
        debtors = [dict(row.values) for row in tables["debtors"].rows.values() if not row.seeded]
    placed: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for order in orders:
        placed[str(order["reference"])].append(order)
    truths = {truth.reference: truth for file in _all(scenario) for truth in file.truths}
    states = _states(stage)
    for reference, truth in truths.items():
        yield from _order(truth, placed.pop(reference, []), states.pop(reference, None))
    for reference in placed:
        yield f"I1 {reference} is in Asperion and in no file"
    for reference, state in states.items():
        if state in ("open", "intended"):
            yield f"I1 {reference} was left {state}"
    addresses = Counter(str(one["emailAddress"]).strip().casefold() for one in debtors if one["emailAddress"])
    for address, count in addresses.items():
        if count > 1:
            yield f"I2 {count} debtors of one address ({len(address)} characters)"


def _order(truth: Truth, there: list[dict[str, Any]], state: str | None) -> Iterator[str]:
    reference = truth.reference
    if len(there) > 1:
        yield f"I2 {reference} is in Asperion {len(there)} times"
    if truth.end == "delivered" and not there:
        yield f"I3 {reference} is not in Asperion; the ledger says {state}"
    if truth.end == "refused" and there:
        yield f"I1 {reference} should have been refused and is in Asperion"
    if there and Decimal(there[0]["amountExclVat"]) != truth.net:
        yield f"I4 {reference}: {there[0]['amountExclVat']} in Asperion, {truth.net} in the file"
    if state != ("done" if there else "refused"):
        yield f"I1 {reference} ended as {state}, Asperion has {len(there)}"


def _states(stage: Stage) -> dict[str, str]:
    """Return the state of each order in the ledger."""
    kinds = ("sales_order", "sales_invoice")
    with closing(sqlite3.connect(stage.state / "ledger.db")) as ledger:
        rows = ledger.execute("select key, state, kind from asperion_documents").fetchall()
    return {key: state for key, state, kind in rows if kind in kinds}


def _all(scenario: Scenario) -> list[Dropped]:
    return [*scenario.files, *scenario.later]


def _folders(scenario: Scenario, stage: Stage) -> Iterator[str]:
    inbox = stage.tree / INBOX
    left = [path.name for path in inbox.iterdir() if path.is_file()]
    left += [path.name for path in (inbox / "work").glob("*") if path.is_file()]
    if left:
        yield f"I3 {len(left)} files wait for ever: {left}"
    kept = Counter(
        path.read_bytes() for folder in OURS for path in (inbox / folder).rglob("*") if path.is_file()
    )
    for file in _all(scenario) if scenario.flow == "orders" else []:
        if not kept[file.content]:
            yield f"I3 {file.name} is neither in the archive nor among the errors, as it was sent"


def _way_back(scenario: Scenario, stage: Stage) -> Iterator[str]:
    mood = stage.sap.mood
    for name in mood.in_the_open:
        yield f"I5 {name} could be seen while it was written"
    now = articles_of(stage)
    seen: dict[str, dict[str, str]] = {}
    for name, content in mood.appeared:
        rows = _rows(content)
        if rows is None:
            yield f"I5 {name} appeared, and is not whole"
            continue
        for row in rows:
            yield from _row(scenario, row, seen)
    for sku, (price, stock) in now.items():
        column, wanted = ("PRICE", price) if scenario.flow == "products" else ("QUANTITY", stock)
        told = seen.get(sku, {}).get(column)
        if told is None or Decimal(told) != wanted:
            yield f"I3 SAP knows {told} of {sku}, Asperion has {wanted}"


def _row(scenario: Scenario, row: dict[str, str], seen: dict[str, dict[str, str]]) -> Iterator[str]:
    sku = row["SKU"]
    known = seen.get(sku)
    fresh = {name: value for name, value in row.items() if value}
    if scenario.flow == "products":
        if (row["ACTION"] == "create") != (known is None):
            yield f"I2 {sku} was sent as {row['ACTION']}, SAP {'has' if known else 'has not'} got it before"
        if known is not None and Decimal(fresh.get("PRICE", known["PRICE"])) == Decimal(known["PRICE"]):
            yield f"I2 {sku} was sent again with nothing new"
    elif known is not None:
        # Stock was only ever raised while the bench ran.
        if Decimal(row["QUANTITY"]) < Decimal(known["QUANTITY"]):
            yield f"I6 the stock of {sku} went back to an older one"
        if Decimal(row["QUANTITY"]) == Decimal(known["QUANTITY"]):
            yield f"I2 the stock of {sku} was sent again with nothing new"
    seen[sku] = (known or {}) | fresh


def articles_of(stage: Stage) -> dict[str, tuple[Decimal, Decimal]]:
    with stage.box.state.lock:
        table = stage.box.state.administrations[1].tables["articles"]
        return {
            row.values["code"]: (Decimal(row.values["price"]), Decimal(row.values["currentStock"]))
            for row in table.rows.values()
        }


def _rows(content: bytes) -> list[dict[str, str]] | None:
    """Return the rows of a file, None when its last line does not say that all of them are there."""
    lines = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";"))
    if len(lines) < 2 or lines[-1][0] != "END" or lines[-1][1] != str(len(lines) - 2):
        return None
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:-1]]


def _nothing_personal(scenario: Scenario, stage: Stage) -> Iterator[str]:
    secrets = {truth.email.encode() for file in _all(scenario) for truth in file.truths if truth.email}
    if scenario.flow != "orders":
        return
    for folder in (stage.state, stage.logs):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            if any(secret in content for secret in secrets):
                yield f"I7 an e-mail address stands in {path.relative_to(stage.home)}"
