"""Operators of the flow that brings products to SAP: extract, publish, settle."""

from __future__ import annotations

from airflow_provider_asperion.operators.outgoing import ExtractOperator, PublishOperator, SettleOperator

FLOW = "products_to_sap"


class ExtractProductsOperator(ExtractOperator):
    """Reads products of Asperion; see :class:`.outgoing.ExtractOperator`."""

    flow_name = FLOW


class PublishProductsOperator(PublishOperator):
    """Writes products for SAP; see :class:`.outgoing.PublishOperator`."""

    flow_name = FLOW


class SettleProductsOperator(SettleOperator):
    """Closes a run of products; see :class:`.outgoing.SettleOperator`."""

    flow_name = FLOW
