"""`asperion init`: what a user who only ran pip install needs: DAG, settings file, its schema."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.output import show
from airflow_provider_asperion.cli.template import SCHEMA_FILE, template
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.settings import Settings

if TYPE_CHECKING:
    import argparse

PACKAGE = "airflow_provider_asperion"
MOST_SHOWN = 3


def init(arguments: argparse.Namespace) -> int:
    """Write the files and say what comes next.

    :raises ProblemError: one is there already, or the folder cannot be written; then nothing was.
    """
    folder = Path(arguments.folder).absolute()
    contents = _contents()
    there = [name for name in contents if (folder / name).exists()]
    if there and not arguments.force:
        raise ProblemError(_are_there(folder, there))
    for name, text in contents.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ProblemError(_unwritable(target, error)) from error
        show(f"written  {target}")
    show(_next_steps(folder))
    return 0


def schema() -> dict[str, object]:
    """Return the JSON schema of the settings file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}


def _contents() -> dict[str, str]:
    """Return what is written where, below the folder."""
    ready = files(PACKAGE).joinpath("ready_dags")
    dags = {one.name: one.read_text(encoding="utf-8") for one in ready.iterdir() if one.name.endswith(".py")}
    return {
        **{f"dags/{name}": text for name, text in sorted(dags.items())},
        "asperion.yaml": template(),
        SCHEMA_FILE: json.dumps(schema(), indent=2) + "\n",
    }


def _next_steps(folder: Path) -> str:
    return f"""
Next:
  1. Airflow must find both, unless {folder} is your AIRFLOW_HOME:
       export AIRFLOW__CORE__DAGS_FOLDER={folder / "dags"}
       export AIRFLOW__ASPERION__SETTINGS={folder / "asperion.yaml"}
  2. Admin > Connections: add asperion_default (type Asperion) and sap_sftp_default (type SAP (SFTP)).
     Their Test buttons need AIRFLOW__CORE__TEST_CONNECTION=Enabled.
  3. asperion authorize --connection asperion_default
  4. asperion check
  5. Switch the DAG sap_orders_to_asperion on, or look first: asperion plan
"""


def _are_there(folder: Path, names: list[str]) -> Problem:
    shown = ", ".join([*names[:MOST_SHOWN], *(["..."] if len(names) > MOST_SHOWN else [])])
    verb = "is" if len(names) == 1 else "are"
    return Problem(
        rule="init.exists",
        message=f"{shown} {verb} in {folder} already; nothing was written",
        remedy="name an empty folder and compare; --force overwrites all of them, your settings too",
    )


def _unwritable(path: Path, error: OSError) -> Problem:
    return Problem(
        rule="init.unwritable",
        message=f"{path} cannot be written: {error.strerror or type(error).__name__}",
        remedy="name another folder, or correct its rights",
    )
