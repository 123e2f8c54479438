"""What waits in staging between extracting and publishing: a record, and when Asperion said so."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from airflow_provider_asperion.mapping.to_sap import RECORDS
from airflow_provider_asperion.records import Record
from airflow_provider_asperion.staging import BatchRef


class Observed(Record):
    """A record as Asperion had it at a moment.

    :param key: under which the ledger knows it; a keyed hash where the natural key is personal.
    :param shown: how people find it: SKU, customer or order number.
    :param observed_at: when Asperion was asked; an older observation never replaces a newer one.
    :param gone: Asperion does not have it any more; the record holds its key and the flag of inactivity.
    :param kind: what it is, see :data:`.mapping.to_sap.RECORDS`.
    :param record: its fields, as JSON holds them.
    """

    key: str
    shown: str
    observed_at: dt.datetime
    gone: bool = False
    kind: str
    record: dict[str, Any] = Field(repr=False)

    @classmethod
    def of(
        cls, kind: str, record: Record, *, key: str, shown: str, observed_at: dt.datetime, gone: bool = False
    ) -> Observed:
        """Wrap a record."""
        return cls(
            key=key,
            shown=shown,
            observed_at=observed_at,
            gone=gone,
            kind=kind,
            record=record.model_dump(mode="json", exclude_defaults=True),
        )

    def values(self) -> dict[str, Any]:
        """Return the record's fields as a mapping reads them; what is empty is absent."""
        return RECORDS[self.kind].model_validate(self.record).model_dump(exclude_none=True)


class OutBatch(Record):
    """A staged batch on its way out. Nothing personal: it travels as an XCom.

    :param number: 1-based, in its extraction.
    :param extraction: name of the extraction it belongs to: a task that extracts again makes another one.
    :param whole: everything was asked for, not only what changed.
    :param extracted_at: when it began; files and IDocs carry this moment, however late they are written.
    """

    reference: BatchRef
    number: int
    extraction: str
    whole: bool = False
    extracted_at: dt.datetime
