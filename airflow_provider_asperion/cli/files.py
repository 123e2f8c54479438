"""`asperion read` and `asperion map`: what is in files, and the records that they become. No network."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from airflow_provider_asperion.cli.output import remark, show
from airflow_provider_asperion.cli.profiles import ORDERS, flow_of, profile_of
from airflow_provider_asperion.cli.running import tell
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.reading import read_documents

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.sap.profile import ReadProfile
    from airflow_provider_asperion.settings import (
        CustomersToAsperion,
        OrdersToAsperion,
        ProductsToAsperion,
    )

    Become = Callable[[SourceDocument], Iterator[dict[str, Any]]]

STANDARD_INPUT = "-"


def read(arguments: argparse.Namespace) -> int:
    """Print documents and problems, one line of JSON each; return 1 when there was no document."""
    readable = 0
    for found in documents_of(arguments.files, profile_of(arguments)):
        if isinstance(found, Problem):
            tell([found])
            _print({"problem": found.model_dump(exclude_none=True)})
        else:
            readable += 1
            _print({"document": asdict(found)})
    return 0 if readable else 1


def map_(arguments: argparse.Namespace) -> int:
    """Print what documents become, one line of JSON each; return 1 when there was nothing."""
    flow = flow_of(arguments, arguments.flow)
    become = _orders_of(flow) if arguments.flow == ORDERS else _master_data_of(flow)
    mapped = 0
    for found in documents_of(arguments.files, flow.reading):
        if isinstance(found, Problem):
            tell([found])
            continue
        for one in become(found):
            mapped += 1
            _print(one)
    return 0 if mapped else 1


def _orders_of(flow: OrdersToAsperion) -> Become:
    from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
    from airflow_provider_asperion.operators.reading import preparer_of

    preparer = preparer_of(flow)

    def become(document: SourceDocument) -> Iterator[dict[str, Any]]:
        try:
            prepared = preparer.prepare(document, claim="")
        except ProblemError as error:
            tell(error.problems)
            return
        if isinstance(prepared, Filtered):
            remark(f"{document.file}: order {prepared.record} does not travel: {prepared.reason}")
        else:
            yield prepared.model_dump(mode="json", exclude_none=True, exclude={"claim"})

    return become


def _master_data_of(flow: CustomersToAsperion | ProductsToAsperion) -> Become:
    from airflow_provider_asperion.flows.master_data.prepare import Said
    from airflow_provider_asperion.operators.mastering import preparer_of

    preparer = preparer_of(flow)

    def become(document: SourceDocument) -> Iterator[dict[str, Any]]:
        for said in preparer.prepare(document):
            if isinstance(said, Said):
                record = said.record.model_dump(mode="json", exclude_defaults=True)
                yield {"record": record, "file": said.file, "position": said.position}
            else:
                tell(said)

    return become


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
