"""### Does Asperion's API still fit?

Once a week the OpenAPI description of Asperion's API is compared with every call, parameter and field that
the flows use. What is gone, renamed, of another type or newly required fails the run, each by its name and
with the setting that mends it: before a flow stumbles over it. The page *Contract* shows the last comparison.

Nothing is written to Asperion. Settings: `flows.contract` in `asperion.yaml`.
`airflow asperion check --contract FILE` compares a saved description.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.contract import CheckContractOperator
from airflow_provider_asperion.operators.settings import configured, contract_dag_arguments

for integration, flow in configured("contract"):
    with DAG(**contract_dag_arguments("asperion_contract", integration, flow), doc_md=__doc__) as dag:
        CheckContractOperator(task_id="compare", integration=integration)
