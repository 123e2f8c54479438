"""From a source document to what it says of customers or articles; those of one key become one change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import ValidationError

from airflow_provider_asperion.flows.orders_to_asperion.prepare import fill, force
from airflow_provider_asperion.records import (
    ArticleMaster,
    CustomerMaster,
    Problem,
    ProblemError,
    problems_of,
)
from airflow_provider_asperion.sap.drafts import business_key

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_asperion.mapping import Mapping
    from airflow_provider_asperion.records import SourceDocument
    from airflow_provider_asperion.settings import MasterData

Master = TypeVar("Master", CustomerMaster, ArticleMaster)
# The segments of which each is a record: an IDoc may hold many.
_ROOTS = ("E1KNA1M", "E1MARAM", "E1ADRMAS")
_ROWS = "lines"


@dataclass(frozen=True, slots=True)
class Said(Generic[Master]):
    """What a document says of one record.

    :param record: what it says, and no more: for an update.
    :param whole: the same with the defaults of the settings: for a new record.
    :param key: customer number or SKU, as people find it; the place in the file where there is none.
    """

    key: str
    file: str
    position: int
    line: int | None
    record: Master = field(repr=False)
    whole: Master = field(repr=False)

    @property
    def places(self) -> dict[str, Any]:
        """Where it stands, for a problem."""
        return {"file": self.file, "position": self.position, "line": self.line, "record": self.key}

    def then(self, later: Said[Master]) -> Said[Master]:
        """Return both as one: what the later one says replaces what this one says."""
        return replace(
            self,
            record=_laid_over(self.record, later.record),
            whole=_laid_over(later.whole, _laid_over(self.record, later.record)),
        )


class Preparer(Generic[Master]):
    """Makes records of source documents by the settings of one flow.

    :param kind: what they are.
    :param mappings: the compiled mappings that the flow uses.
    :param today: gives the date that the default ``today`` stands for.
    """

    def __init__(
        self,
        kind: type[Master],
        flow: MasterData,
        mappings: Sequence[Mapping],
        *,
        today: Callable[[], dt.date],
    ) -> None:
        self._kind: type[Master] = kind
        self._flow = flow
        self._mappings = mappings
        self._today = today

    def prepare(self, document: SourceDocument) -> Iterator[Said[Master] | tuple[Problem, ...]]:
        """Yield what a document says, record by record; problems in place of one that is refused."""
        for part in _parts(document):
            try:
                yield self._said(part)
            except ProblemError as error:
                places: dict[str, Any] = {
                    "file": part.file,
                    "position": part.position,
                    "line": part.line,
                    "record": part.key or None,
                }
                yield tuple(problem.at(**places) for problem in error.problems)

    def _said(self, document: SourceDocument) -> Said[Master]:
        values = dict(self._mapping_for(document).map(document).values)
        force(values, self._flow.forced, today=self._today)
        whole = dict(values)
        fill(whole, self._flow.defaults, today=self._today)
        try:
            record, filled = self._kind.model_validate(values), self._kind.model_validate(whole)
        except ValidationError as error:
            raise ProblemError(*problems_of(error, rule="record.field")) from error
        key = record.sku if isinstance(record, ArticleMaster) else record.number
        return Said(
            key=key or document.key or f"{document.file}#{document.position}",
            file=document.file,
            position=document.position,
            line=document.line,
            record=record,
            whole=filled,
        )

    def _mapping_for(self, document: SourceDocument) -> Mapping:
        for mapping in self._mappings:
            if mapping.applies_to(document):
                return mapping
        raise ProblemError(
            Problem(
                rule="mapping.none",
                message=f"no mapping is for message {document.message_type} in format {document.format}",
                remedy="add a mapping whose `for` names them, or take the message type off the reader",
            )
        )


def _parts(document: SourceDocument) -> Iterator[SourceDocument]:
    """Yield a document for each record in it: IDocs and groups of rows may hold several."""
    name = next((root for root in (*_ROOTS, _ROWS) if isinstance(document.data.get(root), list)), None)
    if name is None:
        yield document
        return
    for one in document.data[name]:
        data = {**document.data, name: [one]}
        if name == _ROWS:
            yield replace(document, data={**data, "header": one})
        else:
            yield replace(document, data=data, key=business_key(document.message_type, data))


def _laid_over(below: Master, above: Master) -> Master:
    values: dict[str, Any] = {**below.model_dump(exclude_none=True), **above.model_dump(exclude_none=True)}
    if isinstance(below, ArticleMaster) and isinstance(above, ArticleMaster):
        values["custom"] = {**below.custom, **above.custom}
    return type(below).model_validate(values)
