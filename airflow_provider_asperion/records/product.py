"""Articles and stock on their way to SAP: neither Asperion's nor SAP's, but what both mean."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, StringConstraints

from airflow_provider_asperion.records.base import Record
from airflow_provider_asperion.records.order import Amount, CurrencyCode, Text

LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class Product(Record):
    """A simple article (P1, P3). An article of Asperion has no variants, categories or images.

    :param price_net: sales price per piece without VAT, as Asperion holds it.
    :param price_gross: the same with VAT at ``vat_rate``, rounded as the settings say (P5).
    :param vat_rate: percentage of the VAT code in force on the day of the run; None where none is known.
    :param ean: EAN-8, UPC-12, EAN-13 or GTIN-14 with a right check digit.
    :param gtin14: the same filled up to 14 digits, in which GTINs of all lengths can be compared.
    :param quantity: pieces in stock, as Asperion tells it.
    :param characteristics: the five free fields, in order; None where one is empty (P4).
    :param custom: custom fields by their name on the wire (P4).
    """

    sku: Text
    title: Text | None = None
    short_description: LongText | None = None
    long_description: LongText | None = None
    price_net: Amount | None = None
    price_gross: Amount | None = None
    vat_code: Text | None = None
    vat_rate: Amount | None = None
    currency: CurrencyCode = "EUR"
    ean: Text | None = None
    gtin14: Text | None = None
    unit: Text | None = None
    sales_type: Text | None = None
    quantity: Amount | None = None
    active: bool = True
    characteristics: tuple[Text | None, ...] = ()
    custom: dict[str, Text] = Field(default_factory=dict)


class StockLevel(Record):
    """The stock of an article (S1, S3, S4).

    :param quantity: what the calculation of the settings gives: this is what travels.
    :param reserved: sold and not delivered; from open orders where Asperion does not tell it.
    :param purchases: ordered and not received.
    :param manage_stock: whether SAP shall manage stock for the article; None: the setting says nothing.
    :param observed_at: when Asperion was asked; an older observation never replaces a newer one.
    """

    sku: Text
    warehouse: Text | None = None
    quantity: Amount
    physical: Amount | None = None
    available: Amount | None = None
    reserved: Amount | None = None
    purchases: Amount | None = None
    unit: Text | None = None
    manage_stock: bool | None = None
    observed_at: dt.datetime
