"""### Articles of Asperion to product files for SAP

Every article that is new or changed is written to a file for SAP: a create record with all fields the first
time, later an update record with the fields that changed and may be updated, nothing when nothing changed.

| task | does |
|---|---|
| `extract` | reads articles of Asperion into encrypted batches |
| `publish` | compares with what SAP got last; writes, checks and names the file |
| `settle` | adds up, empties the batches, tells the asset `asperion_products_to_sap` |

Settings: `asperion.yaml`. Run it again, clear it, run two at once: each record is in SAP's folder once.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.products import (
    ExtractProductsOperator,
    PublishProductsOperator,
    SettleProductsOperator,
)
from airflow_provider_asperion.operators.settings import configured, outgoing_dag_arguments

for integration, flow in configured("products_to_sap"):
    with DAG(**outgoing_dag_arguments("asperion_products_to_sap", integration, flow), doc_md=__doc__) as dag:
        extract = ExtractProductsOperator(task_id="extract", integration=integration)
        publish = PublishProductsOperator.partial(
            task_id="publish", integration=integration, pool=flow.delivery.pool
        ).expand(batch=extract.output)
        SettleProductsOperator(
            task_id="settle",
            integration=integration,
            extracted=extract.output,
            published=publish.output,
            trigger_rule="all_done",
        )
