"""What the administration offers to choose from, and whether an order's values are among it (O10)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_asperion.asperion.errors import Forbidden, NotFound
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from decimal import Decimal

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Choice, Id, VatCode

Entry = TypeVar("Entry")
SHOWN = 12


@dataclass(frozen=True, slots=True)
class LiveValues:
    """Ids of one administration by kind, as text, with the type they have on the wire.

    A kind that the API does not offer is absent, and values of it are not checked. ``names`` holds what the
    administration calls them, for people.
    """

    ids: Mapping[str, Mapping[str, Id]] = field(default_factory=dict)
    vat_rates: Mapping[str, Decimal] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def id_of(self, kind: str, value: str | None) -> Id | None:
        """Return a value in the type it has on the wire; None stays None.

        :raises ProblemError: the administration does not have it.
        """
        if value is None or kind not in self.ids:
            return value
        known = self.ids[kind]
        if value in known:
            return known[value]
        raise ProblemError(
            Problem(
                rule="value.unknown",
                message=f"there is no {kind.replace('_', ' ')} {value}; there is {_listed(known)}",
                remedy=f"correct the setting, the look-up table or the mapping row of {kind}",
                field=kind,
            )
        )


async def load_live_values(asperion: Asperion) -> LiveValues:
    """Read the lists to choose from, side by side.

    :raises AsperionError: the API does not answer; a list that it does not have is passed over.
    """
    lists: dict[str, Callable[[], Awaitable[Sequence[Choice]]]] = {
        "payment_condition": asperion.payment_conditions,
        "payment_method": asperion.payment_methods,
        "journal": asperion.journals,
        "debtor_kind": asperion.debtor_kinds,
        "sales_type": asperion.sales_types,
        "ledger_account": asperion.ledger_accounts,
    }
    vat_codes, found = await asyncio.gather(
        _offered(asperion.vat_codes), asyncio.gather(*(_offered(call) for call in lists.values()))
    )
    offered: dict[str, Sequence[Choice | VatCode]] = {
        kind: choices for kind, choices in zip(lists, found, strict=True) if choices is not None
    }
    sales_codes = [code for code in vat_codes or () if code.sales is not False]
    if vat_codes is not None:
        offered["vat_code"] = sales_codes
    ids = {kind: {str(one.id): one.id for one in choices} for kind, choices in offered.items()}
    rates = {str(code.id): code.percentage for code in sales_codes if code.percentage is not None}
    names = {
        kind: {str(one.id): one.description or "" for one in choices} for kind, choices in offered.items()
    }
    return LiveValues(ids, rates, names)


async def _offered(call: Callable[[], Awaitable[Sequence[Entry]]]) -> Sequence[Entry] | None:
    try:
        return await call()
    except (NotFound, Forbidden):
        return None


def _listed(known: Mapping[str, Id]) -> str:
    shown = ", ".join(sorted(known)[:SHOWN])
    return shown + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "") if known else "none"
