"""Whether the login that we have is one that the description asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.asperion.contract.description import Description, Operation


def login_fits(description: Description, operation: Operation) -> str | None:
    """Return what is wrong when none of the ways to be let in is ours; None when one is, or nothing is said.

    Ours is a bearer token in the header ``Authorization`` [help], got by the authorization code flow.
    """
    ways = operation.security
    if not ways:
        return None
    schemes = description.schemes()
    if any(all(_is_ours(description.resolved(schemes.get(name))) for name in way) for way in ways):
        return None
    asked = sorted({_told(name, description.resolved(schemes.get(name))) for way in ways for name in way})
    return f"asks for {' or '.join(asked)}; we send a bearer token in Authorization"


def _is_ours(scheme: Mapping[str, Any]) -> bool:
    kind = scheme.get("type")
    if kind == "http":
        return str(scheme.get("scheme")).lower() == "bearer"
    if kind == "apiKey":
        return scheme.get("in") == "header" and str(scheme.get("name")).lower() == "authorization"
    if kind == "oauth2":
        return _has_code_flow(scheme)
    # A scheme that is named and not described says nothing.
    return kind in ("openIdConnect", None)


def _has_code_flow(scheme: Mapping[str, Any]) -> bool:
    """Whether a person can log in by the authorization code; version 2 calls the flow accessCode."""
    flows = scheme.get("flows")
    offered = set(flows) if isinstance(flows, dict) else {scheme.get("flow")}
    return bool(offered & {"authorizationCode", "accessCode"}) or offered <= {None}


def _told(name: str, scheme: Mapping[str, Any]) -> str:
    words = [scheme.get("type"), scheme.get("scheme"), scheme.get("in"), scheme.get("name")]
    kind = " ".join(str(word) for word in words if word)
    return f"{name} ({kind})"
