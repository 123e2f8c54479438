"""Invented orders for the demo and for tests: the same seed gives the same ones.

Names, streets and telephone numbers belong to nobody; e-mail is at example domains only.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.records.money import round_cents

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class SampleLine:
    """One item. ``vat_code`` is Asperion's; files carry SAP's tax code for it, and none for an empty one."""

    sku: str
    quantity: Decimal
    price: Decimal
    description: str = ""
    unit: str = "PCE"
    vat_code: str = "V21"

    @property
    def net(self) -> Decimal:
        """Quantity times price, in cents; half a cent goes up."""
        return round_cents(self.quantity * self.price)


@dataclass(frozen=True)
class SampleAddress:
    """Where the goods go, when not to the buyer."""

    name: str = ""
    street: str = "Proeflaan"
    house_number: str = "2"
    postcode: str = "8011 AB"
    city: str = "Zwolle"
    country: str = "NL"


@dataclass(frozen=True)
class SampleOrder:
    """One order as its sender knows it.

    :param status: an IDoc can say one of three characters at most (E1EDK01-ACTION); a longer one stands in
        CSV only.
    :param number: customer number, without leading zeros.
    :param terms: key of the payment terms (E1EDK01-ZTERM).
    """

    reference: str
    lines: tuple[SampleLine, ...]
    date: dt.date = dt.date(2026, 11, 2)
    status: str = "paid"
    number: str = ""
    company: str = ""
    person: str = ""
    email: str = ""
    phone: str = ""
    street: str = "Kerkstraat"
    house_number: str = "1"
    postcode: str = "3511 AB"
    city: str = "Utrecht"
    country: str = "NL"
    currency: str = "EUR"
    terms: str = "Z030"
    shipping: SampleAddress | None = None

    @property
    def net(self) -> Decimal:
        """Sum of the lines."""
        return sum((line.net for line in self.lines), Decimal(0))


_FIRST = ("Anna", "Bram", "Carla", "Daan", "Eva", "Femke", "Gijs", "Hanna", "Ids", "Jelle", "Katja", "Loes")
_LAST = ("Akkerman", "Bakhuis", "Coster", "Dijkema", "Elzinga", "Fopma", "Goudriaan", "Hoekstra", "Imhof")
_FIRMS = ("Bouwmaterialen", "Techniek", "Groothandel", "Installaties", "Interieurs", "Tuincentrum")
_STREETS = ("Molenweg", "Havenkade", "Lindelaan", "Stationsplein", "Oude Gracht", "Nieuwstraat")
_CITIES = (("Utrecht", "35"), ("Zwolle", "80"), ("Breda", "48"), ("Groningen", "97"), ("Arnhem", "68"))


def sample_orders(
    count: int,
    *,
    seed: int = 1,
    articles: Sequence[str] = ("SKU-00001",),
    customers: int = 50,
    first: int = 1,
    prefix: str = "SO",
) -> list[SampleOrder]:
    """Return invented orders; the same seed gives the same ones.

    :param seed: 0 to 9999. Other seeds give other customers, none with the same number or e-mail address.
    :param articles: codes to order.
    :param customers: how many different customers order.
    :param first: number of the first order.
    :param prefix: what order numbers begin with.
    """
    chance = random.Random(seed)  # noqa: S311 - invented data
    people = [_customer(seed, number, chance) for number in range(customers)]
    return [
        SampleOrder(
            reference=f"{prefix}{first + number:06d}",
            date=dt.date(2026, 11, 1) + dt.timedelta(days=chance.randrange(20)),
            lines=tuple(_line(articles, chance) for _ in range(chance.randint(1, 4))),
            **chance.choice(people),
        )
        for number in range(count)
    ]


def _customer(seed: int, number: int, chance: random.Random) -> dict[str, Any]:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    city, area = chance.choice(_CITIES)
    customer = {
        "number": f"5{seed:04d}{number:05d}",
        "email": f"{first}.{last}.{seed}-{number}@example.{chance.choice(('com', 'nl', 'org'))}".lower(),
        # No Dutch number within an area begins with a zero: it is nobody's.
        "phone": f"+31 20 0{seed % 100:02d} {number % 10_000:04d}",
        "street": chance.choice(_STREETS),
        "house_number": str(chance.randint(1, 199)),
        "postcode": f"{area}{chance.randint(10, 99)} {chance.choice('ABCDEFGH')}{chance.choice('KLMNPRST')}",
        "city": city,
    }
    if number % 3:
        return {**customer, "person": f"{first} {last}"}
    elsewhere = {}
    if number % 6 == 0:
        elsewhere["shipping"] = SampleAddress(name=f"Magazijn {last}", house_number=str(number + 1))
    return {
        **customer,
        "company": f"{last} {chance.choice(_FIRMS)} B.V.",
        "person": f"{first} {last}",
        **elsewhere,
    }


def _line(articles: Sequence[str], chance: random.Random) -> SampleLine:
    return SampleLine(
        sku=chance.choice(articles),
        quantity=Decimal(chance.randint(1, 24)),
        price=Decimal(chance.randint(95, 25_000)) / 100,
        description="Artikel",
        vat_code=chance.choice(("V21", "V21", "V9")),
    )
