"""### Debtors of Asperion to customer files for SAP

Every debtor that is new or changed is written to a file for SAP. Debtors without identity, and several of
the same one, are reported, never merged.

| task | does |
|---|---|
| `extract` | reads debtors of Asperion into encrypted batches |
| `publish` | compares with what SAP got last; writes, checks and names the file |
| `settle` | adds up, empties the batches, tells the asset `asperion_customers_to_sap` |

Settings: `asperion.yaml`. Run it again, clear it, run two at once: each record is in SAP's folder once.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.customers import (
    ExtractCustomersOperator,
    PublishCustomersOperator,
    SettleCustomersOperator,
)
from airflow_provider_asperion.operators.settings import configured, outgoing_dag_arguments

for integration, flow in configured("customers_to_sap"):
    with DAG(**outgoing_dag_arguments("asperion_customers_to_sap", integration, flow), doc_md=__doc__) as dag:
        extract = ExtractCustomersOperator(task_id="extract", integration=integration)
        publish = PublishCustomersOperator.partial(
            task_id="publish", integration=integration, pool=flow.delivery.pool
        ).expand(batch=extract.output)
        SettleCustomersOperator(
            task_id="settle",
            integration=integration,
            extracted=extract.output,
            published=publish.output,
            trigger_rule="all_done",
        )
