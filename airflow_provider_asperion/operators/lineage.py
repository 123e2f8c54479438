"""What a task has read and written, as OpenLineage tells it: files, and lists of the administration.

Only with the extra ``[openlineage]``; its provider asks an operator when the task is over. Nothing of it is
loaded before. Data sets are ``sftp://host:port`` with the path of a file, and ``asperion://host`` with
administration and list. Counts, no values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

SFTP_PORT = 22
# The list of Asperion that a flow to SAP walks.
LISTS = {
    "products_to_sap": "articles",
    "stock_to_sap": "articles",
    "customers_to_sap": "debtors",
    "orders_to_sap": "sales_orders",
}
Rows = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What went where, each with the number of records; None where that is not known of each.

    :param files_read: by path on the server.
    :param files_written: by path on the server.
    :param lists_read: by name of the list, as in ``asperion.names.paths``.
    :param lists_written: by name of the list.
    """

    files_read: Rows = field(default_factory=dict)
    files_written: Rows = field(default_factory=dict)
    lists_read: Rows = field(default_factory=dict)
    lists_written: Rows = field(default_factory=dict)


class Traced:
    """For operators: tells OpenLineage what the task has moved."""

    integration: str
    moved: Moved | None = None

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Return the data sets of the task; None where it moved nothing, as in a dry run."""
        return None if self.moved is None else lineage_of(self.integration, self.moved)


def lineage_of(integration: str, moved: Moved) -> OperatorLineage:
    """Return what was moved in OpenLineage's words."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset
    from openlineage.client.generated import input_statistics_input_dataset

    read_rows = input_statistics_input_dataset.InputStatisticsInputDatasetFacet
    written_rows = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    inputs: list[Any] = [
        InputDataset(space, name, {} if rows is None else {"inputStatistics": read_rows(rowCount=rows)})
        for space, name, rows in _named(integration, moved.files_read, moved.lists_read)
    ]
    outputs: list[Any] = [
        OutputDataset(space, name, {} if rows is None else {"outputStatistics": written_rows(rowCount=rows)})
        for space, name, rows in _named(integration, moved.files_written, moved.lists_written)
    ]
    return OperatorLineage(inputs=inputs, outputs=outputs)


def _named(integration: str, files: Rows, lists: Rows) -> list[tuple[str, str, int | None]]:
    """Return namespace, name and number of records of each data set."""
    found: list[tuple[str, str, int | None]] = []
    if files:
        space = _sftp(integration)
        found += [(space, path, rows) for path, rows in files.items()]
    if lists:
        space, administration = asyncio.run(_asperion(integration))
        found += [(space, f"{administration}/{name}", rows) for name, rows in lists.items()]
    return found


def _sftp(integration: str) -> str:
    from airflow.sdk import BaseHook

    from airflow_provider_asperion.hooks import runtime

    connection = BaseHook.get_connection(runtime.integration(integration).sap.connection)
    return f"sftp://{connection.host}:{connection.port or SFTP_PORT}"


async def _asperion(integration: str) -> tuple[str, str]:
    from urllib.parse import urlsplit

    from airflow_provider_asperion.hooks import runtime
    from airflow_provider_asperion.hooks.asperion import AsperionHook

    hook = AsperionHook(runtime.integration(integration).asperion.connection)
    address = urlsplit((await hook.config()).base_url)
    return f"asperion://{address.netloc.rpartition('@')[2]}", await runtime.administration_of(integration)
