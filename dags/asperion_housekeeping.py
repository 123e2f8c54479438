"""### What is older than the settings keep it is purged

From the ledger: the trail of records, texts of problems, values that were kept for a time, runs, sessions.
From staging: batches that a run left behind. And, where the settings say so, old log files of these DAGs.

| task | does |
|---|---|
| `purge` | deletes in many short transactions, beside the flows; returns how much went, by kind |

Settings: the block `retention` of `asperion.yaml`. An order that was placed stays known by its number, so
that it is never placed twice. Run it with *Dry run* to see what would go; clear it at any time.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.housekeeping import PurgeOperator
from airflow_provider_asperion.operators.settings import housekeeping_dag_arguments

with DAG(**housekeeping_dag_arguments(), doc_md=__doc__) as dag:
    PurgeOperator(task_id="purge")
