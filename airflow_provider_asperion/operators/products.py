"""Operators of the flows of products: extract, publish, settle to SAP; list and deliver from SAP."""

from __future__ import annotations

from airflow_provider_asperion.operators.incoming import ListFilesOperator
from airflow_provider_asperion.operators.master_data import DeliverMasterDataOperator
from airflow_provider_asperion.operators.outgoing import ExtractOperator, PublishOperator, SettleOperator

FLOW = "products_to_sap"
FROM_SAP = "products_to_asperion"


class ExtractProductsOperator(ExtractOperator):
    """Reads products of Asperion; see :class:`.outgoing.ExtractOperator`."""

    flow_name = FLOW


class PublishProductsOperator(PublishOperator):
    """Writes products for SAP; see :class:`.outgoing.PublishOperator`."""

    flow_name = FLOW


class SettleProductsOperator(SettleOperator):
    """Closes a run of products; see :class:`.outgoing.SettleOperator`."""

    flow_name = FLOW


class ListProductFilesOperator(ListFilesOperator):
    """Finds the files with materials of SAP that a run reads."""

    flow_name = FROM_SAP


class DeliverProductsOperator(DeliverMasterDataOperator):
    """Makes articles of SAP's materials; see :class:`.master_data.DeliverMasterDataOperator`."""

    flow_name = FROM_SAP
