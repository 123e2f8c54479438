"""Each recipe of the cookbook gives what its page says, by the command that the page names."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from airflow_provider_asperion.cli.main import main
from tests.support.cookbook import Step, back, differences, recipes, settings_of
from tests.support.docs_examples import files_by, plain

pytestmark = [pytest.mark.feature("W2"), pytest.mark.feature("W7")]
RECIPES = list(recipes())
STEPS = [(recipe.title, number) for recipe in RECIPES for number in range(len(recipe.steps))]


def step_of(title: str, number: int) -> Step:
    (recipe,) = [one for one in RECIPES if one.title == title]
    return recipe.steps[number]


def outcome(step: Step, folder, capsys) -> dict[str, object]:
    """Return per order number its fields, or why it does not travel, as `asperion map` tells."""
    settings, sample = step.write(folder)
    capsys.readouterr()
    main(["map", str(sample), "--settings", str(settings)])
    said = capsys.readouterr()
    made: dict[str, object] = {}
    for line in said.out.splitlines():
        order = json.loads(line)["order"]
        made[order["reference"]] = order
    for rule, number in re.findall(r"^\[([\w.]+)\] .*?record (\S+),", said.err, re.MULTILINE):
        made[number] = f"refused {rule}"
    for number in re.findall(r"order (\S+) does not travel", said.err):
        made[number] = "filtered"
    return made


@pytest.mark.parametrize(("title", "number"), STEPS, ids=[f"{title} {number + 1}" for title, number in STEPS])
def test_a_recipe_gives_what_the_page_says(title, number, tmp_path, capsys):
    step = step_of(title, number)
    made = outcome(step, tmp_path, capsys)
    assert sorted(made) == sorted(step.gives)
    assert list(differences(step.gives, made)) == []


@pytest.mark.parametrize(("flow", "recipe", "mapping", "bodies", "files"), list(back()))
def test_a_recipe_to_sap_gives_the_file_on_the_page(
    flow, recipe, mapping, bodies, files, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (name,) = yaml.safe_load(recipe)["mappings"]
    (tmp_path / name).write_text(mapping, encoding="utf-8")
    made = files_by(settings_of(recipe, flow), flow, bodies)
    assert [plain(text) for text in made] == [plain(text) for text in files]


def test_there_are_recipes():
    assert len(RECIPES) >= 12
    assert list(back())


def test_a_recipe_that_lies_is_seen(tmp_path, capsys):
    step = step_of("Payment terms by a table", 0)
    made = outcome(step, tmp_path, capsys)
    for wrong in ({"payment_condition": "15"}, {"payment_condition": None}, {"lines": []}, "filtered"):
        assert list(differences({"4711": wrong}, made))
