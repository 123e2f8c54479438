"""What is in the emulator from the start: the same trade goods, invented people and codes each time."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.changes import stamp
from airflow_provider_asperion.sandbox.seed_documents import seed_invoices, seed_orders
from airflow_provider_asperion.sandbox.seed_words import (
    CITIES,
    FIRST_NAMES,
    GOODS,
    LAST_NAMES,
    MAIL_DOMAINS,
    REDUCED_RATE,
    STREETS,
    TRADES,
)
from airflow_provider_asperion.sandbox.state import IDS_PER_ADMINISTRATION, Administration, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_asperion.sandbox.state import Values

ADMINISTRATIONS = {1: "Demo Groothandel B.V.", 2: "Demo Retail B.V."}
ADDED = "2026-01-05T09:00:00"
CHANGED_DAYS = 60
MOST = IDS_PER_ADMINISTRATION - 10_000


class Seed(BaseModel):
    """How much is in each administration from the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    articles: int = Field(200, ge=1, le=MOST)
    debtors: int = Field(400, ge=1, le=MOST)
    orders: int = Field(12, ge=0, le=MOST)
    invoices: int = Field(12, ge=0, le=MOST)


def seeded_state(seed: Seed | None = None, now: dt.datetime | None = None) -> State:
    """Return a state as it is at the start; each time the same, but for dates that count back from ``now``.

    :param now: local time; without zone it is taken as that.
    """
    state = State()
    seed, now = seed or Seed(), now or dt.datetime(2026, 3, 2, 9)  # noqa: DTZ001 - local time
    for key, name in ADMINISTRATIONS.items():
        administration = Administration(key, name)
        state.administrations[key] = administration
        _seed(administration, seed, random.Random(20_260_000 + key))  # noqa: S311 - repeatable on purpose
        chance = random.Random(20_270_000 + key)  # noqa: S311
        for resource in (schema.ARTICLES, schema.DEBTORS):
            for row in administration[resource].rows.values():
                row.values["dateLastChange"] = _changed(now, chance)
        seed_orders(administration, seed.orders, now, chance)
        seed_invoices(administration, seed.invoices, now, chance)
    return state


def _changed(now: dt.datetime, chance: random.Random) -> str | None:
    """Return when an entry was changed last: within the last weeks, or never since it was added."""
    ago = dt.timedelta(days=CHANGED_DAYS) * chance.random()
    return max(ADDED, stamp(now - ago)) if chance.random() < 0.6 else None


def _seed(administration: Administration, seed: Seed, chance: random.Random) -> None:
    for key, name in ADMINISTRATIONS.items():
        values = {"id": key, "name": name, "email": f"administratie{key}@example.nl"}
        administration[schema.ADMINISTRATIONS].add(values, seeded=True)
    for resource, entries in _CODES.items():
        for entry in entries:
            administration.tables[resource].add(dict(entry), seeded=True)
    for values in _articles(seed.articles, chance):
        administration[schema.ARTICLES].add(values, seeded=True)
    for values in _debtors(administration.id, seed.debtors, chance):
        administration[schema.DEBTORS].add(values, seeded=True)


def _articles(count: int, chance: random.Random) -> Iterator[Values]:
    for number in range(1, count + 1):
        name, unit, price, sizes = GOODS[number % len(GOODS)]
        size = sizes[number // len(GOODS) % len(sizes)]
        asked = Decimal(price) * chance.randint(80, 160) / 100
        stock = Decimal(chance.randint(0, 2_500))
        yield {
            "code": f"SKU-{number:05d}",
            "description": f"{name} {size}",
            "longDescription": f"{name} {size}, per {unit}",
            "price": asked.quantize(Decimal("0.01")),
            "eanCode": ean13(number),
            "unit": unit,
            "salesTypeId": "LAAG" if name in REDUCED_RATE else "HOOG",
            "activeState": "Inactive" if number % 40 == 0 else "Active",
            "currentStock": stock,
            "warehouses": _per_warehouse(number, stock),
            "characteristic1": name,
            "characteristic2": size,
            "characteristic3": chance.choice(("Rood", "Blauw", "Grijs", "Zwart")),
            "dateAdded": ADDED,
        }


def _per_warehouse(number: int, stock: Decimal) -> Values | None:
    """Return where the stock of every fourth article lies; which articles tell it, and how, is [unknown]."""
    if number % 4:
        return None
    north = stock // 3
    parts = {"NOORD": north, "ZUID": stock - north}
    return {"_data": [{"warehouseId": name, "currentStock": part} for name, part in parts.items()]}


def ean13(number: int) -> str:
    """Return a valid EAN-13 of the range that is free for use within a company (prefix 20 to 29)."""
    digits = f"20{number:010d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-weighted % 10)


def _debtors(administration: int, count: int, chance: random.Random) -> Iterator[Values]:
    for number in range(1, count + 1):
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        company = number % 5 != 0
        yield {
            "customerNumber": str(administration * 10_000 + number),
            "name": f"{chance.choice(TRADES)} {last} B.V." if company else f"{first} {last}",
            "address": f"{chance.choice(STREETS)} {chance.randint(1, 250)}",
            "postCode": f"{chance.randint(1000, 9999)} {''.join(chance.choices('ABCDEGHJKLMNPRST', k=2))}",
            "city": chance.choice(CITIES),
            "countryCode": "BE" if number % 25 == 0 else "NL",
            "attentionTo": f"{first} {last}" if company else None,
            "emailAddress": _mail_address(number, f"{first}.{last}", chance),
            "phoneNumber": f"+31 20 000 {number:04d}",
            "debtorKindId": "B" if company else "C",
            "paymentConditionId": chance.choice((14, 30, 60)) if company else 14,
            "paymentMethodId": "bank" if company else "ideal",
            "directDebit": False,
            "vatNumber": f"NL{administration:03d}{number:06d}B01" if company else None,
            "cocNumber": f"{administration:02d}{number:06d}" if company else None,
            "blocked": number == count,
            "noReminder": False,
            "dateAdded": ADDED,
        }


def _mail_address(number: int, name: str, chance: random.Random) -> str:
    """Return an address; some set the traps of real data for whoever looks one up."""
    address = f"{name}.{number}@{chance.choice(MAIL_DOMAINS)}".lower()
    # The first is the end of the second: a substring match finds two.
    traps = {41: "inkoop@example.nl", 141: "hoofdinkoop@example.nl"}
    return traps.get(number, address.upper() if number % 20 == 7 else address)


def _vat(key: str, description: str, percentage: int, *, sales: bool, default: bool = False) -> Values:
    return {
        "id": key,
        "description": description,
        "salesCode": sales,
        "percentage": Decimal(percentage),
        "isDefault": default,
        "validFrom": "2019-01-01T00:00:00",
        "countryCode": "NL",
    }


def _account(key: int, description: str, kind: int, vat_code: str | None = None) -> Values:
    return {"id": key, "type": kind, "description": description, "vatCode": vat_code, "disabled": False}


_CODES: dict[str, list[Values]] = {
    "vatcodes": [
        _vat("V21", "Btw verkoop hoog 21%", 21, sales=True, default=True),
        _vat("V9", "Btw verkoop laag 9%", 9, sales=True),
        _vat("V0", "Btw verkoop 0%", 0, sales=True),
        _vat("I21", "Btw inkoop hoog 21%", 21, sales=False, default=True),
        _vat("I9", "Btw inkoop laag 9%", 9, sales=False),
        _vat("I0", "Btw inkoop 0%", 0, sales=False),
    ],
    "paymentconditions": [
        {"id": 14, "description": "Betaling binnen 14 dagen"},
        {"id": 30, "description": "Betaling binnen 30 dagen"},
        {"id": 60, "description": "Betaling binnen 60 dagen"},
    ],
    "paymentmethods": [
        {"id": "bank", "description": "Bankoverschrijving"},
        {"id": "ideal", "description": "iDEAL"},
        {"id": "creditcard", "description": "Creditcard"},
    ],
    "journals": [
        {"id": "70", "description": "Verkoopboek", "type": "Sales"},
        {"id": "90", "description": "Memoriaal", "type": "Memorial"},
    ],
    "debtorkinds": [
        {"id": "B", "description": "Bedrijven"},
        {"id": "C", "description": "Consumenten"},
    ],
    "salestypes": [
        {"id": "HOOG", "description": "Omzet hoog", "ledgerAccountId": 8000, "vatCode": "V21"},
        {"id": "LAAG", "description": "Omzet laag", "ledgerAccountId": 8010, "vatCode": "V9"},
        {"id": "NUL", "description": "Omzet nul", "ledgerAccountId": 8020, "vatCode": "V0"},
    ],
    "ledgeraccounts": [
        _account(1300, "Debiteuren", 1),
        _account(1500, "Af te dragen btw", 1),
        _account(8000, "Omzet hoog", 2, "V21"),
        _account(8010, "Omzet laag", 2, "V9"),
        _account(8020, "Omzet nul", 2, "V0"),
        _account(8090, "Verzendkosten", 2, "V21"),
    ],
    "costcenters": [
        {"id": 100, "description": "Verkoop binnenland", "conversionCode": None},
        {"id": 200, "description": "Verkoop buitenland", "conversionCode": None},
    ],
    "costunits": [{"id": 1, "description": "Algemeen", "conversionCode": None}],
    "approvalroutes": [{"id": 1, "description": "Inkoopfacturen"}],
}
