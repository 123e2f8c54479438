"""What every worker has loaded when it begins: loading it anew for each would take longer than its work.

With it come the programs of the mappings, which a worker compiles again from the same text each time.
"""

from __future__ import annotations

from typing import Any

import asyncssh  # noqa: F401

import tests.chaos.worker  # noqa: F401
from airflow_provider_asperion.mapping.mapping import Mapping
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.operators.publishing import sap_mappings_of
from airflow_provider_asperion.operators.reading import mappings_of
from airflow_provider_asperion.settings import Settings
from tests.chaos.stage import SETTINGS


def _keep(kind: Any) -> None:
    """Let a kind of mapping be compiled once: the bench uses the shipped ones, whose text never changes."""
    load, kept = kind.load, {}

    def load_once(*args: Any, **kwargs: Any) -> Any:
        given = repr((args, {name: value for name, value in kwargs.items() if name != "folder"}))
        if given not in kept:
            kept[given] = load(*args, **kwargs)
        return kept[given]

    kind.load = load_once


_keep(Mapping)
_keep(SapMapping)
_flows = Settings.model_validate(SETTINGS).integrations["default"].flows
mappings_of(_flows.orders_to_asperion)
for _flow in (_flows.products_to_sap, _flows.stock_to_sap):
    sap_mappings_of(_flow)
