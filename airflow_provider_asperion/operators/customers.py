"""Operators of the flow that brings customers to SAP: extract, publish, settle."""

from __future__ import annotations

from airflow_provider_asperion.operators.outgoing import ExtractOperator, PublishOperator, SettleOperator

FLOW = "customers_to_sap"


class ExtractCustomersOperator(ExtractOperator):
    """Reads customers of Asperion; see :class:`.outgoing.ExtractOperator`."""

    flow_name = FLOW


class PublishCustomersOperator(PublishOperator):
    """Writes customers for SAP; see :class:`.outgoing.PublishOperator`."""

    flow_name = FLOW


class SettleCustomersOperator(SettleOperator):
    """Closes a run of customers; see :class:`.outgoing.SettleOperator`."""

    flow_name = FLOW
