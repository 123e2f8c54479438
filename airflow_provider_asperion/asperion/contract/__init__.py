"""The contract with Asperion's API: what we call, send and read, held against its description (X7)."""

from airflow_provider_asperion.asperion.contract.compare import compare
from airflow_provider_asperion.asperion.contract.description import MOST_BYTES, Description, read_description
from airflow_provider_asperion.asperion.contract.findings import Comparison, Finding
from airflow_provider_asperion.asperion.contract.ours import Call, Part, calls_of

__all__ = [
    "MOST_BYTES",
    "Call",
    "Comparison",
    "Description",
    "Finding",
    "Part",
    "calls_of",
    "compare",
    "read_description",
]
