"""### Materials of SAP to Asperion

Materials that SAP leads (MATMAS, CSV) become articles. Only what a file says is written: what it leaves out
stays as it is in Asperion, and so do the fields that Asperion owns (`article.keep`). Stock is never written.

| task | does |
|---|---|
| `list` | finds the complete files; none: the run ends here |
| `deliver` | reads them, oldest first; creates, updates, or finds that nothing differs; archives the files |

Off unless `products_to_asperion.enabled` is set in `asperion.yaml`. Run it again, clear it: what is there
already is not written twice. `dry_run` shows what would change, and writes nothing.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.products import DeliverProductsOperator, ListProductFilesOperator
from airflow_provider_asperion.operators.settings import configured, master_dag_arguments

for integration, flow in configured("products_to_asperion"):
    with DAG(**master_dag_arguments("sap_products_to_asperion", integration, flow), doc_md=__doc__) as dag:
        files = ListProductFilesOperator(task_id="list", integration=integration)
        DeliverProductsOperator(
            task_id="deliver", integration=integration, files=files.output, pool=flow.delivery.pool
        )
