"""Operators to SAP: what the form and a backfill ask for reaches the flow, and its answer reaches Airflow."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_asperion.flows.to_sap.extract import Extraction
from airflow_provider_asperion.operators import publishing
from airflow_provider_asperion.operators.customers import (
    ExtractCustomersOperator,
    PublishCustomersOperator,
    SettleCustomersOperator,
)
from airflow_provider_asperion.operators.interval import archived_interval, changed_interval
from airflow_provider_asperion.operators.orders_to_sap import (
    ExtractOrdersToSapOperator,
    PublishOrdersToSapOperator,
    SettleOrdersToSapOperator,
)
from airflow_provider_asperion.operators.outgoing import asset_of
from airflow_provider_asperion.operators.products import (
    ExtractProductsOperator,
    PublishProductsOperator,
    SettleProductsOperator,
)
from airflow_provider_asperion.operators.publishing import BatchPublished
from airflow_provider_asperion.operators.stock import (
    ExtractStockOperator,
    PublishStockOperator,
    SettleStockOperator,
)
from airflow_provider_asperion.records import Problem, ProblemError
from tests.support.outgoing import a_batch

pytestmark = pytest.mark.feature("O1", "P1", "S1", "C1")
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
DAY = (NOON - dt.timedelta(days=1), NOON)
FLOWS = {
    "products_to_sap": (ExtractProductsOperator, PublishProductsOperator, SettleProductsOperator),
    "stock_to_sap": (ExtractStockOperator, PublishStockOperator, SettleStockOperator),
    "customers_to_sap": (ExtractCustomersOperator, PublishCustomersOperator, SettleCustomersOperator),
    "orders_to_sap": (ExtractOrdersToSapOperator, PublishOrdersToSapOperator, SettleOrdersToSapOperator),
}


@pytest.fixture(params=FLOWS)
def flow(request):
    return request.param


def extraction(*batches):
    return Extraction("run@12", NOON, "1", moves_watermark=True, batches=list(batches), seen=3)


def test_extracting_gives_the_batches_and_tells_the_settling_task(task, calls, flow):
    noted = calls(publishing, "extract", extraction(a_batch()))
    context = task.context(full=True)
    batches = FLOWS[flow][0](task_id="extract").execute(context)
    ((name, settings), asked) = noted[0]
    assert (name, type(settings).__name__.lower()) == (flow, flow.replace("_", ""))
    assert (asked["integration"], asked["run"]) == ("default", "dag/run")
    assert (asked["interval"], asked["full"]) == (None, True)
    assert batches == [a_batch().model_dump(mode="json")]
    assert task.ti.pushed["extraction"]["counts"]["seen"] == 3
    assert task.ledger_calls == [("begin", "default", flow)]


def test_a_dry_run_is_not_put_down(task, calls):
    calls(publishing, "extract", extraction())
    assert ExtractProductsOperator(task_id="extract").execute(task.context(dry_run=True)) == []
    assert task.ledger_calls == []


@pytest.mark.feature("X3")
def test_publishing_gets_what_the_form_says(task, calls, flow):
    noted = calls(publishing, "publish_batch", BatchPublished(("run@12", 1), Counter(create=2), ["a.xml"]))
    operator = FLOWS[flow][1](task_id="publish", batch=a_batch().model_dump(mode="json"))
    told = operator.execute(task.context(dry_run=True, full=True))
    ((batch, name, _), asked) = noted[0]
    assert (batch, name) == (a_batch(), flow)
    assert (asked["dry_run"], asked["full"], asked["owner"]) == (True, True, "dag/run/task/0/1")
    assert (told["batch"], told["counts"], told["files"]) == (["run@12", 1], {"create": 2}, ["a.xml"])


@pytest.mark.parametrize(
    ("files", "dry_run", "events"),
    [(2, False, 1), (0, False, 0), (2, True, 0)],
    ids=["sent", "nothing", "dry"],
)
def test_an_asset_event_tells_the_counts_when_something_was_published(
    task, calls, flow, files, dry_run, events
):
    summary = {"counts": {"create": 2}, "files": files, "extracted": {"seen": 2}}
    calls(publishing, "settle", summary, waits=False)
    told = {("extract", "extraction"): extraction().told()}
    context = task.context(pulled=told, dry_run=dry_run)
    operator = FLOWS[flow][2](task_id="settle", extracted=[], published=[])
    assert operator.execute(context) == summary
    (alias,) = operator.outlets
    assert task.asset_events == [(alias.name, asset_of(flow, "default"), summary)] * events
    assert task.ended == ([] if dry_run else [("done", True)])


def test_a_run_that_does_not_settle_is_put_down_as_failed(task, calls):
    problem = Problem(rule="run.unpublished", message="1 batches are not published", remedy="see the logs")
    calls(publishing, "settle", ProblemError(problem), waits=False)
    operator = SettleProductsOperator(task_id="settle", extracted=[], published=None)
    with pytest.raises(AirflowFailException, match="not published"):
        operator.execute(task.context())
    assert task.ended == [("failed", False)]
    assert task.asset_events == []


@pytest.mark.parametrize(("transient", "raised"), [(True, AirflowException), (False, AirflowFailException)])
def test_what_may_pass_is_tried_again_and_the_rest_is_not(task, calls, transient, raised):
    problem = Problem(rule="sftp.down", message="no answer", remedy="wait", transient=transient)
    calls(publishing, "publish_batch", ProblemError(problem))
    operator = PublishProductsOperator(task_id="publish", batch=a_batch().model_dump(mode="json"))
    with pytest.raises(AirflowException) as caught:
        operator.execute(task.context())
    assert type(caught.value) is raised
    assert caught.value.__cause__ is None, "a library's own text may hold values"


def test_a_flow_that_the_integration_does_not_have_is_told(task):
    with pytest.raises(AirflowFailException, match="no integration 'other'"):
        ExtractProductsOperator(task_id="extract", integration="other").execute(task.context(dry_run=True))


def test_what_is_mapped_and_the_integration_are_rendered(flow):
    extract, publish, settle = FLOWS[flow]
    assert set(extract.template_fields) == {"integration"}
    assert set(publish.template_fields) == {"integration", "batch"}
    assert set(settle.template_fields) == {"integration", "extracted", "published"}


@pytest.mark.feature("X4")
@pytest.mark.parametrize(
    ("run", "params", "expected"),
    [
        ({"run_type": "scheduled", "interval": DAY}, {}, None),
        ({"run_type": "backfill", "interval": DAY}, {}, DAY),
        ({"run_type": "backfill"}, {}, None),
        ({"run_type": "backfill", "interval": DAY}, {"from": "2026-01-01", "to": "2026-01-02"}, (1, 2)),
        ({"run_type": "manual"}, {"from": "2026-01-01T01:00:00+01:00", "to": "2026-01-02T00:00:00"}, (1, 2)),
    ],
)
@pytest.mark.parametrize(
    ("kind", "interval"), [("changed", changed_interval), ("archived", archived_interval)]
)
def test_the_forms_interval_counts_then_that_of_a_backfill(task, kind, interval, run, params, expected):
    context = task.context(**run, **{f"{kind}_{end}": text for end, text in params.items()})
    if expected == (1, 2):
        expected = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    assert interval(context) == expected
