"""The links of a task to our pages: the records that its run has touched, the statements it made."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class RecordsLink(BaseOperatorLink):
    """Leads to the page with all records of the run."""

    name = "Records of this run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address, below that of Airflow's own pages."""
        return "/asperion/activity?" + urlencode({"text": f"{ti_key.dag_id}/{ti_key.run_id}"})


class ReconciliationLink(BaseOperatorLink):
    """Leads to the page with the statements."""

    name = "Statements"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address, below that of Airflow's own pages."""
        return "/asperion/reconcile"


class ContractLink(BaseOperatorLink):
    """Leads to the page with the last comparison."""

    name = "Contract"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the address, below that of Airflow's own pages."""
        return "/asperion/contract"
