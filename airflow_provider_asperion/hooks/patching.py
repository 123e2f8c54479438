"""Changes a value of one refused record for its next try: from a page or a command, never from a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.orders_to_asperion.patched import patched
from airflow_provider_asperion.hooks import runtime
from airflow_provider_asperion.hooks.evidence import received_document
from airflow_provider_asperion.hooks.flows import BY_NAME
from airflow_provider_asperion.ledger.patches import PatchBook, Place
from airflow_provider_asperion.records import Problem, ProblemError, SourceDocument

if TYPE_CHECKING:
    from airflow_provider_asperion.ledger import FileClaim, Ledger

# Only its refused records are read again from the archive.
PATCHED = BY_NAME["orders_to_asperion"]
LONGEST_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class Patchable:
    """A refused record, and where it stands.

    :param id: of the record in the ledger.
    """

    id: str
    file: FileClaim
    position: int

    @property
    def place(self) -> Place:
        """The place under which its patches are kept."""
        return Place(self.id, self.file.id, self.position)


async def patch(
    ledger: Ledger, integration: str, record: Patchable, field: str, value: str, *, by: str
) -> None:
    """Keep a value for a field of a record, encrypted, until it is delivered or too old.

    :param field: dotted path in the source document, as the record's page shows it.
    :param by: who changes it, for the trail.
    :raises ProblemError: the document is gone or has no such field.
    """
    if not field.isprintable():
        raise ProblemError(_problem("there is no field of such a name"))
    if len(value) > LONGEST_VALUE:
        raise ProblemError(_problem(f"a value has at most {LONGEST_VALUE} characters"))
    document = await received_document(integration, PATCHED.name, record.file.path, record.position)
    if not isinstance(document, SourceDocument):
        raise ProblemError(document or _problem("the file does not hold the record any more"))
    patched(document, {field: value})  # raises where it does not apply
    hours = runtime.settings().ledger.patch_hours
    PatchBook(ledger, runtime.cipher()).put(record.place, field, value, by=by, hours=hours)


def _problem(message: str) -> Problem:
    return Problem(
        rule="patch.impossible", message=message, remedy="have the sender send the record again, corrected"
    )
