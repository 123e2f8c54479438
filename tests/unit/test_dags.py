"""The ready DAGs: quick to parse, as the settings say, and telling where those are wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG

from airflow_provider_asperion.notifications.failures import task_failed
from airflow_provider_asperion.operators.orders import ListOrderFilesOperator

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow before 3.2
    from airflow.models.dagbag import DagBag

try:
    from airflow.sdk import CronDataIntervalTimetable
except ImportError:  # Airflow before 3.3
    from airflow.timetables.interval import CronDataIntervalTimetable

DAGS = Path(__file__).resolve().parents[2] / "dags"
ORDERS = {
    "list": {"read"},
    "read": {"batches", "settle"},
    "batches": {"deliver"},
    "deliver": {"settle"},
    "settle": set(),
}
HOUSEKEEPING = "asperion_housekeeping"
TO_SAP = {"extract": {"publish", "settle"}, "publish": {"settle"}, "settle": set()}
EDGES = {
    "sap_orders_to_asperion": ORDERS,
    "asperion_products_to_sap": TO_SAP,
    "asperion_stock_to_sap": TO_SAP,
    "asperion_customers_to_sap": TO_SAP,
    "asperion_orders_to_sap": TO_SAP,
    "asperion_reconcile": {"reconcile": set()},
    "asperion_contract": {"compare": set()},
}
# What a plain DAG file does not load, and a scheduler would pay for at every parse.
HEAVY = (
    "asyncssh",
    "aiohttp",
    "lxml",
    "alembic",
    "jinja2.sandbox",
    "airflow_provider_asperion.ledger",
    "cryptography.fernet",
)


@pytest.fixture
def bag(tmp_path, monkeypatch):
    """Return a function that parses the ready DAGs under some settings."""

    def parsed(settings=None, *, folder=DAGS):
        path = tmp_path / "asperion.yaml"
        if settings is not None:
            path.write_text(settings)
        monkeypatch.setenv("AIRFLOW__ASPERION__SETTINGS", str(path))
        return DagBag(dag_folder=str(folder))

    return parsed


@pytest.mark.feature("O1", "P1", "S1", "C1")
def test_a_fresh_install_shows_all_dags_with_their_tasks(bag):
    found = bag()
    assert found.import_errors == {}
    assert {
        name: {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
        for name, dag in found.dags.items()
    } == EDGES | {HOUSEKEEPING: {"purge": set()}}


@pytest.mark.feature("X4")
def test_each_run_has_a_data_interval_so_that_a_backfill_knows_its_day(bag):
    for dag in bag().dags.values():
        assert dag.timetable.__class__.__name__ == "CronDataIntervalTimetable"
        assert not dag.catchup


@pytest.mark.feature("X3", "X4")
def test_the_forms(bag):
    dags = bag().dags
    assert set(dags["sap_orders_to_asperion"].params) == {
        "dry_run",
        "retry",
        "pattern",
        "archived_from",
        "archived_to",
        "full",
    }
    assert set(dags["asperion_reconcile"].params) == {"reconcile_from", "reconcile_to"}
    assert set(dags[HOUSEKEEPING].params) == {"dry_run"}
    assert set(dags["asperion_contract"].params) == set()
    for name, dag in dags.items():
        if name.endswith("_to_sap"):
            assert set(dag.params) == {"dry_run", "full", "changed_from", "changed_to"}
        assert dag.doc_md.startswith("###")


@pytest.mark.feature("W6")
def test_housekeeping_runs_once_a_day_one_at_a_time_as_the_settings_say(bag):
    dag = bag().dags[HOUSEKEEPING]
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert dag.timetable == CronDataIntervalTimetable("30 3 * * *", timezone="UTC")
    by_hand = bag("retention: {schedule: null}").dags[HOUSEKEEPING]
    assert by_hand.timetable.__class__.__name__ == "NullTimetable"


@pytest.mark.feature("W3")
def test_answers_of_sap_are_read_where_the_settings_switch_it_on(bag):
    found = bag("integrations: {default: {flows: {answers_from_sap: {enabled: true}}}}")
    assert found.import_errors == {}
    dag = found.dags["sap_answers"]
    tasks = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
    assert tasks == {"list": {"read"}, "read": set()}
    assert set(dag.params) == {"dry_run", "pattern", "archived_from", "archived_to"}
    assert dag.max_active_runs == 1


@pytest.mark.feature("O5", "O7", "X3")
@pytest.mark.parametrize("flow", ["customers_to_asperion", "products_to_asperion"])
def test_master_data_of_sap_is_read_where_the_settings_switch_it_on(bag, flow):
    found = bag(f"integrations: {{default: {{flows: {{{flow}: {{enabled: true}}}}}}}}")
    assert found.import_errors == {}
    dag = found.dags[f"sap_{flow}"]
    tasks = {task.task_id: set(task.downstream_task_ids) for task in dag.tasks}
    assert tasks == {"list": {"deliver"}, "deliver": set()}
    assert set(dag.params) == {"dry_run", "pattern", "archived_from", "archived_to"}
    assert dag.max_active_runs == 1


@pytest.mark.feature("X8")
def test_a_file_starts_the_dag_where_the_settings_say_so(bag):
    found = bag("""\
integrations:
  default:
    flows:
      orders_to_asperion: {wake: file, folder: {inbox: orders, pattern: "ORD*"}, poll_seconds: 3}
      answers_from_sap: {enabled: true, wake: file, schedule: null}
""")
    assert found.import_errors == {}
    dag = found.dags["sap_orders_to_asperion"]
    assert dag.timetable.__class__.__name__ == "AssetOrTimeSchedule"
    assert dag.timetable.timetable.__class__.__name__ == "CronDataIntervalTimetable", "for backfills"
    (asset,) = dag.timetable.asset_condition.objects
    assert (asset.name, asset.uri) == (
        "sap_orders_to_asperion__files",
        "sap-sftp://sap_sftp_default/orders?pattern=ORD%2A",
    )
    (watcher,) = asset.watchers
    assert watcher.trigger.serialize()[1]["poll_seconds"] == 3
    answers = found.dags["sap_answers"]
    assert answers.timetable.__class__.__name__ == "AssetTriggeredTimetable"


@pytest.mark.feature("W4")
def test_the_watch_is_there_where_somebody_is_to_be_told_or_a_file_is_expected(bag):
    told = "notifications: {channels: {desk: {notifier: http}}}"
    expected = "flows: {orders_to_asperion: {folder: {inbox: in}, expect: {cron: 0 7 * * *}}}"
    found = bag(f"integrations: {{default: {{{told}}}, retail: {{{expected}}}, third: {{}}}}")
    assert found.import_errors == {}
    assert {name for name in found.dags if "watch" in name} == {"asperion_watch", "asperion_watch__retail"}
    (task,) = found.dags["asperion_watch__retail"].tasks
    assert (task.task_id, task.integration) == ("watch", "retail")
    off = bag(f"integrations: {{default: {{{told.replace('}}}', '}}, watch_schedule: null}')}}}}}")
    assert off.import_errors == {}
    assert "asperion_watch" not in off.dags


@pytest.mark.feature("W4")
def test_whoever_fails_tells_it(bag):
    for dag in bag().dags.values():
        for task in dag.tasks:
            if not task.is_mapped:
                assert task.has_on_failure_callback, f"{dag.dag_id}.{task.task_id}"


@pytest.mark.feature("W4")
def test_what_a_user_does_on_a_failure_is_done_too():
    def mine(context):
        pass

    with DAG("mine", default_args={"on_failure_callback": mine}):
        task = ListOrderFilesOperator(task_id="list")
    assert list(task.on_failure_callback) == [mine, task_failed]


def test_two_integrations_have_dags_of_their_own(bag):
    found = bag("integrations: {default: {}, retail: {flows: {stock_to_sap: null}}}")
    assert found.import_errors == {}
    assert {name for name in found.dags if name.endswith("__retail")} == {
        f"{name}__retail" for name in EDGES if name != "asperion_stock_to_sap"
    }
    read = found.dags["sap_orders_to_asperion__retail"].get_task("list")
    assert read.integration == "retail"


def test_a_flow_that_is_switched_off_has_no_dag(bag):
    found = bag("integrations: {default: {flows: {products_to_sap: {enabled: false}}}}")
    assert set(found.dags) == EDGES.keys() - {"asperion_products_to_sap"} | {HOUSEKEEPING}


def test_pool_retries_and_schedule_come_from_the_settings(bag):
    settings = """\
integrations:
  default:
    flows:
      stock_to_sap: {schedule: null, delivery: {pool: sap, retries: 7, retry_delay_seconds: 5}}
"""
    dag = bag(settings).dags["asperion_stock_to_sap"]
    publish = dag.get_task("publish")
    assert dag.timetable.__class__.__name__ == "NullTimetable"
    assert (publish.pool, publish.retries, publish.retry_delay.total_seconds()) == ("sap", 7, 5)


def test_wrong_settings_are_an_import_error_that_names_file_and_line(bag):
    found = bag("integrations:\n  default:\n    flows:\n      stock_to_sap:\n        scedule: null\n")
    assert not found.dags
    for text in found.import_errors.values():
        assert "asperion.yaml" in text
        assert "line 5" in text
        assert "scedule" in text


INCOMING = ("orders_to_asperion", "answers_from_sap", "customers_to_asperion", "products_to_asperion")


@pytest.mark.feature("W5", "X8")
@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.stem)
def test_parsing_loads_nothing_heavy(path, tmp_path, monkeypatch):
    settings = tmp_path / "asperion.yaml"
    flows = ", ".join(
        f"{flow}: {{enabled: true, wake: file, folder: {{inbox: {flow}}}}}" for flow in INCOMING
    )
    settings.write_text(f"integrations: {{default: {{flows: {{{flows}}}}}}}")
    monkeypatch.setenv("AIRFLOW__ASPERION__SETTINGS", str(settings))
    code = (
        "import sys, json, runpy; from airflow.sdk import DAG, BaseOperator, task; "
        f"before = set(sys.modules); runpy.run_path({str(path)!r}); "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "airflow_provider_asperion.operators.settings" in loaded, "the DAG was parsed"
    assert [name for name in loaded if name.startswith(HEAVY)] == []
