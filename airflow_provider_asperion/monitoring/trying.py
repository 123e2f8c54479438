"""Tries a flow's mapping on an uploaded sample: source, what it becomes, and what is wrong, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.flows.master_data.prepare import Said
from airflow_provider_asperion.flows.orders_to_asperion.prepare import Filtered
from airflow_provider_asperion.hooks.evidence import flat
from airflow_provider_asperion.operators import mastering, reading
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.sap.reading import read_documents
from airflow_provider_asperion.settings import OrdersToAsperion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from airflow_provider_asperion.records import SourceDocument

# A sample is there to be looked at.
MOST_DOCUMENTS = 25
MOST_BYTES = 5 * 1024 * 1024

Leaves = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one document of the sample.

    :param source: its fields as they were read.
    :param becomes: fields of the order, customer or article; several of a document follow each other.
    :param note: why it does not travel, where a filter leaves it out.
    """

    title: str
    source: Leaves
    becomes: Leaves = ()
    problems: tuple[Problem, ...] = ()
    note: str | None = None


def try_sample(flow: Any, stream: BinaryIO, name: str) -> list[Tried]:
    """Read a sample and map it; nothing is written, nobody is asked.

    :raises ProblemError: a mapping of the settings is wrong.
    """
    become = _orders(flow) if isinstance(flow, OrdersToAsperion) else _master_data(flow)
    found = islice(read_documents(stream, file=name, profile=flow.reading), MOST_DOCUMENTS)
    return [
        Tried("Not readable", (), problems=(one,)) if isinstance(one, Problem) else become(one)
        for one in found
    ]


def _orders(flow: OrdersToAsperion) -> Callable[[SourceDocument], Tried]:
    preparer = reading.preparer_of(flow)

    def become(document: SourceDocument) -> Tried:
        title, source = f"Document {document.position}", tuple(flat(document.data))
        try:
            prepared = preparer.prepare(document, claim="")
        except ProblemError as error:
            return Tried(title, source, problems=error.problems)
        if isinstance(prepared, Filtered):
            return Tried(title, source, note=prepared.reason)
        order = prepared.order
        title = f"{order.kind.replace('_', ' ')} {order.reference}"
        return Tried(title, source, tuple(flat(order.model_dump(mode="json", exclude_none=True))))

    return become


def _master_data(flow: Any) -> Callable[[SourceDocument], Tried]:
    preparer = mastering.preparer_of(flow)

    def become(document: SourceDocument) -> Tried:
        leaves, problems = [], []
        for said in preparer.prepare(document):
            if isinstance(said, Said):
                leaves += flat(said.record.model_dump(mode="json", exclude_defaults=True))
            else:
                problems += list(_problems(said))
        title = f"Document {document.position}"
        return Tried(title, tuple(flat(document.data)), tuple(leaves), tuple(problems))

    return become


def _problems(said: Any) -> Iterator[Problem]:
    yield from (one for one in said if isinstance(one, Problem))
