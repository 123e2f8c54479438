"""Sales orders and invoices that are there from the start: several statuses, spread over weeks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.changes import stamp
from airflow_provider_asperion.sandbox.documents import Moment, Writer
from airflow_provider_asperion.sandbox.switches import Switches

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from airflow_provider_asperion.sandbox.schema import Resource
    from airflow_provider_asperion.sandbox.state import Administration, Row, Values

WEEKS = dt.timedelta(weeks=6)
ORDER_STATUSES = (2, 7, 1, 3)
"""Open, paid, concept, delivered: by analogy with invoices [unknown]."""

INVOICE_STATUSES = (7, 6, 1, 7, 3, 2, 7, 8)
"""Paid, payable, concept, in ledger, in journal entry, hold [go]."""

_ACCOUNTS = (("V21", 8000), ("V9", 8010), ("V0", 8020))
# What was seeded has left the stock long ago, or is reserved in it.
_SWITCHES = Switches(orders_move_stock=False)


def seed_orders(administration: Administration, count: int, now: dt.datetime, chance: random.Random) -> None:
    """Add sales orders."""
    articles = [
        row.values["code"]
        for row in administration[schema.ARTICLES].rows.values()
        if row.values["activeState"] == "Active"
    ]
    debtors = _debtors(administration)
    for number, added in enumerate(_days(count, now), 1):
        debtor = chance.choice(debtors)
        lines = [
            {"articleCode": chance.choice(articles), "quantity": chance.randint(1, 20)}
            for _ in range(chance.randint(1, 5))
        ]
        if number % 4 == 0:
            lines[0]["discount"] = Decimal("2.5")
        body = {
            "reference": f"WS{administration.id}{number:06d}",
            "debtorId": debtor["id"],
            "date": f"{added:%Y-%m-%d}",
            "deliveryDate": f"{added + dt.timedelta(days=5):%Y-%m-%d}",
            "paymentConditionId": debtor["paymentConditionId"],
            "paymentMethodId": debtor["paymentMethodId"],
            "lines": {"_data": lines},
        }
        if number % 3 == 0:
            body |= {
                "deliveryName": debtor["name"],
                "deliveryAddress": "Laadkade 1",
                "deliveryPostCode": "1234 AB",
                "deliveryCity": debtor["city"],
                "deliveryCountryCode": debtor["countryCode"],
            }
        status = ORDER_STATUSES[(number - 1) % len(ORDER_STATUSES)]
        row = _store(administration, schema.SALES_ORDERS, body, added, status)
        if status != 1:
            row.values["dateLastChange"] = stamp(min(added + dt.timedelta(hours=chance.randint(1, 90)), now))


def seed_invoices(
    administration: Administration, count: int, now: dt.datetime, chance: random.Random
) -> None:
    """Add sales invoices. A concept has no number yet [other: faq.webwinkelfacturen.nl]."""
    debtors = _debtors(administration)
    for number, added in enumerate(_days(count, now), 1):
        debtor = chance.choice(debtors)
        status = INVOICE_STATUSES[(number - 1) % len(INVOICE_STATUSES)]
        due = added + dt.timedelta(days=debtor["paymentConditionId"])
        body = {
            "debtorCustomerNumber": debtor["customerNumber"],
            "date": f"{added:%Y-%m-%d}",
            "description": f"order WS{administration.id}{number:06d}",
            "invoiceNumber": None if status == 1 else f"{added:%Y}{administration.id}{number:05d}",
            "journalId": "70",
            "bookyear": added.year,
            "bookperiod": added.month,
            "paymentConditionId": debtor["paymentConditionId"],
            "paymentDueDate": f"{due:%Y-%m-%d}",
            "lines": {"_data": list(_invoice_lines(chance))},
        }
        _store(administration, schema.SALES_INVOICES, body, added, status)


def _invoice_lines(chance: random.Random) -> Iterator[Values]:
    for _ in range(chance.randint(1, 4)):
        vat_code, account = chance.choice(_ACCOUNTS)
        yield {
            "amount": Decimal(chance.randint(100, 99_999)) / 100,
            "vatCode": vat_code,
            "ledgerAccountId": account,
            "description": "handelsgoederen",
        }


def _debtors(administration: Administration) -> list[Values]:
    rows = administration[schema.DEBTORS].rows.values()
    return [row.values for row in rows if not row.values["blocked"]] or [next(iter(rows)).values]


def _days(count: int, now: dt.datetime) -> Iterator[dt.datetime]:
    """Yield moments from six weeks ago until now."""
    for number in range(count):
        yield now - WEEKS * (count - number) / (count + 1)


def _store(
    administration: Administration, resource: Resource, body: Values, added: dt.datetime, status: int
) -> Row:
    """Add up a document and number it as one that comes through the API."""
    row = Writer(administration, _SWITCHES, Moment(added)).create(resource, body)
    assert row is not None
    row.values["status"] = status
    row.seeded = True
    return row
