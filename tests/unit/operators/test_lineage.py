"""What OpenLineage is told of a task, by its own provider: data sets and counts, and nothing of a dry run."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from airflow.providers.openlineage.extractors.base import DefaultExtractor

from airflow_provider_asperion.operators import reading
from airflow_provider_asperion.operators.lineage import LISTS, Moved
from airflow_provider_asperion.operators.orders import DeliverOrdersOperator, ReadOrdersOperator
from airflow_provider_asperion.operators.products import ExtractProductsOperator, PublishProductsOperator

pytestmark = pytest.mark.feature("W3")


@pytest.fixture(autouse=True)
def connections(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    asperion = {"conn_type": "asperion", "host": "http://127.0.0.1:8400", "extra": {"administration": 12}}
    monkeypatch.setenv("AIRFLOW_CONN_ASPERION_DEFAULT", json.dumps(asperion))
    sap = {"conn_type": "sap_sftp", "host": "sftp.example.org", "login": "sap", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_SAP_SFTP_DEFAULT", json.dumps(sap))


def told(operator):
    """Return what the provider's own extractor makes of an operator whose task is over."""
    found = DefaultExtractor(operator).extract_on_complete(SimpleNamespace())
    return {
        side: [
            (one.namespace, one.name, facet.rowCount if (facet := (facets or {}).get(key)) else None)
            for one, facets in ((one, getattr(one, attribute)) for one in getattr(found, side))
        ]
        for side, attribute, key in (
            ("inputs", "inputFacets", "inputStatistics"),
            ("outputs", "outputFacets", "outputStatistics"),
        )
    }


def test_files_that_were_read():
    operator = ReadOrdersOperator(task_id="read", files=None)
    operator.moved = Moved(files_read={"orders/a.csv": 3, "orders/b.xml": 0})
    assert told(operator) == {
        "inputs": [
            ("sftp://sftp.example.org:22", "orders/a.csv", 3),
            ("sftp://sftp.example.org:22", "orders/b.xml", 0),
        ],
        "outputs": [],
    }


def test_lists_of_the_administration_that_were_read_and_written():
    operator = DeliverOrdersOperator(task_id="deliver", batch=None)
    operator.moved = Moved(lists_written={"sales_orders": 2})
    assert told(operator) == {"inputs": [], "outputs": [("asperion://127.0.0.1:8400", "12/sales_orders", 2)]}
    operator = ExtractProductsOperator(task_id="extract")
    operator.moved = Moved(lists_read={LISTS["products_to_sap"]: 40})
    assert told(operator) == {"inputs": [("asperion://127.0.0.1:8400", "12/articles", 40)], "outputs": []}


def test_files_that_were_written_count_their_records_where_there_is_one():
    operator = PublishProductsOperator(task_id="publish", batch=None)
    result = SimpleNamespace(counts={"create": 2, "update": 1, "delete": 0, "none": 9}, files=["p.xml"])
    operator.moved = operator._moved(result)
    folder = operator.flow().folder.folder.rstrip("/")
    assert told(operator)["outputs"] == [("sftp://sftp.example.org:22", f"{folder}/p.xml", 3)]
    result.files.append("q.xml")
    assert set(operator._moved(result).files_written.values()) == {None}


def test_a_task_that_moved_nothing_tells_nothing():
    assert ReadOrdersOperator(task_id="read", files=None).get_openlineage_facets_on_complete(None) is None


@pytest.mark.parametrize("dry_run", [False, True])
async def test_reading_puts_down_what_it_read_unless_it_is_a_dry_run(monkeypatch, dry_run):
    async def read_group(group, **how):
        return [SimpleNamespace(file="a.csv", documents=3, model_dump=lambda mode: {})]

    monkeypatch.setattr(reading, "read_group", read_group)
    ti = SimpleNamespace(dag_id="d", task_id="read", map_index=-1, try_number=1)
    operator = ReadOrdersOperator(task_id="read", files=None)
    await operator._read(None, {"ti": ti, "run_id": "r", "params": {"dry_run": dry_run}})
    assert operator.moved == (None if dry_run else Moved(files_read={"orders/a.csv": 3}))


def test_nothing_of_it_is_loaded_with_the_operators():
    code = (
        "import sys; import airflow_provider_asperion.operators.orders, "
        "airflow_provider_asperion.operators.outgoing; "
        "print([name for name in sys.modules if name.startswith('openlineage')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
