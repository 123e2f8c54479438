"""The words that all parts of the house share: orders, problems, outcomes. Imports nothing of ours."""

from airflow_provider_asperion.records.base import Record
from airflow_provider_asperion.records.groups import ProblemGroup
from airflow_provider_asperion.records.master import ArticleMaster, CustomerMaster
from airflow_provider_asperion.records.order import (
    Address,
    ControlTotals,
    Customer,
    Order,
    OrderKind,
    OrderLine,
)
from airflow_provider_asperion.records.outcome import END_STATES, Outcome, State, Tally
from airflow_provider_asperion.records.problem import Problem, ProblemError, problems_of, shape_of
from airflow_provider_asperion.records.product import Product, StockLevel
from airflow_provider_asperion.records.source import FileFormat, SourceDocument

__all__ = [
    "END_STATES",
    "Address",
    "ArticleMaster",
    "ControlTotals",
    "Customer",
    "CustomerMaster",
    "FileFormat",
    "Order",
    "OrderKind",
    "OrderLine",
    "Outcome",
    "Problem",
    "ProblemError",
    "ProblemGroup",
    "Product",
    "Record",
    "SourceDocument",
    "State",
    "StockLevel",
    "Tally",
    "problems_of",
    "shape_of",
]
