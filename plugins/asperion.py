"""The pages, for a deployment that mounts this folder; one that installs the package with pip has them."""

from __future__ import annotations

from airflow_provider_asperion.monitoring.plugin import AsperionPlugin

__all__ = ["AsperionPlugin"]
