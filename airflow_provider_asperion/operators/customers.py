"""Operators of the flows of customers: extract, publish, settle to SAP; list and deliver from SAP."""

from __future__ import annotations

from airflow_provider_asperion.operators.incoming import ListFilesOperator
from airflow_provider_asperion.operators.master_data import DeliverMasterDataOperator
from airflow_provider_asperion.operators.outgoing import ExtractOperator, PublishOperator, SettleOperator

FLOW = "customers_to_sap"
FROM_SAP = "customers_to_asperion"


class ExtractCustomersOperator(ExtractOperator):
    """Reads customers of Asperion; see :class:`.outgoing.ExtractOperator`."""

    flow_name = FLOW


class PublishCustomersOperator(PublishOperator):
    """Writes customers for SAP; see :class:`.outgoing.PublishOperator`."""

    flow_name = FLOW


class SettleCustomersOperator(SettleOperator):
    """Closes a run of customers; see :class:`.outgoing.SettleOperator`."""

    flow_name = FLOW


class ListCustomerFilesOperator(ListFilesOperator):
    """Finds the files with customers of SAP that a run reads."""

    flow_name = FROM_SAP


class DeliverCustomersOperator(DeliverMasterDataOperator):
    """Makes debtors of SAP's customers; see :class:`.master_data.DeliverMasterDataOperator`."""

    flow_name = FROM_SAP
