"""`asperion init`: files that are right as they stand, and never over others'."""

from __future__ import annotations

import ast
import json
import os
import tempfile
from pathlib import Path

import jsonschema
import pytest
import yaml

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow_provider_asperion.cli.init import schema
from airflow_provider_asperion.cli.main import main
from airflow_provider_asperion.cli.template import EXAMPLES, template
from airflow_provider_asperion.mapping.files import shipped, shipped_to_sap
from airflow_provider_asperion.settings import Settings, load_settings, parse_settings

pytestmark = pytest.mark.feature("W7")


def test_the_files_are_written_and_valid(tmp_path, capsys):
    folder = tmp_path / "new" / "home"
    assert main(["init", str(folder)]) == 0
    assert load_settings(folder / "asperion.yaml") == Settings()
    text = (folder / "dags" / "sap_orders_to_asperion.py").read_text()
    ast.parse(text)
    assert text == Path("dags/sap_orders_to_asperion.py").read_text()
    first = (folder / "asperion.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=asperion.schema.json"
    jsonschema.Draft202012Validator.check_schema(json.loads((folder / "asperion.schema.json").read_text()))
    said = capsys.readouterr().out
    assert "asperion check" in said
    assert "asperion authorize" in said


def test_nothing_is_overwritten_without_force(tmp_path, capsys):
    (tmp_path / "asperion.yaml").write_text("mine")
    assert main(["init", str(tmp_path)]) == 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["asperion.yaml"]
    assert (tmp_path / "asperion.yaml").read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert main(["init", str(tmp_path), "--force"]) == 0
    assert load_settings(tmp_path / "asperion.yaml") == Settings()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file" / "below")]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "init.unwritable" in told


def test_the_template_fits_the_schema():
    jsonschema.validate(yaml.safe_load(template()), schema())


def test_every_option_stands_there_with_an_explanation():
    lines = template().splitlines()
    for place, line in enumerate(lines):
        if line.strip().startswith("#") or not line.strip():
            continue
        named = line.strip().removesuffix(":") in ("default", *shipped(), *shipped_to_sap())
        assert named or lines[place - 1].strip().startswith("#"), line
    stated = json.dumps(yaml.safe_load(template()))
    for model in (
        "OutFolder",
        "WriteProfile",
        "StockRules",
        "DropFolder",
        "ReadProfile",
        "CsvProfile",
        "CustomerRules",
        "DeliveryRules",
        "Limits",
    ):
        for option in schema()["$defs"][model]["properties"]:
            assert f'"{option}":' in stated, option


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_examples_are_right(name):
    lines, block = template().splitlines(), []
    place = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{name}: "))
    pad = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    for line in EXAMPLES[name].splitlines():
        block.append(f"{pad}  {line}")
    changed = "\n".join([*lines[:place], f"{pad}{name}:", *block, *lines[place + 1 :]])
    assert parse_settings(changed) != Settings()


def test_of_many_files_that_are_there_some_are_named(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("[init.exists] dags/asperion_")
    assert ", ... are in " in line
