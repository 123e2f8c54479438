"""### File = ledger = Asperion = SAP

Once a day the files of the day before are read again from the archive and compared with the ledger and with
what Asperion holds now: counts and amounts per VAT rate, each difference named down to the record. On the way
back what was published is compared with the files, SAP's answers and Asperion's amounts. What does not tie
fails the run. The page *Reconcile* shows it side by side.

Nothing is written but the statement. Settings: `flows.reconcile` in `asperion.yaml`. A backfill reconciles
past days; the form takes an interval.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.reconcile import ReconcileOperator
from airflow_provider_asperion.operators.settings import configured, reconcile_dag_arguments

for integration, flow in configured("reconcile"):
    with DAG(**reconcile_dag_arguments("asperion_reconcile", integration, flow), doc_md=__doc__) as dag:
        ReconcileOperator(task_id="reconcile", integration=integration)
