"""Operators of the flow that brings stock levels to SAP: extract, publish, settle."""

from __future__ import annotations

from airflow_provider_asperion.operators.outgoing import ExtractOperator, PublishOperator, SettleOperator

FLOW = "stock_to_sap"


class ExtractStockOperator(ExtractOperator):
    """Reads stock levels of Asperion; see :class:`.outgoing.ExtractOperator`."""

    flow_name = FLOW


class PublishStockOperator(PublishOperator):
    """Writes stock levels for SAP; see :class:`.outgoing.PublishOperator`."""

    flow_name = FLOW


class SettleStockOperator(SettleOperator):
    """Closes a run of stock levels; see :class:`.outgoing.SettleOperator`."""

    flow_name = FLOW
