"""Master data on its way from SAP to Asperion: what a file says of a customer or article, and no more.

A field that is None was not said: in Asperion it stays as it is.
"""

from __future__ import annotations

from pydantic import Field

from airflow_provider_asperion.records.base import Record
from airflow_provider_asperion.records.order import Amount, CountryCode, Text
from airflow_provider_asperion.records.product import LongText


class CustomerMaster(Record):
    """A customer of SAP's, or what changed of one.

    :param number: SAP's customer number (``KUNNR``), without leading zeros.
    :param street: ``house_number`` belongs to it: Asperion holds both in one field, so one without the
        other is never written.
    :param debtor_kind: Asperion's value after mapping; likewise payment condition and method.
    :param deleted: SAP's deletion flag (``E1KNA1M-LOEVM``).
    """

    number: Text | None = None
    company: Text | None = None
    person: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    mobile: Text | None = None
    vat_number: Text | None = None
    coc_number: Text | None = None
    street: Text | None = None
    house_number: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country: CountryCode | None = None
    debtor_kind: Text | None = None
    payment_condition: Text | None = None
    payment_method: Text | None = None
    comments: Text | None = None
    deleted: bool | None = None


class ArticleMaster(Record):
    """A material of SAP's, or what changed of one. Stock is no part of it: it follows from orders (S2).

    :param sku: material number (``MATNR`` or ``MATNR_LONG``).
    :param price: sales price per piece without VAT; MATMAS has none, a delimited file may.
    :param custom: further fields of Asperion by their names on the wire.
    :param deleted: SAP's deletion flag (``E1MARAM-LVORM``); False: it was taken back.
    """

    sku: Text
    title: Text | None = None
    long_description: LongText | None = None
    price: Amount | None = None
    ean: Text | None = None
    unit: Text | None = None
    sales_type: Text | None = None
    vat_code: Text | None = None
    characteristic_1: Text | None = None
    characteristic_2: Text | None = None
    characteristic_3: Text | None = None
    characteristic_4: Text | None = None
    characteristic_5: Text | None = None
    custom: dict[str, Text] = Field(default_factory=dict)
    deleted: bool | None = None

    @property
    def characteristics(self) -> tuple[str | None, ...]:
        """The five free fields, in order."""
        return tuple(getattr(self, f"characteristic_{number}") for number in range(1, 6))
