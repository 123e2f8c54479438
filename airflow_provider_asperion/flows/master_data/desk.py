"""What the flows of customers and articles ask of whoever decides and writes; the words of a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from airflow_provider_asperion.flows.master_data.prepare import Master

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.flows.master_data.prepare import Said

Draft = TypeVar("Draft")


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to the debtor or article of a record.

    :param changes: field to (value now, value then); personal, for the eyes of a plan only.
    :param asperion_id: of what is there.
    """

    action: Literal["create", "update", "skip"]
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    asperion_id: str | None = None


class Desk(Protocol[Master]):
    """Knows one kind of thing in Asperion."""

    kind: str

    def name_of(self, said: Said[Master]) -> str:
        """Return what a record is known by in Asperion: records of one name become one change.

        :raises ProblemError: it has nothing to be known by.
        """

    def ledger_name(self, said: Said[Master]) -> str:
        """Return the same without personal data, for the ledger."""

    async def decide(self, said: Said[Master]) -> Decision:
        """Say what happens to a record; reads only.

        :raises ProblemError: it is refused, and why.
        :raises AsperionError: Asperion does not answer.
        """

    async def carry_out(self, said: Said[Master], decision: Decision) -> str:
        """Make a decision true; return the id in Asperion.

        :raises ProblemError, AsperionError: it was not done, or nobody knows whether it was.
        """
