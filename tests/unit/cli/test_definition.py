"""The commands: the same for Airflow's parser and for ours, cheap to load, readable when used wrongly."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

from airflow.cli.cli_config import ActionCommand, GroupCommand

from airflow_provider_asperion.asperion.errors import RateLimited
from airflow_provider_asperion.cli import running
from airflow_provider_asperion.cli.definition import COMMANDS
from airflow_provider_asperion.cli.main import main, parser
from airflow_provider_asperion.get_provider_info import get_provider_info
from airflow_provider_asperion.records import Problem, ProblemError

NAMES = [
    "check",
    "read",
    "map",
    "plan",
    "retry",
    "explain",
    "notify",
    "reconcile",
    "purge",
    "circuit",
    "authorize",
    "sandbox",
    "init",
]


def test_airflow_gets_all_commands():
    (path,) = get_provider_info()["cli"]
    module, _, name = path.rpartition(".")
    (group,) = getattr(importlib.import_module(module), name)()
    assert isinstance(group, GroupCommand)
    assert group.name == "asperion"
    assert [command.name for command in group.subcommands] == NAMES
    assert all(isinstance(command, ActionCommand) for command in group.subcommands)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_there_and_takes_its_arguments(command, capsys):
    module, _, name = command.function.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    assert command.about.split()[0] in capsys.readouterr().out


def test_airflows_own_parser_takes_them():
    from airflow.cli import cli_parser
    from airflow.providers_manager import ProvidersManager

    if not hasattr(ProvidersManager, "cli_command_functions"):
        pytest.skip("this Airflow takes no commands of providers; `asperion ...` has them all the same")
    got = cli_parser.get_parser().parse_args(["asperion", "read", "a", "b", "--settings", "c"])
    assert (got.files, got.settings) == (["a", "b"], "c")


def test_naming_the_commands_loads_nothing_heavy():
    script = (
        "import sys; import airflow_provider_asperion.cli.definition; "
        "sys.exit(bool({'airflow', 'pydantic', 'aiohttp', 'asyncssh', 'sqlalchemy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.parametrize("arguments", [[], ["nope"], ["read"], ["map", "x", "--flow", "nope"]])
def test_wrong_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ProblemError(*(Problem(rule=rule, message="two\nlines", remedy="x") for rule in ("a.b", "c.d"))),
            "[a.b] two lines -> x\n[c.d] two lines -> x\n",
        ),
        (RateLimited("too many", status=429), "[asperion.rate_limited] 429, too many -> nothing to do"),
        (PermissionError(13, "Permission denied", "file.x"), "file.x: Permission denied\n"),
    ],
)  # fmt: skip
def test_faults_are_one_line_each(monkeypatch, capsys, error, told):
    def fail(_):
        raise error

    monkeypatch.setattr("airflow_provider_asperion.cli.init.init", fail)
    assert main(["init", "x"]) == 1
    assert capsys.readouterr().err.startswith(told)


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("airflow_provider_asperion.cli.init.init", interrupt)
    assert main(["init", "x"]) == 130
    assert capsys.readouterr().err == ""


def test_airflow_sees_the_exit_code(monkeypatch):
    monkeypatch.setattr("airflow_provider_asperion.cli.init.init", lambda _: 1)
    command = running.lazily("airflow_provider_asperion.cli.init.init")
    with pytest.raises(SystemExit) as ended:
        command(parser("x").parse_args(["init", "x"]))
    assert ended.value.code == 1
