"""Extracts what changed: Asperion's list becomes encrypted batches of records, in bounded memory."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - in a dataclass
from collections.abc import AsyncIterator  # noqa: TC003 - in a protocol
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import ValidationError

from airflow_provider_asperion.flows.to_sap.observed import Observed, OutBatch
from airflow_provider_asperion.records import Problem, ProblemError, problems_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.settings import PublishRules
    from airflow_provider_asperion.staging import BatchRef, Staging


class Source(Protocol):
    """What one entity knows of its list."""

    flow_name: str

    async def prepare(self, asperion: Asperion) -> None:
        """Read what the records need beside the list: VAT codes, open orders."""

    def walk(self, asperion: Asperion, changed: Interval | None, on_problem: OnProblem) -> AsyncIterator[Any]:
        """Walk the list; of an interval where one is given.

        :param on_problem: told of each entry that cannot be read; the others come all the same.
        """

    def shown(self, item: Any) -> str:
        """Return how people find an entry: SKU, customer or order number."""

    async def observe(self, item: Any, at: dt.datetime) -> Sequence[Observed]:
        """Return the records of an entry; none where the settings say that it does not travel.

        :raises ProblemError: it breaks a rule.
        :raises ValidationError: a value is of another form than the record takes.
        """

    def ended(self, item: Any) -> bool:
        """Whether an entry that does not travel any more is told of where SAP has it, see :meth:`gone`."""

    def doubles(self) -> dict[str, Problem]:
        """Return the keys that came more than once, and what to say of them: they do not travel."""

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return what to do about a record that SAP has and Asperion has not."""


@dataclass(slots=True)
class Extraction:
    """What an extraction gave.

    :param moves_watermark: all that changed until ``began_at`` was asked for.
    :param whole: everything was asked for, not only what changed.
    :param seen: entries of Asperion's list.
    :param staged: records in the batches.
    :param left_out: entries that do not travel by the settings.
    :param gone: records that SAP has and Asperion has not.
    """

    name: str
    began_at: dt.datetime
    administration: str = ""
    moves_watermark: bool = False
    whole: bool = False
    batches: list[OutBatch] = field(default_factory=list)
    seen: int = 0
    staged: int = 0
    left_out: int = 0
    gone: int = 0
    refused: int = 0

    def told(self) -> dict[str, Any]:
        """Return what the settling task needs, for an XCom; nothing personal."""
        return {
            "administration": self.administration,
            "began_at": self.began_at.isoformat(),
            "moves_watermark": self.moves_watermark,
            "counts": self.summary(),
        }

    def summary(self) -> dict[str, Any]:
        """Return the counts, for logs and XComs."""
        return {
            "seen": self.seen,
            "staged": self.staged,
            "left_out": self.left_out,
            "gone": self.gone,
            "refused": self.refused,
        }


class Extractor:
    """Stages batches of records.

    :param folder: of this extraction, in staging.
    :param on_problem: told of each record that is refused.
    :param on_entry: told of each entry of the list, and whether it is refused.
    """

    def __init__(
        self,
        source: Source,
        staging: Staging,
        rules: PublishRules,
        *,
        name: str,
        folder: str,
        began_at: dt.datetime,
        on_problem: Callable[[Problem], None],
        on_entry: Callable[[bool], None] = lambda refused: None,
    ) -> None:
        self._on_entry = on_entry
        self._source = source
        self._staging = staging
        self._rules = rules
        self._folder = folder
        self._on_problem = on_problem
        self._waiting: list[Observed] = []
        self._keys: list[set[str]] = []
        self._unreadable = 0
        self.result = Extraction(name, began_at)

    def unreadable(self, problem: Problem) -> None:
        """Take note of an entry of the list that cannot be read."""
        self._unreadable += 1
        self._refuse([problem])

    async def extract(self, items: AsyncIterator[Any], *, known: Iterable[str] | None) -> Extraction:
        """Walk a list to its end and stage what travels.

        :param items: where it tells ``asked_at``, its entries were observed then; else when this began.
        :param known: keys that SAP has, to find those that are gone; None when only a part is walked.
        """
        result = self.result
        seen: set[str] = set()
        async for item in items:
            result.seen += 1
            refused = result.refused
            records = await self._records_of(item, getattr(items, "asked_at", None) or result.began_at)
            if records or not self._source.ended(item):
                # Also one that does not travel is there: it must not count as gone.
                seen.update([one.key for one in records] or [self._source.shown(item)])
            for record in records:
                self._add(record)
            self._on_entry(result.refused > refused)
        self._look_for_gone(seen, known or ())
        self._flush()
        self._without_doubles()
        result.staged = sum(batch.reference.count for batch in result.batches)
        return result

    async def _records_of(self, item: Any, at: dt.datetime) -> Sequence[Observed]:
        """Return the records of an entry; none where it is refused, or left out."""
        try:
            records = await self._source.observe(item, at)
        except ProblemError as error:
            self._refuse(error.problems)
            return ()
        except ValidationError as error:
            shown = self._source.shown(item)
            self._refuse(problem.at(record=shown) for problem in problems_of(error))
            return ()
        if not records:
            self.result.left_out += 1
        return records

    def _look_for_gone(self, seen: set[str], known: Iterable[str]) -> None:
        """Tell of each key once, however many mappings have sent it."""
        for key in known:
            if self._unreadable:
                # Whose entry could not be read is not known: any of those that did not come may be it.
                self._on_problem(_gone_unknown(self._unreadable))
                return
            if key not in seen:
                seen.add(key)
                self._gone(key)

    def _gone(self, key: str) -> None:
        found = self._source.gone(key, self.result.began_at)
        if found is None:
            return
        self.result.gone += 1
        if isinstance(found, Observed):
            self._add(found)
        else:
            self._on_problem(found)

    def _refuse(self, problems: Iterable[Problem]) -> None:
        self.result.refused += 1
        for problem in problems:
            self._on_problem(problem)

    def _add(self, observed: Observed) -> None:
        self._waiting.append(observed)
        if len(self._waiting) >= self._size():
            self._flush()

    def _size(self) -> int:
        """Return how many records make a batch: past half of the batches they grow, ever faster."""
        beyond = len(self.result.batches) - self._rules.maximum_batches // 2
        step = max(1, self._rules.maximum_batches // 32)
        return self._rules.batch_size << max(0, 1 + beyond // step)

    def _flush(self) -> None:
        if not self._waiting:
            return
        number = len(self.result.batches) + 1
        self.result.batches.append(
            OutBatch(
                reference=self._write(number, self._waiting),
                number=number,
                extraction=self.result.name,
                whole=self.result.whole,
                extracted_at=self.result.began_at,
            )
        )
        self._keys.append({observed.key for observed in self._waiting})
        self._waiting = []

    def _write(self, number: int, records: Iterable[Observed]) -> BatchRef:
        lines = (record.model_dump_json(exclude_defaults=True).encode() for record in records)
        return self._staging.write(f"{self._folder}/{number:06}", lines)

    def _without_doubles(self) -> None:
        """Take out of the batches what turned out to be there more than once."""
        doubles = self._source.doubles()
        for problem in doubles.values():
            self._refuse([problem])
        for index, keys in enumerate(self._keys):
            if not doubles.keys() & keys:
                continue
            batch = self.result.batches[index]
            kept = [
                record for record in records_of(self._staging, batch.reference) if record.key not in doubles
            ]
            reference = self._write(batch.number, kept)
            self.result.batches[index] = batch.model_copy(update={"reference": reference})
        self.result.batches = [batch for batch in self.result.batches if batch.reference.count]


def _gone_unknown(unreadable: int) -> Problem:
    return Problem(
        rule="list.incomplete",
        message=f"{unreadable} entries could not be read, so what is gone from Asperion was not looked for",
        remedy="see the problems of these entries; the next run that reads all of them looks for it",
    )


def records_of(staging: Staging, reference: BatchRef) -> list[Observed]:
    """Read a batch from staging.

    :raises ProblemError: it is gone or damaged.
    """
    return [Observed.model_validate_json(line) for line in staging.read(reference)]
