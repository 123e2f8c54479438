"""The worked examples of the manual's pages: what Asperion holds, and the file that SAP gets of it.

A page has fenced blocks marked ``yaml settings``, ``json asperion`` (one, or two: the second one later) and
``xml file`` or ``csv file``, one for each mapping and for each of the two. ``python -m
tests.support.docs_examples`` writes the files anew into the pages.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from airflow_provider_asperion.asperion.wire import read_article, read_debtor, read_detail
from airflow_provider_asperion.flows.to_sap.customers import CustomerSource
from airflow_provider_asperion.flows.to_sap.observed import OutBatch
from airflow_provider_asperion.flows.to_sap.orders import OrderSource
from airflow_provider_asperion.flows.to_sap.prepare import Preparing, mapped_records, prepare
from airflow_provider_asperion.flows.to_sap.products import ProductSource
from airflow_provider_asperion.flows.to_sap.stock import StockSource
from airflow_provider_asperion.ledger import IdentityHasher
from airflow_provider_asperion.ledger.snapshots import Snapshot
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.sap.layouts import load_layouts
from airflow_provider_asperion.settings import parse_settings
from airflow_provider_asperion.staging import BatchRef
from tests.support.fake_asperion import FakeAsperion

if TYPE_CHECKING:
    from airflow_provider_asperion.asperion.names import Names

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {
    "products-to-sap.md": "products_to_sap",
    "stock-to-sap.md": "stock_to_sap",
    "customers-to-sap.md": "customers_to_sap",
    "orders-to-sap.md": "orders_to_sap",
}
BLOCK = re.compile(r"```(?P<kind>\w+) (?P<role>settings|asperion|file)\n(?P<text>.*?)```", re.DOTALL)
NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HASHED = IdentityHasher(b"x" * 32)


def blocks(page: str, role: str) -> list[str]:
    """Return the texts of a page's blocks of one role."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [found["text"] for found in BLOCK.finditer(text) if found["role"] == role]


def files_of(page: str) -> list[str]:
    """Return what SAP gets by a page's settings, of what the page says that Asperion holds."""
    (settings,) = blocks(page, "settings")
    bodies = [json.loads(text, parse_float=Decimal) for text in blocks(page, "asperion")]
    return files_by(settings, PAGES[page], bodies)


def files_by(settings: str, flow: str, bodies: list[dict]) -> list[str]:
    """Return what SAP gets by settings; the bodies are what Asperion tells, one after the other."""
    integration = parse_settings(settings).integrations["default"]
    return asyncio.run(_files(flow, integration, bodies))


async def _files(flow_name, integration, bodies):
    flow = getattr(integration.flows, flow_name)
    files, known = [], {name: {} for name in flow.mappings}
    for number, body in enumerate(bodies, 1):
        records = await _observed(flow_name, flow, integration.asperion.names, body)
        for name, choice in flow.mappings.items():
            parts = Preparing(
                flow_name=flow_name,
                flow=flow,
                mapping=SapMapping.load(
                    name,
                    choice.rows,
                    names=choice.names,
                    look_ups=flow.look_ups,
                    lengths=load_layouts(flow.writing.layouts).lengths,
                ),
                ledger=None,
                administration="1",
                batch=OutBatch(
                    reference=BatchRef(uri="x", sha256="x", count=1, bytes=1),
                    number=number,
                    extraction="example",
                    extracted_at=NOON,
                ),
                hashed=HASHED,
                full=False,
            )
            made = prepare(records, mapped_records(records, parts.mapping), known[name], parts)
            assert not made.refused, made.refused
            known[name] |= {one.observed.key: _snapshot(one) for one in made.ready}
            files += [file.body.decode() for file in made.files]
    return files


def _snapshot(ready):
    return Snapshot(
        key=ready.observed.key,
        fields=ready.change.hashes,
        action=ready.action,
        observed_at=NOON,
        published_at=NOON,
        file="x",
        number=ready.document.number,
        run_id="x",
        posted="sent",
    )


async def _observed(flow_name, flow, names: Names, body):
    asperion = FakeAsperion()
    asperion.names = names
    asperion.open_order_lines = _no_lines
    if flow_name == "orders_to_sap":
        source = OrderSource(flow, lambda reference: False)
        asperion.debtors = [read_debtor(body["debtor"], names.debtor)]
        item = read_detail(body["order"], "sales_order", names.document("sales_order"))
    elif flow_name == "customers_to_sap":
        source, item = CustomerSource(flow, HASHED), read_debtor(body, names.debtor)
    else:
        item = read_article(body, names.article)
        source = StockSource(flow) if flow_name == "stock_to_sap" else ProductSource(flow, NOON.date())
    await source.prepare(asperion)
    return await source.observe(item, NOON)


async def _no_lines():
    for line in ():
        yield line


def plain(text: str) -> str:
    """Return a file without the line breaks between tags that make it readable on a page."""
    return re.sub(r">\s+<", "><", text).replace("\r\n", "\n").strip()


def readable(text: str) -> str:
    """Return a file as it stands on a page."""
    if not text.startswith("<?xml"):
        return text.replace("\r\n", "\n")
    root = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True))
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode") + "\n"


def renew(page: str) -> None:
    """Write the files of a page anew."""
    made = iter(files_of(page))
    text = (DOCS / page).read_text(encoding="utf-8")

    def with_file(found: re.Match[str]) -> str:
        if found["role"] != "file":
            return found[0]
        return f"```{found['kind']} file\n{readable(next(made))}```"

    (DOCS / page).write_text(BLOCK.sub(with_file, text), encoding="utf-8")


if __name__ == "__main__":
    for name in PAGES:
        renew(name)
