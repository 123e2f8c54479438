"""The manual of the settings says what they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.cli.settings_page import settings_page
from airflow_provider_asperion.cli.template import template
from airflow_provider_asperion.settings import Flows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.feature("W7")
def test_the_page_is_what_the_settings_are(repository: Path):
    renewed = "python -m airflow_provider_asperion.cli.settings_page > docs/settings.md"
    assert (repository / "docs" / "settings.md").read_text() == settings_page(), f"renew it: {renewed}"


@pytest.mark.feature("W7")
def test_each_option_is_on_the_page_once_and_in_its_order():
    blocks = re.findall(r"^```yaml\n(.*?)^```", settings_page(), re.DOTALL | re.MULTILINE)
    shown = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
    whole = [line.strip() for line in template().splitlines() if line.strip()]
    only_there = [line for line in whole if line not in shown]
    assert only_there == [
        "# The flows of an integration; one that is null or not enabled has no DAG.",
        "flows:",
    ]
    assert shown == [line for line in whole if line not in only_there]


@pytest.mark.feature("W7")
def test_each_flow_has_a_section():
    headings = re.findall(r"^## (.*)$", settings_page(), re.MULTILINE)
    assert set(Flows.model_fields) | {"notifications", "ledger", "staging", "retention"} <= set(headings)
