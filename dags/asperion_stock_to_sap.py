"""### Stock levels of Asperion to stock files for SAP

The stock of every article is calculated as the settings say (available minus reservations unless set
otherwise) and written to a file for SAP where it changed.

| task | does |
|---|---|
| `extract` | reads articles and open orders of Asperion into encrypted batches |
| `publish` | compares with what SAP got last; writes, checks and names the file |
| `settle` | adds up, empties the batches, tells the asset `asperion_stock_to_sap` |

Settings: `asperion.yaml`. Run it again, clear it, run two at once: each record is in SAP's folder once.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.settings import configured, outgoing_dag_arguments
from airflow_provider_asperion.operators.stock import (
    ExtractStockOperator,
    PublishStockOperator,
    SettleStockOperator,
)

for integration, flow in configured("stock_to_sap"):
    with DAG(**outgoing_dag_arguments("asperion_stock_to_sap", integration, flow), doc_md=__doc__) as dag:
        extract = ExtractStockOperator(task_id="extract", integration=integration)
        publish = PublishStockOperator.partial(
            task_id="publish", integration=integration, pool=flow.delivery.pool
        ).expand(batch=extract.output)
        SettleStockOperator(
            task_id="settle",
            integration=integration,
            extracted=extract.output,
            published=publish.output,
            trigger_rule="all_done",
        )
