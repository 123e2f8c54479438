"""A ledger and a fake Asperion to deliver to."""

from __future__ import annotations

import pytest

from tests.support.workshop import Workshop


@pytest.fixture
def workshop(tmp_path):
    return Workshop(f"sqlite:///{tmp_path}/ledger.db")
