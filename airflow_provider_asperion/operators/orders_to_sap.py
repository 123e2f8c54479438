"""Operators of the flow that brings sales orders and invoices to SAP: extract, publish, settle."""

from __future__ import annotations

from airflow_provider_asperion.operators.outgoing import ExtractOperator, PublishOperator, SettleOperator

FLOW = "orders_to_sap"


class ExtractOrdersToSapOperator(ExtractOperator):
    """Reads sales orders and invoices of Asperion; see :class:`.outgoing.ExtractOperator`."""

    flow_name = FLOW


class PublishOrdersToSapOperator(PublishOperator):
    """Writes sales orders and invoices for SAP; see :class:`.outgoing.PublishOperator`."""

    flow_name = FLOW


class SettleOrdersToSapOperator(SettleOperator):
    """Closes a run of sales orders and invoices; see :class:`.outgoing.SettleOperator`."""

    flow_name = FLOW
