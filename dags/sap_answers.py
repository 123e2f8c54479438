"""### SAP's answers to what it was sent

A file that was written is not a document that was posted. SAP's answers (STATUS, ALEAUD, ORDRSP) are matched
with the records that were sent, and noted in their trail: posted, or failed with SAP's message number.

| task | does |
|---|---|
| `list` | finds the complete files; none: the run ends here |
| `read` | notes what SAP posted and refused; archives the files |

Off unless `answers_from_sap.enabled` is set in `asperion.yaml`. Run it again, clear it: nothing is noted
twice.
"""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_asperion.operators.answers import ListAnswerFilesOperator, ReadAnswersOperator
from airflow_provider_asperion.operators.settings import answer_dag_arguments, configured

for integration, flow in configured("answers_from_sap"):
    with DAG(**answer_dag_arguments("sap_answers", integration, flow), doc_md=__doc__) as dag:
        files = ListAnswerFilesOperator(task_id="list", integration=integration)
        ReadAnswersOperator(task_id="read", integration=integration, files=files.output)
