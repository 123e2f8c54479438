"""### Orders from SAP files to Asperion

Every order file that SAP dropped is claimed, read, mapped, and its orders placed in Asperion, each exactly
once: an order that exists is skipped, one that breaks a rule is refused with its reason while the rest of
the file goes through. Run it again, clear it, backfill it: not one order more.

| task | does |
|---|---|
| `list` | finds the complete files; none: the run ends here |
| `read` | claims each file, decodes, maps and validates it; good orders go to encrypted batches |
| `deliver` | customers, articles, orders: looked up, created, read back |
| `settle` | counts and amounts in = out; archives the files, empties the batches |

Settings: `asperion.yaml`. `airflow asperion check` tells whether they fit the live administration.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.orders import (
    DeliverOrdersOperator,
    ListOrderFilesOperator,
    ReadOrdersOperator,
    SettleOrdersOperator,
    all_batches,
)
from airflow_provider_asperion.operators.settings import configured, dag_arguments

for integration, flow in configured("orders_to_asperion"):
    with DAG(**dag_arguments("sap_orders_to_asperion", integration, flow), doc_md=__doc__) as dag:
        files = ListOrderFilesOperator(task_id="list", integration=integration)
        read = ReadOrdersOperator.partial(task_id="read", integration=integration).expand(files=files.output)
        batches = all_batches(read.output)
        deliver = DeliverOrdersOperator.partial(
            task_id="deliver", integration=integration, pool=flow.delivery.pool
        ).expand(batch=batches)
        SettleOrdersOperator(
            task_id="settle",
            integration=integration,
            read=read.output,
            delivered=deliver.output,
            trigger_rule="all_done",
        )
