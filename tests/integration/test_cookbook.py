"""What Asperion would make of the cookbook's recipes, as `asperion plan` shows it on the sandbox."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.main import main
from tests.support.cli_world import world
from tests.support.cookbook import recipes

pytestmark = [pytest.mark.feature("O7"), pytest.mark.feature("O12"), pytest.mark.feature("W7")]
PLANNED = {recipe.title: step for recipe in recipes() for step in recipe.steps if step.plan}


@pytest.mark.parametrize("title", PLANNED)
def test_the_plan_has_the_lines_on_the_page(title, tmp_path, sshd, inbox, monkeypatch, capsys):
    step = PLANNED[title]
    settings, sample = step.write(tmp_path)
    with world(tmp_path / "home", sshd, inbox, monkeypatch):
        capsys.readouterr()
        main(["plan", str(sample), "--settings", str(settings)])
        said = capsys.readouterr().out.splitlines()
    missing = [line for line in step.plan.splitlines() if line not in said]
    assert missing == [], "\n".join(said)


def test_plans_are_on_the_page():
    assert len(PLANNED) >= 3
