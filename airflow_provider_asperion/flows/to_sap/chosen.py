"""A list of which some records are wanted. The others are looked at too: what is double shows only so."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Collection, Sequence

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.flows.to_sap.extract import Source


class Chosen:
    """A source that gives the records of some names only; of an entry that has one of them all records.

    :param names: as people know them: SKU, customer or order number.
    :ivar met: those of them that Asperion, or SAP, has.
    :ivar left_out: those of them that do not travel by the settings.
    """

    def __init__(self, source: Source, names: Collection[str]) -> None:
        self.flow_name = source.flow_name
        self._source = source
        self._names = frozenset(names)
        self._keys: set[str] = set()
        self.met: set[str] = set()
        self.left_out: set[str] = set()

    async def prepare(self, asperion: Asperion) -> None:
        """Read what the records need beside the list."""
        await self._source.prepare(asperion)

    def walk(self, asperion: Asperion, changed: Interval | None, on_problem: OnProblem) -> AsyncIterator[Any]:
        """Walk the list."""
        return self._source.walk(asperion, changed, on_problem)

    def shown(self, item: Any) -> str:
        """Return how people find an entry."""
        return self._source.shown(item)

    async def observe(self, item: Any, at: dt.datetime) -> Sequence[Observed]:
        """Return the records of an entry that are wanted.

        :raises ProblemError, ValidationError: it has one of the names, and breaks a rule.
        """
        name = self.shown(item)
        if name not in self._names:
            with suppress(ProblemError, ValidationError):
                return self._wanted(await self._source.observe(item, at))
            return ()
        self.met.add(name)
        found = await self._source.observe(item, at)
        self._keys.update(record.key for record in found)
        if not found:
            self.left_out.add(name)
        return found

    def ended(self, item: Any) -> bool:
        """Whether an entry that does not travel any more is told of where SAP has it."""
        return self._source.ended(item)

    def doubles(self) -> dict[str, Problem]:
        """Return the keys that came more than once, where one of the names is among them."""
        return {key: problem for key, problem in self._source.doubles().items() if key in self._keys}

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return what to do about a record that SAP has and Asperion has not, if it is wanted."""
        found = self._source.gone(key, at)
        if isinstance(found, Observed):
            return next(iter(self._wanted([found])), None)
        if found is None or found.record not in self._names:
            return None
        self.met.add(found.record)
        return found

    def _wanted(self, records: Sequence[Observed]) -> Sequence[Observed]:
        """Return those that themselves have one of the names: the stock of one warehouse of an article."""
        wanted = [record for record in records if record.shown in self._names]
        self.met.update(record.shown for record in wanted)
        self._keys.update(record.key for record in wanted)
        return wanted
