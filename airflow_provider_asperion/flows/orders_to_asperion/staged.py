"""What waits in staging between reading and delivering: an order, and where it came from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from airflow_provider_asperion.records import Order, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.records import SourceDocument

# Names in one fact of a trail.
MOST_NAMES = 12


class StagedOrder(Record):
    """A mapped and validated order with its origin.

    :param claim: the claim under which its file was read.
    :param fingerprint: SHA-256 of the source content; equal for a resent document, whose control record
        (number, time) differs.
    :param mapping: name of the mapping that made it; with ``defaults`` and the rest for the trail.
    :param defaults: targets for which a default was used.
    :param forced: targets whose value the settings force.
    :param looked_up: look-up tables that were used.
    :param patched: fields of the source that a person changed for this try.
    """

    order: Order
    claim: str
    file: str
    position: int
    line: int | None = None
    fingerprint: str
    mapping: str = ""
    defaults: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    looked_up: tuple[str, ...] = ()
    patched: tuple[str, ...] = ()

    def how(self) -> dict[str, str | int | bool | None]:
        """Return for the trail how the order was made of its document: names, no values."""
        names = {
            "mapping": (self.mapping,) if self.mapping else (),
            "look_ups": self.looked_up,
            "defaults": self.defaults,
            "forced": self.forced,
            "patched": self.patched,
        }
        return {name: shortened(found) for name, found in names.items() if found}


def shortened(names: Sequence[str]) -> str:
    """Return names with commas; of very many the first ones and how many more."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def fingerprint_of(document: SourceDocument) -> str:
    """Return the SHA-256 of what a document says, whatever envelope it came in."""
    content = {name: value for name, value in document.data.items() if name != "EDI_DC40"}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
