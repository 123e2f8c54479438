"""### Sales orders and invoices of Asperion to order files for SAP

Every sales order or invoice whose status travels is written to a file for SAP, once.

| task | does |
|---|---|
| `extract` | reads documents of Asperion into encrypted batches |
| `publish` | compares with what SAP got last; writes, checks and names the file |
| `settle` | adds up, empties the batches, tells the asset `asperion_orders_to_sap` |

Settings: `asperion.yaml`. Run it again, clear it, run two at once: each record is in SAP's folder once.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.orders_to_sap import (
    ExtractOrdersToSapOperator,
    PublishOrdersToSapOperator,
    SettleOrdersToSapOperator,
)
from airflow_provider_asperion.operators.settings import configured, outgoing_dag_arguments

for integration, flow in configured("orders_to_sap"):
    with DAG(**outgoing_dag_arguments("asperion_orders_to_sap", integration, flow), doc_md=__doc__) as dag:
        extract = ExtractOrdersToSapOperator(task_id="extract", integration=integration)
        publish = PublishOrdersToSapOperator.partial(
            task_id="publish", integration=integration, pool=flow.delivery.pool
        ).expand(batch=extract.output)
        SettleOrdersToSapOperator(
            task_id="settle",
            integration=integration,
            extracted=extract.output,
            published=publish.output,
            trigger_rule="all_done",
        )
