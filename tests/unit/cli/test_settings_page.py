"""The manual of the settings says what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.cli.settings_page import settings_page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.feature("W7")
def test_the_page_is_what_the_settings_are(repository: Path):
    renewed = "python -m airflow_provider_asperion.cli.settings_page > docs/settings.md"
    assert (repository / "docs" / "settings.md").read_text() == settings_page(), f"renew it: {renewed}"
