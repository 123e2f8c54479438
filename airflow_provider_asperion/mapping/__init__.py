"""The data mapper (W2): YAML rows of expressions turn a source document into the values of an order."""

from airflow_provider_asperion.mapping.files import shipped
from airflow_provider_asperion.mapping.look_ups import LookUp
from airflow_provider_asperion.mapping.mapping import Mapping, RowDescription
from airflow_provider_asperion.mapping.running import Mapped

__all__ = ["LookUp", "Mapped", "Mapping", "RowDescription", "shipped"]
