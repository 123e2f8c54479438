"""Settling a run to SAP: all batches of its extraction, and none of an earlier one."""

from __future__ import annotations

import logging
import os
import tempfile
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.operators.publishing import sap_mappings_of, settle
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.settings import OrdersToSap

pytestmark = pytest.mark.feature("X4")
LOG = logging.getLogger(__name__)
NAMES = {"flow_name": "products_to_sap", "run": "dag/run", "dry_run": True, "log": LOG}


@pytest.fixture(autouse=True)
def discarded(monkeypatch):
    found = []
    monkeypatch.setattr(runtime, "staging", lambda: SimpleNamespace(discard=found.append))
    return found


def extraction(name):
    return {
        "counts": {"seen": 3},
        "began_at": "2026-11-24T06:00:00+00:00",
        "moves_watermark": True,
        "name": name,
    }


def batch(name, number):
    return {"extraction": name, "number": number}


def published(name, number, **counts):
    return {"batch": [name, number], "counts": counts, "files": [f"{name}-{number}.xml"]}


def test_what_an_earlier_extraction_of_the_run_returned_does_not_count(discarded):
    """A run that is cleared may have fewer batches than before; Airflow keeps what the others returned."""
    told = [
        published("second", 1, update=2),
        published("first", 2, create=20),
        published("first", 3, create=20),
    ]
    summary = settle(extraction("second"), [batch("second", 1)], told, **NAMES)
    assert (summary["counts"], summary["files"]) == ({"update": 2}, 1)
    assert len(discarded) == 1


def test_a_batch_that_is_not_published_fails_the_run_and_keeps_its_staging(discarded):
    batches = [batch("second", 1), batch("second", 2)]
    told = [published("second", 1, update=2), published("first", 2, create=20)]
    with pytest.raises(ProblemError, match="1 batches are not published"):
        settle(extraction("second"), batches, told, **NAMES)
    assert discarded == []


def test_a_run_without_an_extraction_fails():
    with pytest.raises(ProblemError, match="nothing was extracted"):
        settle(None, [], [], **NAMES)


@pytest.mark.feature("O9")
def test_the_mapping_follows_the_kind_of_document():
    assert [one.message_type for one in sap_mappings_of(OrdersToSap())] == ["ORDERS"]
    assert [one.message_type for one in sap_mappings_of(OrdersToSap(kind="sales_invoice"))] == ["INVOIC"]
    assert sap_mappings_of(OrdersToSap(kind="sales_invoice", mappings={"orders_out_csv": {}}))


@pytest.mark.feature("O9")
@pytest.mark.parametrize(
    ("kind", "mapping"), [("sales_invoice", "orders_orders05"), ("sales_order", "invoices_invoic02")]
)
def test_an_invoice_never_leaves_as_an_order(kind, mapping):
    with pytest.raises(ProblemError) as caught:
        sap_mappings_of(OrdersToSap(kind=kind, mappings={mapping: {}}))
    assert caught.value.problems[0].rule == "mapping.kind"


def test_two_mappings_of_one_name_are_refused(tmp_path, monkeypatch):
    """The ledger keeps what SAP got by the name: the second one would find that SAP has it all."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.yaml").write_text("extends: orders_orders05\n")
    monkeypatch.setattr(runtime, "settings_path", lambda: tmp_path / "asperion.yaml")
    one = OrdersToSap(mappings={"one/own.yaml": {}})
    assert [mapping.name for mapping in sap_mappings_of(one)] == ["own"]
    with pytest.raises(ProblemError) as caught:
        sap_mappings_of(OrdersToSap(mappings={"one/own.yaml": {}, "two/own.yaml": {}}))
    assert caught.value.problems[0].rule == "mapping.double"
