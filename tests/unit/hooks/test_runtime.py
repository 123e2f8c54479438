"""From Airflow's configuration to what a flow works with."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.hooks import runtime


@pytest.mark.feature("W6")
@pytest.mark.parametrize("first", [runtime.staging, lambda: runtime.open_ledger().__enter__()])
def test_state_is_for_its_owner_alone(tmp_path, monkeypatch, first):
    """Whichever of ledger and staging comes first: what is below cannot be entered by others."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__ASPERION__STATE_FOLDER", str(tmp_path / "state"))
    first()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
