"""### Watches over the flows

Tells people what no run of a flow can see: a file that should have come and did not, a gap in numbered files;
and sends what waited for the end of a silence or for a channel that had failed.

| task | does |
|---|---|
| `watch` | looks, and sends what waits |

There where the settings name a channel, or say when files should come (`expect`). Settings: `asperion.yaml`.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.settings import watch_dag_arguments, watched
from airflow_provider_asperion.operators.watch import WatchOperator

for integration, rules in watched():
    with DAG(**watch_dag_arguments(integration, rules), doc_md=__doc__) as dag:
        WatchOperator(task_id="watch", integration=integration)
