"""An Asperion of one's own on this machine: an emulator of its API with faults on order. Extra ``[sandbox]``.

The names offered here are loaded when first asked for, so that the SFTP server beside it needs no web server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_asperion.sandbox.faults import FaultRule
    from airflow_provider_asperion.sandbox.server import Sandbox
    from airflow_provider_asperion.sandbox.switches import Switches

__all__ = ["FaultRule", "Sandbox", "Switches"]

_HOMES = {"FaultRule": "faults", "Sandbox": "server", "Switches": "switches"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
