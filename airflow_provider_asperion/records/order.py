"""Orders and invoices as the flows know them: neither SAP's nor Asperion's, but what both mean."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from airflow_provider_asperion.records.base import Record

# Line ends and tabs are text; the other control characters are damage, and a NUL stops databases.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _without_control_characters(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("the text holds control characters")
    return text


Text = Annotated[
    str, StringConstraints(min_length=1, max_length=500), AfterValidator(_without_control_characters)
]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
OrderKind = Literal["sales_order", "sales_invoice"]

# A number of 15 digits before and 6 after the point is more than any field of SAP's or Asperion's holds;
# without a bound a value such as 1E999999 would cost the memory of its digits.
Amount = Annotated[Decimal, Field(allow_inf_nan=False, ge=Decimal(-(10**15)), le=Decimal(10**15))]


class Address(Record):
    """A postal address (O13). ``country`` is ISO 3166-1 alpha-2."""

    name: Text | None = None
    street: Text | None = None
    house_number: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country: CountryCode | None = None


class Customer(Record):
    """The buyer. A ``company`` makes a company debtor with ``person`` as its contact (O6)."""

    number: Text | None = None
    company: Text | None = None
    person: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    vat_number: Text | None = None
    coc_number: Text | None = None
    billing: Address = Address()
    shipping: Address | None = None

    @property
    def name(self) -> str | None:
        """Name of the debtor: the company where there is one, else the person."""
        return self.company or self.person


class OrderLine(Record):
    """One line. ``price`` is per piece, ``amount`` the line total, both as ``Order.prices_include_vat`` says.

    :param number: position number of the source (``POSEX``).
    :param quantity: pieces in ``unit``; negative on a credit line.
    :param price: price per piece before discount; computed from amount and quantity when absent.
    :param discount: percentage taken off, 0 to 100.
    :param amount: total of the line as the source states it; computed when absent.
    :param vat_code: VAT code of Asperion, after mapping (O11).
    :param text: True for a free-text line, which has no article (O7).
    """

    number: Text
    sku: Text | None = None
    description: Text | None = None
    quantity: Amount
    unit: Text | None = None
    price: Amount | None = None
    discount: Amount = Decimal(0)
    amount: Amount | None = None
    vat_code: Text | None = None
    vat_rate: Amount | None = None
    sales_type: Text | None = None
    ledger_account: Text | None = None
    text: bool = False


class ControlTotals(Record):
    """What the source itself says the document adds up to; None where it says nothing."""

    line_count: int | None = None
    net: Amount | None = None
    vat: Amount | None = None
    gross: Amount | None = None


class Order(Record):
    """A sales order or sales invoice on its way (O1, O9).

    :param reference: order number of the sender; with the administration and the kind it is the key under
        which an order exists once.
    :param status: status in the source, for the filter (O2).
    :param currency: ISO 4217.
    :param payment_condition: Asperion's value after mapping; likewise the other Asperion values.
    """

    kind: OrderKind = "sales_order"
    reference: Text
    customer_reference: Text | None = None
    status: Text | None = None
    channel: Text | None = None
    date: dt.date
    delivery_date: dt.date | None = None
    currency: CurrencyCode = "EUR"
    prices_include_vat: bool = False
    customer: Customer
    lines: tuple[OrderLine, ...] = Field(min_length=1)
    payment_condition: Text | None = None
    payment_method: Text | None = None
    sales_type: Text | None = None
    debtor_kind: Text | None = None
    journal: Text | None = None
    remarks: Text | None = None
    control: ControlTotals = ControlTotals()

    @field_validator("lines")
    @classmethod
    def _distinct_line_numbers(cls, lines: tuple[OrderLine, ...]) -> tuple[OrderLine, ...]:
        if len({line.number for line in lines}) != len(lines):
            raise ValueError("two lines have the same line number")
        return lines
