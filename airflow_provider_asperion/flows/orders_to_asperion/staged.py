"""What waits in staging between reading and delivering: an order, and where it came from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Order, Record

if TYPE_CHECKING:
    from airflow_provider_asperion.records import SourceDocument


class StagedOrder(Record):
    """A mapped and validated order with its origin.

    :param claim: the claim under which its file was read.
    :param fingerprint: SHA-256 of the source content; equal for a resent document, whose control record
        (number, time) differs.
    :param defaults: targets for which a default was used, for the trail.
    """

    order: Order
    claim: str
    file: str
    position: int
    line: int | None = None
    fingerprint: str
    defaults: tuple[str, ...] = ()


def fingerprint_of(document: SourceDocument) -> str:
    """Return the SHA-256 of what a document says, whatever envelope it came in."""
    content = {name: value for name, value in document.data.items() if name != "EDI_DC40"}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
