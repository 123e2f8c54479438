"""What happens in a run of the bench, all of it drawn from its seed: files, changes, troubles, restarts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from airflow_provider_asperion.sandbox.sap_files import (
    SampleOrder,
    idoc_flat,
    idoc_xml,
    orders_csv,
    sample_orders,
)
from tests.chaos.stage import ARTICLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

Flow = Literal["orders", "products", "stock"]
End = Literal["delivered", "refused", "either"]
# Every fortieth article of the sandbox is inactive: with thirty there is none.
SKUS = [f"SKU-{number:05d}" for number in range(1, ARTICLES + 1)]
WRITERS = (("csv", orders_csv), ("xml", idoc_xml), ("txt", idoc_flat))


@dataclass(frozen=True)
class Truth:
    """What must become of a record.

    :param net: its amount, in cents exactly.
    """

    reference: str
    end: End
    net: Decimal
    email: str


@dataclass(frozen=True)
class Dropped:
    """A file of SAP with what is true of it; ``rejected``: nothing in it can be read."""

    name: str
    content: bytes
    truths: tuple[Truth, ...] = ()
    rejected: bool = False


@dataclass
class Scenario:
    """One run of the bench.

    :param files: dropped before the first episode; ``later``: before the second.
    :param changes: articles that somebody in Asperion changes between the first and the second episode.
    :param again: what happens to a run that failed: its failed tasks are cleared, all of them, or the next
        run goes on.
    :param at_once: so many runs begin at the same time.
    """

    seed: int
    flow: Flow
    chance: random.Random
    files: list[Dropped] = field(default_factory=list)
    later: list[Dropped] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    again: Literal["failed", "all", "next"] = "next"
    at_once: int = 1
    tries: int = 1


def scenario_of(seed: int, flow: Flow | None = None) -> Scenario:
    """Return the scenario of a seed."""
    chance = random.Random(seed)
    flow = flow or chance.choice(("orders", "orders", "orders", "products", "stock"))
    found = Scenario(
        seed=seed,
        flow=flow,
        chance=chance,
        again=chance.choice(("failed", "all", "next")),
        tries=chance.choice((1, 1, 2)),
    )
    if flow == "orders":
        found.files = [file_of(found, number) for number in range(chance.randint(1, 3))]
        if chance.random() < 0.3:
            found.later = [file_of(found, 7)]
    else:
        found.changes = chance.sample(SKUS, chance.randint(0, 9))
    return found


def file_of(scenario: Scenario, number: int) -> Dropped:
    chance = scenario.chance
    orders = sample_orders(
        chance.randint(2, 9),
        seed=scenario.seed % 10_000,
        articles=SKUS,
        customers=5,
        first=scenario.seed % 900_000 + 1000 * number,
        prefix=f"C{number}-",
    )
    ends: list[End] = ["delivered"] * len(orders)
    if chance.random() < 0.3:
        place = chance.randrange(len(orders))
        orders[place] = of_nothing(orders[place])
        ends[place] = "refused"
    suffix, writer = chance.choice(WRITERS)
    return dropped(f"ORD_{scenario.seed}_{number}.{suffix}", writer(orders), orders, ends)


def dropped(name: str, content: bytes, orders: Sequence[SampleOrder], ends: Sequence[End]) -> Dropped:
    """Return a file with what is true of its orders."""
    truths = [Truth(one.reference, end, one.net, one.email) for one, end in zip(orders, ends, strict=True)]
    return Dropped(name, content, tuple(truths))


def of_nothing(order: SampleOrder) -> SampleOrder:
    """Return the order with a line for an article that does not exist."""
    line = replace(order.lines[0], sku="NO-SUCH-SKU")
    return replace(order, lines=(line, *order.lines[1:]))
