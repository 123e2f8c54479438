"""Looks connections up, and says readably when one is not there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.providers.common.compat.sdk import AirflowException, AirflowNotFoundException

from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.cli.findings import Report


async def connection_of(report: Report, connection_id: str, kind: str) -> Any:
    """Return an Airflow connection, None when it is not there; tells either."""
    subject = f"connection {connection_id}"
    try:
        connection = await get_async_connection(connection_id)
    except AirflowException:
        # Its text may hold what a secrets backend said.
        remedy = f"Admin > Connections, or `airflow connections add {connection_id} --conn-type {kind} ...`"
        report.fail(subject, "there is no such connection", remedy)
        return None
    if connection.conn_type != kind:
        report.warn(subject, f"it is of type {connection.conn_type}", f"make it {kind}, for the right form")
    else:
        report.ok(subject, "is there")
    return connection


@contextmanager
def missing_connections_told() -> Iterator[None]:
    """Turn Airflow's word for a connection that is not there into a problem."""
    try:
        yield
    except AirflowNotFoundException as error:
        raise ProblemError(
            Problem(
                rule="connection.missing",
                message=str(error),
                remedy="add it in Admin > Connections; `asperion check` tells of all that are missing",
            )
        ) from None
