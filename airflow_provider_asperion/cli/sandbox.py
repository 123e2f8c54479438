"""`asperion sandbox`: hands over to the sandbox's own entry point."""

from __future__ import annotations

from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_asperion.cli.output import output
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    import argparse


def sandbox(arguments: argparse.Namespace) -> int:
    """Run the sandbox until it is interrupted.

    :raises ProblemError: the extra that it needs is not installed.
    """
    try:
        from airflow_provider_asperion.sandbox.__main__ import main
    except ModuleNotFoundError as error:
        raise ProblemError(
            Problem(
                rule="sandbox.extra",
                message=f"the sandbox needs {error.name}, which is not installed",
                remedy="pip install 'airflow-provider-asperion[sandbox]'",
            )
        ) from error
    handed = [
        "--port",
        arguments.port,
        "--sftp-port",
        arguments.sftp_port,
        "--latency-ms",
        arguments.latency_ms,
    ]
    if arguments.folder is not None:
        handed += ["--folder", Path(arguments.folder)]
    with redirect_stdout(output()):
        return main([str(one) for one in handed])
