"""What flows to SAP and master data refuse is told; its end only by a run that looked at everything."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import pytest

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import alerts
from airflow_provider_asperion.notifications import alarms
from airflow_provider_asperion.operators.outgoing import SettleOperator
from tests.integration import test_master_data, test_to_sap
from tests.integration.test_notifications import LOG, desk  # noqa: F401 - a fixture
from tests.support.cli_world import world

pytestmark = pytest.mark.feature("W4")
CHANNELS = {"desk": {"notifier": "http", "arguments": {"http_conn_id": "desk"}}}


@pytest.fixture
def place(tmp_path, sshd, inbox, monkeypatch, desk):  # noqa: F811
    http = {"conn_type": "http", "host": f"http://127.0.0.1:{desk.port}"}
    monkeypatch.setenv("AIRFLOW_CONN_DESK", json.dumps(http))
    with world(tmp_path / "home", sshd, inbox, monkeypatch, articles=12, debtors=6, orders=0) as made:
        folder = inbox / "customers"
        folder.mkdir()
        made.other_flows = {
            "products_to_sap": {"folder": {"folder": str(inbox / "products")}},
            "customers_to_asperion": {
                "enabled": True,
                "folder": {"inbox": str(folder), "stable_looks": 1, "minimum_age_seconds": 0},
            },
        }
        made.notifications["channels"] = CHANNELS
        made.write()
        yield made


def ended(flow, count, *, whole):
    context = {"params": {}, "run_id": f"run{count}", "ti": SimpleNamespace(dag_id=flow)}
    alarms.run_ended(context, integration="default", flow=flow, well=True, whole=whole, log=LOG)


def told(desk):  # noqa: F811
    return [
        (cause["kind"], cause["rule"], cause["count"], cause["records"])
        for body in desk.bodies
        for cause in body["causes"]
    ]


def test_a_product_that_cannot_travel_is_told_until_a_whole_run_does_not_meet_it(place, desk):  # noqa: F811
    run = test_to_sap.Runner(place)
    place.sandbox.change("articles", "SKU-00007", eanCode="123")
    assert run("products_to_sap")["extracted"]["refused"] == 1
    ended("products_to_sap", 1, whole=True)
    assert told(desk) == [("new", "product.ean", 1, ["SKU-00007"])]
    run("products_to_sap")
    ended("products_to_sap", 2, whole=True)
    assert len(told(desk)) == 1, "still so, and no news"
    place.sandbox.change("articles", "SKU-00007", eanCode="")
    now = dt.datetime.now(dt.UTC)
    run("products_to_sap", interval=(now - dt.timedelta(days=900), now - dt.timedelta(days=800)))
    ended("products_to_sap", 3, whole=False)
    assert len(told(desk)) == 1, "a part of the list says nothing of the rest"
    run("products_to_sap")
    ended("products_to_sap", 4, whole=True)
    assert told(desk)[1:] == [("resolved", "product.ean", 1, ["SKU-00007"])]


@pytest.mark.parametrize(
    ("moves", "by", "full", "again", "whole"),
    [
        (True, "content", False, False, True),
        (False, "content", False, False, False),  # an interval
        (True, "date", False, False, False),
        (True, "date", True, False, True),
        (True, "content", False, True, False),  # published by an earlier try: what was refused is not known
    ],
)
def test_which_run_looks_at_everything(place, moves, by, full, again, whole):
    place.other_flows["products_to_sap"]["changes"] = {"by": by}
    place.write()

    class Settle(SettleOperator):
        flow_name = "products_to_sap"

    settle = Settle(task_id="settle", extracted=[], published=[{"batch": [1, 1], "again": again}])
    assert settle._is_whole({"moves_watermark": moves}, full=full) is whole


def test_a_customer_file_that_tells_what_cannot_be_is_told_and_forgotten_after_some_days(place, desk, inbox):  # noqa: F811
    run = test_master_data.Runner(place, inbox)
    run.drop(
        "customers", "1.xml", test_master_data.debmas({"KUNNR": "70003", "NAME1": "De Molen", "LAND1": "Nil"})
    )
    run("customers")
    ended("customers_to_asperion", 1, whole=False)
    assert [one[:3] for one in told(desk)] == [("new", "mapping.row", 1)]
    ended("customers_to_asperion", 2, whole=False)
    with runtime.open_ledger() as ledger:
        assert len(ledger.run(alerts.open_alerts)) == 1
        with ledger.transaction() as work:
            work.connection.exec_driver_sql("UPDATE asperion_alerts SET seen_at = '2026-01-01 00:00:00'")
    ended("customers_to_asperion", 3, whole=False)
    with runtime.open_ledger() as ledger:
        assert ledger.run(alerts.open_alerts) == []
    assert len(told(desk)) == 1
