"""### Customers of SAP to Asperion

Customers that SAP leads (DEBMAS, ADRMAS, CSV) become debtors. Only what a file says is written: what it
leaves out stays as it is in Asperion, and so do the fields that Asperion owns (`customer.keep`).

| task | does |
|---|---|
| `list` | finds the complete files; none: the run ends here |
| `deliver` | reads them, oldest first; creates, updates, or finds that nothing differs; archives the files |

Off unless `customers_to_asperion.enabled` is set in `asperion.yaml`. Run it again, clear it: what is there
already is not written twice. `dry_run` shows what would change, and writes nothing.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.customers import DeliverCustomersOperator, ListCustomerFilesOperator
from airflow_provider_asperion.operators.settings import configured, master_dag_arguments

for integration, flow in configured("customers_to_asperion"):
    with DAG(**master_dag_arguments("sap_customers_to_asperion", integration, flow), doc_md=__doc__) as dag:
        files = ListCustomerFilesOperator(task_id="list", integration=integration)
        DeliverCustomersOperator(
            task_id="deliver", integration=integration, files=files.output, pool=flow.delivery.pool
        )
