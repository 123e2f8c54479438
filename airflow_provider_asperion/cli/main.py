"""`asperion`: the commands without Airflow's own parser, which takes seconds to load."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.definition import ABOUT, COMMANDS
from airflow_provider_asperion.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None, *, program: str = "asperion") -> int:
    """Run a command.

    :returns: 0 when all went well, 1 when it did not; a mistyped command ends the process with 2.
    """
    chosen = parser(program).parse_args(arguments)
    return run(chosen.function, chosen)


def parser(program: str) -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog=program, description=f"{ABOUT}.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        made = commands.add_parser(command.name, help=command.about, description=command.description)
        for argument in command.arguments:
            made.add_argument(*argument.flags, **argument.options)
        made.set_defaults(function=command.function)
    return top
