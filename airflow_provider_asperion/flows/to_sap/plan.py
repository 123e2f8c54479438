"""Says what publishing would do (X3): create, update, deletion or nothing, field by field; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from airflow_provider_asperion.flows.to_sap.publish import Published, decided, mapped_records
from airflow_provider_asperion.ledger import snapshots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.flows.to_sap.decide import Change
    from airflow_provider_asperion.flows.to_sap.observed import Observed
    from airflow_provider_asperion.flows.to_sap.publish import Publishing


class Tells(Protocol):
    """Where a plan goes."""

    def info(self, event: str, *args: object) -> object:
        """Take one line."""


def plan(records: Sequence[Observed], parts: Publishing, log: Tells) -> Published:
    """Log what each record of a batch would become; only names of fields, no values."""
    result = Published()
    mapped = mapped_records(records, parts, result)
    known = parts.ledger.run(snapshots.look_up, parts.administration, parts.ledger_flow, list(mapped))
    for record in records:
        if record.key not in mapped:
            continue
        change = decided(record, mapped[record.key], known.get(record.key), parts, result)
        if change is not None and change.action is not None:
            result.counts[change.action] += 1
            log.info("%s: %s", record.shown, in_words(change))
    return result


def in_words(change: Change) -> str:
    """Return what travels, and why, without any value."""
    if change.action == "create":
        return f"create: SAP does not have it; {len(change.sent)} fields"
    why = ", ".join(
        f"{target} (emptied)" if target in change.cleared else target for target in change.changed
    )
    rest = [target for target in change.sent if target not in change.changed]
    beside = f"; with it {', '.join(rest)}" if rest else ""
    return f"{change.action}: {why or 'asked for, nothing changed'}{beside}"
