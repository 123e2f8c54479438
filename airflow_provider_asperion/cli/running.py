"""How a command runs: loaded when it is called, its faults one readable line each, and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.output import logs_aside, only_warnings, printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from airflow_provider_asperion.records import Problem
    from airflow_provider_asperion.settings import Settings

SETTINGS_VARIABLE = "AIRFLOW__ASPERION__SETTINGS"
INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended


def lazily(path: str) -> Callable[[argparse.Namespace], None]:
    """Return what imports and runs a command, and ends the process unless all went well."""

    def command(arguments: argparse.Namespace) -> None:
        code = run(path, arguments)
        if code:
            raise SystemExit(code)

    command.__name__ = path.rpartition(".")[2]
    return command


def run(path: str, arguments: argparse.Namespace) -> int:
    """Run a command and return its exit code: 1 when it failed, told in one line per problem."""
    from airflow_provider_asperion.asperion.errors import AsperionError, to_problem
    from airflow_provider_asperion.records import ProblemError

    choose_settings(getattr(arguments, "settings", None))
    module, _, name = path.rpartition(".")
    try:
        with logs_aside():
            command = getattr(importlib.import_module(module), name)
            only_warnings()
            return int(command(arguments))
    except ProblemError as error:
        tell(error.problems)
    except AsperionError as error:
        tell([to_problem(error)])
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; without this Python complains once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"{error.filename or path}: {error.strerror or type(error).__name__}", file=sys.stderr)
    return 1


def tell(problems: Iterable[Problem]) -> None:
    """Write problems to standard error, one line each."""
    for problem in problems:
        print(printable(" ".join(str(problem).split())), file=sys.stderr)


def choose_settings(file: str | None) -> None:
    """Make a file the settings of this process; Airflow's own way, so that all that reads them agrees."""
    if file is not None:
        os.environ[SETTINGS_VARIABLE] = str(Path(file).absolute())


def reach_connections() -> None:
    """Let connections be found where Airflow keeps them: variables, secrets backends, its own database.

    Without it a process that is neither task nor server of Airflow 3 looks only into the first two (source:
    ``airflow.sdk.execution_time.supervisor.ensure_secrets_backend_loaded``).
    """
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings; with ``--settings`` without loading Airflow.

    :raises ProblemError: the file is wrong, or the one that was named is not there.
    """
    if arguments.settings is not None:
        from airflow_provider_asperion.settings import load_settings

        return load_settings(Path(arguments.settings))
    from airflow_provider_asperion.hooks import runtime

    return runtime.settings()


def integration_of(settings: Settings, name: str | None) -> str:
    """Return the integration that was named, or the only one.

    :raises ProblemError: there is none of that name, or none was named and there are several.
    """
    from airflow_provider_asperion.records import Problem, ProblemError
    from airflow_provider_asperion.settings import DEFAULT_INTEGRATION

    known = sorted(settings.integrations)
    if name is None and (len(known) == 1 or DEFAULT_INTEGRATION in known):
        return known[0] if len(known) == 1 else DEFAULT_INTEGRATION
    if name in settings.integrations:
        return str(name)
    message = "say which integration" if name is None else f"the settings have no integration {name!r}"
    raise ProblemError(
        Problem(rule="settings.integration", message=message, remedy=f"--integration {' or '.join(known)}")
    )
