"""The flows: what people call them, which DAG runs them, and the kinds of their records in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_asperion.settings.model import DEFAULT_INTEGRATION


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow.

    :param name: in the settings, and in the ledger.
    :param dag: name of its DAG; of an integration that is not the default one a suffix is added.
    :param kinds: kinds of its documents; of a flow to SAP its own name, which covers all its mappings.
    """

    name: str
    dag: str
    title: str
    kinds: tuple[str, ...]

    def dag_id(self, integration: str) -> str:
        """Return the id of the DAG of an integration."""
        return dag_id(self.dag, integration)


FLOWS = (
    Flow(
        "orders_to_asperion",
        "sap_orders_to_asperion",
        "Orders, SAP to Asperion",
        ("sales_order", "sales_invoice", "source_document"),
    ),
    Flow("products_to_sap", "asperion_products_to_sap", "Products, Asperion to SAP", ("products_to_sap",)),
    Flow("stock_to_sap", "asperion_stock_to_sap", "Stock, Asperion to SAP", ("stock_to_sap",)),
    Flow(
        "customers_to_sap", "asperion_customers_to_sap", "Customers, Asperion to SAP", ("customers_to_sap",)
    ),
    Flow("orders_to_sap", "asperion_orders_to_sap", "Orders, Asperion to SAP", ("orders_to_sap",)),
    Flow("answers_from_sap", "sap_answers", "SAP's answers", ()),
    Flow("customers_to_asperion", "sap_customers_to_asperion", "Customers, SAP to Asperion", ("debtor",)),
    Flow("products_to_asperion", "sap_products_to_asperion", "Products, SAP to Asperion", ("article",)),
    Flow("reconcile", "asperion_reconcile", "Reconciliation", ()),
    Flow("contract", "asperion_contract", "Contract check", ()),
)
# The DAG that purges; one for all integrations.
HOUSEKEEPING = "asperion_housekeeping"
BY_NAME = {flow.name: flow for flow in FLOWS}


def dag_id(dag: str, integration: str) -> str:
    """Return the id of a DAG: the integration named ``default`` needs no suffix."""
    return dag if integration == DEFAULT_INTEGRATION else f"{dag}__{integration}"


def flow_of(kind: str) -> Flow | None:
    """Return the flow whose records are of a kind."""
    name = kind.partition("/")[0]
    return next((flow for flow in FLOWS if name in flow.kinds), None)
