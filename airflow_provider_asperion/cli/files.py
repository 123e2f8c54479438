"""`asperion read` and `asperion map`: what is in files, and the orders that they become. No network."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_asperion.cli.output import remark, show
from airflow_provider_asperion.cli.running import integration_of, settings_of, tell
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.reading import read_documents

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.settings import OrdersToAsperion

STANDARD_INPUT = "-"


def read(arguments: argparse.Namespace) -> int:
    """Print documents and problems, one line of JSON each; return 1 when there was no document."""
    readable = 0
    for found in documents_of(arguments.files, orders_flow(arguments).reading):
        if isinstance(found, Problem):
            tell([found])
            _print({"problem": found.model_dump(exclude_none=True)})
        else:
            readable += 1
            _print({"document": asdict(found)})
    return 0 if readable else 1


def map_(arguments: argparse.Namespace) -> int:
    """Print the orders of documents, one line of JSON each; return 1 when there was no order."""
    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
    from airflow_provider_asperion.operators.reading import preparer_of

    flow = orders_flow(arguments)
    preparer = preparer_of(flow)
    orders = 0
    for found in documents_of(arguments.files, flow.reading):
        if isinstance(found, Problem):
            tell([found])
            continue
        try:
            prepared = preparer.prepare(found, claim="")
        except ProblemError as error:
            tell(error.problems)
            continue
        if isinstance(prepared, Filtered):
            remark(f"{found.file}: order {prepared.record} does not travel: {prepared.reason}")
            continue
        orders += 1
        _print(prepared.model_dump(mode="json", exclude_none=True, exclude={"claim"}))
    return 0 if orders else 1


def orders_flow(arguments: argparse.Namespace) -> OrdersToAsperion:
    """Return the settings of the orders flow of the integration that was named.

    :raises ProblemError: the settings are wrong, or the integration has no such flow.
    """
    settings = settings_of(arguments)
    name = integration_of(settings, arguments.integration)
    flow = settings.integrations[name].flows.orders_to_asperion
    if flow is not None:
        return flow
    raise ProblemError(
        Problem(
            rule="settings.flow",
            message=f"the integration {name!r} has no flow orders_to_asperion",
            remedy="add flows.orders_to_asperion to it, or name another one with --integration",
        )
    )


def documents_of(files: Iterable[str], profile: ReadProfile) -> Iterator[SourceDocument | Problem]:
    """Yield the documents and problems of local files; a file that cannot be opened is a problem."""
    for file in files:
        try:
            with _opened(file) as stream:
                name = "(standard input)" if file == STANDARD_INPUT else Path(file).name
                yield from read_documents(stream, file=name, profile=profile)
        except OSError as error:
            yield Problem(
                rule="file.unreadable",
                message=f"the file cannot be read: {error.strerror or type(error).__name__}",
                remedy="correct the path, or the rights of the file",
                file=Path(file).name,
            )


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as stream:
        yield stream


def _print(content: dict[str, Any]) -> None:
    show(json.dumps(content, ensure_ascii=False, default=str))
