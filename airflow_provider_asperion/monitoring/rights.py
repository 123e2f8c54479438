"""Who may do what: Airflow's own session and permissions decide, route by route.

A plugin's app is open to the world unless its routes ask, so each of them depends on something in here.
Who may read all DAGs of an integration may read its records; who may trigger its DAGs may try records again
and see their values; who may edit a connection may log in with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
)
from airflow.api_fastapi.core_api.security import GetUserDep  # noqa: TC002 - FastAPI reads it
from fastapi import Depends, HTTPException

from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.flows import FLOWS

if TYPE_CHECKING:
    from airflow_provider_asperion.hooks.flows import Flow

Deed = Literal["read", "trigger", "edit"]
_METHODS: dict[Deed, tuple[Any, DagAccessEntity | None]] = {
    "read": ("GET", None),
    "trigger": ("POST", DagAccessEntity.RUN),
    "edit": ("PUT", None),
}


@dataclass(slots=True)
class Rights:
    """What a user may do."""

    user: Any
    _known: dict[tuple[str, Deed], bool] = field(default_factory=dict)

    def may(self, deed: Deed, flow: Flow, integration: str) -> bool:
        """Return whether the user may read, trigger, or pause the DAG of a flow."""
        dag = flow.dag_id(integration)
        if (dag, deed) not in self._known:
            method, entity = _METHODS[deed]
            self._known[dag, deed] = get_auth_manager().is_authorized_dag(
                method=method, access_entity=entity, details=DagDetails(id=dag), user=self.user
            )
        return self._known[dag, deed]

    def readable(self) -> list[str]:
        """Return the integrations whose records the user may read."""
        known = runtime.settings().integrations
        return [name for name in sorted(known) if all(self.may("read", flow, name) for flow in FLOWS)]

    def may_connect(self, connection: str) -> bool:
        """Return whether the user may edit a connection."""
        return bool(
            get_auth_manager().is_authorized_connection(
                method="PUT", details=ConnectionDetails(conn_id=connection), user=self.user
            )
        )

    def need(self, deed: Deed, flow: Flow, integration: str) -> None:
        """Turn the request away when the user may not.

        :raises HTTPException: 403.
        """
        if not self.may(deed, flow, integration):
            raise forbidden(f"this needs the right to {deed} the DAG {flow.dag_id(integration)}")


def rights_of(user: GetUserDep) -> Rights:
    """Return the rights of whoever asks.

    :raises HTTPException: 401 without a login; 403 for one who may read no integration at all.
    """
    found = Rights(user)
    if not found.readable():
        raise forbidden("this needs the right to read the DAGs of an integration")
    return found


def forbidden(reason: str) -> HTTPException:
    """Return the answer to whom a right is missing."""
    return HTTPException(status_code=403, detail=f"Forbidden: {reason}")


RightsDep = Annotated[Rights, Depends(rights_of)]
