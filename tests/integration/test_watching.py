"""A flow that refuses too much stops, and goes on; the watch tells of files that do not come."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.ledger import circuits
from airflow_provider_asperion.notifications.watching import watch
from airflow_provider_asperion.operators import breaking
from airflow_provider_asperion.operators.orders import ListOrderFilesOperator
from airflow_provider_asperion.operators.settling import settle_run
from airflow_provider_asperion.records import ProblemError
from tests.integration.test_notifications import (  # noqa: F401 - fixtures
    LOG,
    desk,
    mail,
    place,
    rows,
    run,
)
from tests.support.orders_runner import add_article

pytestmark = pytest.mark.feature("W4")


@pytest.fixture
def strict(place):  # noqa: F811
    place.flow["circuit"] = {"share": 0.5, "minimum": 3}
    return place


def stopped():
    with runtime.open_ledger() as ledger:
        return [one.flow for one in ledger.run(circuits.circuits)]


def settled(run):  # noqa: F811
    """Settle a run whose delivery has failed: its file waits for the next one."""
    flow = runtime.flow("default", "orders_to_asperion")
    name = f"orders/run{run.runner.count}"
    asyncio.run(
        settle_run(read=[], delivered=[], integration="default", flow=flow, run=name, dry_run=False, log=LOG)
    )


def causes(desk):  # noqa: F811
    return [(cause["kind"], cause["rule"]) for body in desk.bodies for cause in body["causes"]]


def test_too_many_refused_stop_the_flow_and_nothing_is_lost(strict, run, desk, capsys):  # noqa: F811
    run(file=rows(1, 2))
    assert stopped() == []
    run(file=rows(3, 4, 5))
    assert stopped() == ["orders_to_asperion"]
    assert ("new", "circuit.open") in causes(desk)
    with pytest.raises(ProblemError, match="stands still: 3 of 3 records were refused") as raised:
        run(file=rows(6, sku="SKU-00001"))
    assert not raised.value.transient
    assert [order["reference"] for order in strict.sandbox.summary()["orders"]] == []

    settled(run)
    with runtime.open_ledger() as ledger:
        rules = runtime.flow("default", "orders_to_asperion").circuit
        assert breaking.stops(ledger, "default", "orders_to_asperion", rules) is not None
    operator = ListOrderFilesOperator(task_id="list")
    assert operator._stopped({"params": {}}) is not None, "the next run does not begin"
    assert operator._stopped({"params": {"retry": ["*"]}}) is None, "a person may try"

    assert main(["circuit"]) == 0
    assert "orders_to_asperion  since" in capsys.readouterr().out
    assert main(["circuit", "reset", "--flow", "orders_to_asperion"]) == 0
    assert main(["circuit", "reset", "--flow", "orders_to_asperion"]) == 1
    assert causes(desk)[-1] == ("resolved", "circuit.open")
    run()
    assert [order["reference"] for order in strict.sandbox.summary()["orders"]] == ["6"]


def test_closed_on_a_page_its_end_is_told_by_the_next_run(strict, run, desk):  # noqa: F811
    run(file=rows(3, 4, 5))
    run.end("run8")
    assert ("resolved", "circuit.open") not in causes(desk)
    with runtime.open_ledger() as ledger:
        ledger.run(circuits.reset, "default", "orders_to_asperion")
    run.end("run9")
    assert causes(desk)[-1] == ("resolved", "circuit.open")


def test_after_the_cool_down_a_good_batch_lets_the_flow_go_on(strict, run, desk):  # noqa: F811
    run(file=rows(3, 4, 5))
    strict.flow["circuit"]["cool_down_minutes"] = 0.0001
    assert run(file=rows(6, sku="SKU-00001")) == {"created": 1}
    assert stopped() == []
    assert causes(desk)[-1] == ("resolved", "circuit.open")


def test_refused_while_they_are_read_counts_as_well(strict, run):  # noqa: F811
    with suppress(ProblemError):
        run(file=rows(1, 2, 3).replace(";1;3.00", ";one;3.00"))
    assert stopped() == ["orders_to_asperion"]


def test_without_a_share_in_the_settings_nothing_stops(run):  # noqa: F811
    run(file=rows(*range(30)))
    assert stopped() == []


def test_the_watch_tells_of_a_file_that_does_not_come_and_of_missing_numbers(place, run, desk):  # noqa: F811
    place.flow["expect"] = {
        "cron": "* * * * *",
        "files": 3,
        "number": r"orders(?P<number>\d+)",
        "grace_minutes": 0,
    }
    run(file=rows(1, sku="SKU-00001"))
    run(file=rows(2, sku="SKU-00001"))
    watch("default", "asperion_watch/1", log=LOG)
    assert causes(desk) == [("new", "file.gap")], (
        "orders1, orders3; what was due before it was watched is not late"
    )
    with runtime.open_ledger() as ledger, ledger.transaction() as work:
        work.connection.exec_driver_sql(
            "UPDATE asperion_watermarks SET updated_at = '2026-01-01' WHERE flow LIKE 'watch/%'"
        )
    assert watch("default", "asperion_watch/2", log=LOG)["open"] == 2
    assert causes(desk)[1:] == [("new", "file.late")]
    body = desk.bodies[-1]
    assert body["causes"][0]["link"] == "https://airflow.example.org/asperion/"
    assert body["causes"][0]["run_link"] == "https://airflow.example.org/dags/asperion_watch/runs/2"
    place.flow["expect"]["files"] = 2
    place.write()
    watch("default", "asperion_watch/3", log=LOG)
    assert causes(desk)[2:] == [("resolved", "file.late")]


def test_the_watch_sends_what_waited(place, run, desk, caplog):  # noqa: F811
    place.notifications["silences"] = [{}]
    run(file=rows(1))
    with caplog.at_level(logging.INFO):
        assert watch("default", "asperion_watch/1", log=LOG)["waiting"] == 2
    assert "messages wait" in caplog.text
    place.notifications["silences"] = []
    place.write()
    assert watch("default", "asperion_watch/2", log=LOG) == {"open": 1, "sent": 2, "waiting": 0}
    assert causes(desk) == [("new", "article.missing")]


def test_mended_and_tried_again_while_the_flow_stands_still(strict, run, desk):  # noqa: F811
    run(file=rows(3, 4, 5))
    add_article(strict, "SKU-99999")
    strict.flow["circuit"] = {}
    assert run("*") == {"created": 3}
