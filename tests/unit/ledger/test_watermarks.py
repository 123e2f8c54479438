"""Watermarks move forward, never back."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_provider_asperion.ledger import watermarks

pytestmark = pytest.mark.feature("X2", "S1", "P1")
NOON = dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def test_a_watermark_moves_forward_only(ledger, clock) -> None:
    assert ledger.run(watermarks.get, "1", "products_to_sap") is None
    assert ledger.run(watermarks.move, "1", "products_to_sap", NOON, "run-1")
    assert ledger.run(watermarks.move, "1", "products_to_sap", NOON + HOUR, "run-2")
    at = clock.now
    clock.forward(1)
    for moment in (NOON, NOON + HOUR, (NOON + HOUR).astimezone(dt.timezone(2 * HOUR))):
        assert not ledger.run(watermarks.move, "1", "products_to_sap", moment, "late")
    assert ledger.run(watermarks.get, "1", "products_to_sap") == watermarks.Watermark(
        NOON + HOUR, "run-2", at
    )


def test_each_flow_of_each_administration_has_its_own(ledger) -> None:
    ledger.run(watermarks.move, "1", "products_to_sap", NOON, "run-1")
    assert ledger.run(watermarks.get, "2", "products_to_sap") is None
    assert ledger.run(watermarks.get, "1", "stock_to_sap") is None
    assert ledger.run(watermarks.move, "1", "stock_to_sap", NOON - HOUR, "run-1")
