"""Operators from SAP's files: no file ends the run quietly; what is left open fails the task, and how."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_asperion.operators import answering, delivering, mastering, reading, settling
from airflow_provider_asperion.operators.answers import ListAnswerFilesOperator, ReadAnswersOperator
from airflow_provider_asperion.operators.customers import DeliverCustomersOperator, ListCustomerFilesOperator
from airflow_provider_asperion.operators.orders import (
    DeliverOrdersOperator,
    ListOrderFilesOperator,
    ReadOrdersOperator,
    SettleOrdersOperator,
    all_batches,
)
from airflow_provider_asperion.operators.products import DeliverProductsOperator, ListProductFilesOperator
from airflow_provider_asperion.records import Problem, Tally

pytestmark = pytest.mark.feature("O1")
LISTS = (
    ListOrderFilesOperator,
    ListCustomerFilesOperator,
    ListProductFilesOperator,
    ListAnswerFilesOperator,
)
OPEN = Problem(rule="asperion.down", message="Asperion does not answer", remedy="wait", transient=True)
GROUP = {"files": [], "share": 1}
WRONG = Problem(rule="order.changed", message="other content", remedy="change it by hand")


@pytest.mark.parametrize("operator", LISTS)
def test_no_file_puts_the_run_down_as_idle_and_skips_what_follows(task, calls, monkeypatch, operator):
    calls(operator, "_list", [])
    skipped = []
    monkeypatch.setattr(operator, "skip", lambda self, ti, tasks: skipped.append(tasks))
    context = task.context()
    context["task"] = SimpleNamespace(get_flat_relatives=lambda *, upstream: ["read", "settle"])
    assert operator(task_id="list").execute(context) == []
    assert skipped == [["read", "settle"]]
    assert task.ended == [("idle", True)]


@pytest.mark.parametrize("operator", LISTS)
def test_files_begin_the_run(task, calls, operator):
    calls(operator, "_list", [{"files": []}])
    assert operator(task_id="list").execute(task.context()) == [{"files": []}]
    assert task.ledger_calls == [("begin", "default", operator.flow_name)]


def test_reading_gets_its_group_and_the_form(task, calls):
    noted = calls(reading, "read_group", [])
    assert ReadOrdersOperator(task_id="read", files=GROUP).execute(task.context(dry_run=True)) == []
    ((group,), asked) = noted[0]
    assert (group.files, asked["dry_run"], asked["run"]) == ((), True, "dag/run")


def batch(number, count):
    return {"number": number, "reference": {"count": count}}


def test_small_batches_go_together_and_a_large_one_alone():
    read = [
        [{"batches": [batch(1, 200), batch(2, 200), batch(3, 200)]}, {"batches": []}],
        [{"batches": [batch(4, 900)]}],
    ]
    groups = all_batches.function(read, orders_per_task=500)
    assert [[one["number"] for one in group] for group in groups] == [[1, 2], [3], [4]]


def delivered(pending, reason):
    return SimpleNamespace(tallies={"c1": Tally()}, pending=pending, reason=reason, transient=reason is OPEN)


def test_delivered_orders_are_told_by_file(task, calls):
    noted = calls(delivering, "deliver_batches", delivered(0, None))
    told = DeliverOrdersOperator(task_id="deliver", batch=[]).execute(task.context(full=True))
    assert list(told["tallies"]) == ["c1"]
    assert noted[0][1]["full"] is True
    assert task.ti.pushed == {}


@pytest.mark.parametrize(("reason", "raised"), [(OPEN, AirflowException), (WRONG, AirflowFailException)])
def test_orders_without_an_end_fail_the_task_and_are_told_all_the_same(task, calls, reason, raised):
    calls(delivering, "deliver_batches", delivered(2, reason))
    with pytest.raises(AirflowException, match="2 orders have no end state") as caught:
        DeliverOrdersOperator(task_id="deliver", batch=[]).execute(task.context())
    assert type(caught.value) is raised
    assert list(task.ti.pushed["return_value"]["tallies"]) == ["c1"]


@pytest.mark.feature("X3")
def test_a_dry_run_plans_and_delivers_nothing(task, calls):
    plan = SimpleNamespace(model_dump=lambda *, mode: {"actions": {"create": 1}})
    calls(delivering, "deliver_batches", AssertionError("a dry run delivers nothing"))
    calls(delivering, "plan_batches", plan)
    told = DeliverOrdersOperator(task_id="deliver", batch=[]).execute(task.context(dry_run=True))
    assert told == {"plan": {"actions": {"create": 1}}}


@pytest.mark.parametrize(("problems", "ended"), [([], ("done", True)), ([WRONG], ("failed", False))])
def test_settling_fails_for_good_when_a_file_is_open(task, calls, problems, ended):
    closing = SimpleNamespace(summary={"files": 1, "counts": {"created": 2}}, open_problems=problems)
    calls(settling, "settle_run", closing)
    operator = SettleOrdersOperator(task_id="settle", read=None, delivered=None)
    if problems:
        with pytest.raises(AirflowFailException, match="other content"):
            operator.execute(task.context())
    else:
        assert operator.execute(task.context()) == closing.summary
    assert task.ended == [ended]


@pytest.mark.parametrize("operator", [DeliverCustomersOperator, DeliverProductsOperator])
@pytest.mark.parametrize("pending", [[], [SimpleNamespace(problems=(OPEN,))]])
def test_master_data_that_has_to_wait_is_tried_again(task, calls, operator, pending):
    result = SimpleNamespace(
        pending=pending, stopped=None, told=lambda: {"files": 1, "counts": {"created": 1}}
    )
    calls(mastering, "deliver_files", result)
    deliver = operator(task_id="deliver", files=[GROUP])
    if pending:
        with pytest.raises(AirflowException, match="1 records have no end state") as caught:
            deliver.execute(task.context())
        assert not isinstance(caught.value, AirflowFailException)
    else:
        assert deliver.execute(task.context()) == result.told()
    assert task.ended == [("failed", False) if pending else ("done", True)]


def test_answers_of_sap_are_counted(task, calls):
    counts = {"files": 1, "posted": 2}
    noted = calls(answering, "read_answers", counts)
    operator = ReadAnswersOperator(task_id="read", files=[GROUP, GROUP])
    assert operator.execute(task.context()) == counts
    assert noted[0][0] == ([],)
    assert ("end", "done") in [call[:2] for call in task.ledger_calls]
