"""The way back in the demo: products, stock, customers and orders of Asperion as files for SAP."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sandbox.demo_orders import get
from airflow_provider_asperion.sap.profile import CsvProfile, ReadProfile
from airflow_provider_asperion.sap.reading import read_documents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_asperion.sandbox.demo_airflow import DemoAirflow

FOLDER = "in"  # SAP's inbound side
DAGS = {
    "asperion_products_to_sap": "products",
    "asperion_stock_to_sap": "stock",
    "asperion_customers_to_sap": "customers",
    "asperion_orders_to_sap": "orders",
}
PROFILE = ReadProfile(
    message_types=("ORDERS", "MATMAS", "DEBMAS", "ADRMAS"), csv=CsvProfile(name="stock", group_by="SKU")
)
SETTINGS = f"""\
      products_to_sap:
        schedule: "0 5 * * *"
        folder: {{folder: {FOLDER}/products}}
        writing: {{format: idoc_xml, control: {{receiver_port: SAPDEM, receiver: DEMCLNT100}}}}
      stock_to_sap:
        schedule: "0 5 * * *"
        folder: {{folder: {FOLDER}/stock, done_file: "{{name}}.done"}}
      customers_to_sap:
        schedule: "0 5 * * *"
        folder: {{folder: {FOLDER}/customers}}
        writing: {{format: idoc_flat, control: {{receiver_port: SAPDEM, receiver: DEMCLNT100}}}}
        company_kind: B
      orders_to_sap:
        schedule: "0 5 * * *"
        folder: {{folder: {FOLDER}/orders}}
        writing: {{format: json}}
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """What SAP finds of one kind of document."""

    flow: str
    file: str
    kind: str
    records: int
    problems: int


def run_all(airflow: DemoAirflow, tell: Callable[[str], None]) -> list[str]:
    """Switch the DAGs on and wait for their first runs; return what went wrong."""
    for dag in DAGS:
        airflow.wait_for_dag(dag)
        airflow.request("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
    tell(f"{len(DAGS)} DAGs bring products, stock, customers and orders back; their first runs begin")
    faults = []
    for dag in DAGS:
        state = airflow.wait_for_run(dag, lambda _: None)["state"]
        tell(f"{dag}: {state}")
        if state != "success":
            faults.append(f"the run of {dag} ended as {state}")
    return faults


def what_sap_finds(tree: Path) -> list[Sent]:
    """Read the files that were written, with the reader for SAP's own files."""
    found = []
    for flow in DAGS.values():
        for path in sorted((tree / FOLDER / flow).glob("*")):
            if path.suffix == ".done":
                continue
            with path.open("rb") as stream:
                documents = list(read_documents(stream, file=path.name, profile=PROFILE))
            good = Counter(one.message_type for one in documents if not isinstance(one, Problem))
            bad = sum(isinstance(one, Problem) for one in documents)
            found += [Sent(flow, path.name, kind, count, bad) for kind, count in good.items()]
    return found


def table(found: list[Sent]) -> str:
    """Return what SAP finds as text."""
    rows = [("flow", "document", "records", "file"), ("-" * 9, "-" * 8, "-" * 7, "-" * 52)]
    rows += [(one.flow, one.kind, f"{one.records:7}", one.file) for one in found]
    return "\n".join("  ".join((f"{a:9}", f"{b:8}", f"{c:7}", d)).rstrip() for a, b, c, d in rows) + "\n"


def faults_of(found: list[Sent], asperion: dict[str, Any], from_sap: int) -> list[str]:
    """Compare what SAP finds with what Asperion holds.

    :param from_sap: orders in Asperion that SAP sent itself: they do not go back.
    """
    active = _count(asperion, "articles")
    expected = {
        "MATMAS": _count(asperion, "articles?ActiveState=All"),
        "stock": active,
        "DEBMAS": _count(asperion, "debtors"),
        "ADRMAS": _count(asperion, "debtors"),
        "ORDERS": _count(asperion, "SalesOrderWithLines") - from_sap,
    }
    sent = Counter({one.kind: 0 for one in found})
    for one in found:
        sent[one.kind] += one.records
    faults = [
        f"SAP should find {count} {kind}, it finds {sent[kind]}"
        for kind, count in expected.items()
        if sent[kind] != count
    ]
    return faults + [f"{one.file}: {one.problems} documents cannot be read" for one in found if one.problems]


def _count(asperion: dict[str, Any], path: str) -> int:
    separator = "&" if "?" in path else "?"
    return int(get(asperion, f"{path}{separator}pageSize=1")["_meta"]["totalCount"])
