"""What is in Asperion, and drafts of what shall be: typed, frozen, no personal value in their text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_asperion.asperion.names import DocumentKind

Id = int | str
"""A key of Asperion, of the type it has on the wire: debtors int, debtor kinds str [go]; articles unknown."""

Amount = Annotated[Decimal, Field(allow_inf_nan=False, ge=Decimal(-(10**15)), le=Decimal(10**15))]
Hidden = Annotated[str | None, Field(repr=False)]


class Model(BaseModel):
    """Base: frozen; a failed validation does not repeat the value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Administration(Model):
    """An administration that the user may reach."""

    id: int
    name: str


class DebtorDraft(Model):
    """A debtor to be, or what one should look like. None: leave it open.

    :param address: street and house number in one: Asperion has no separate fields [go].
    :param country: ISO 3166-1 alpha-2 [inferred].
    :param kind: id of a debtor kind.
    """

    customer_number: str | None = None
    name: Hidden = None
    attention_to: Hidden = None
    address: Hidden = None
    address_line_2: Hidden = None
    address_line_3: Hidden = None
    postcode: Hidden = None
    city: Hidden = None
    country: str | None = None
    email: Hidden = None
    phone: Hidden = None
    mobile: Hidden = None
    vat_number: Hidden = None
    coc_number: Hidden = None
    kind: Id | None = None
    payment_condition: Id | None = None
    payment_method: Id | None = None
    comments: Hidden = None
    blocked: bool | None = None


class Debtor(DebtorDraft):
    """A debtor as it is."""

    id: Id
    date_added: str | None = None
    date_changed: str | None = None


class WarehouseStock(Model):
    """The stock of an article in one warehouse, in pieces; None where the API does not say."""

    code: str
    current_stock: Amount | None = None
    available: Amount | None = None
    reserved: Amount | None = None
    on_order: Amount | None = None


class ArticleDraft(Model):
    """An article to be, or what one should look like. None: leave it open. Stock cannot be written [help].

    :param price: sales price per piece without VAT.
    :param characteristics: the five free fields, in order; None leaves one open.
    :param custom: further fields by their names on the wire, as text.
    """

    code: str
    description: str | None = None
    long_description: str | None = None
    price: Amount | None = None
    ean: str | None = None
    unit: str | None = None
    sales_type: Id | None = None
    vat_code: str | None = None
    active: bool | None = None
    characteristics: tuple[str | None, ...] = ()
    custom: dict[str, str] = Field(default_factory=dict)


class Article(Model):
    """An article. Amounts of stock are pieces, and None where the API does not say.

    :param active: None where the API does not say.
    :param current_stock: what is there [help].
    :param available: what is free to sell.
    :param reserved: sold and not delivered.
    :param on_order: ordered and not received.
    :param characteristics: the five free fields, in order.
    :param date_added: as on the wire, like ``date_changed``; :func:`.moments.read_moment` reads it.
    :param custom: further fields by their names on the wire (``names.article.custom``), as text.
    """

    id: Id
    code: str
    description: str | None = None
    long_description: str | None = None
    price: Amount | None = None
    ean: str | None = None
    unit: str | None = None
    sales_type: Id | None = None
    active: bool | None = None
    vat_code: str | None = None
    current_stock: Amount | None = None
    available: Amount | None = None
    reserved: Amount | None = None
    on_order: Amount | None = None
    warehouses: tuple[WarehouseStock, ...] = ()
    characteristics: tuple[str | None, ...] = ()
    date_added: str | None = None
    date_changed: str | None = None
    custom: dict[str, str | None] = Field(default_factory=dict)


class Delivery(Model):
    """Where to deliver."""

    name: Hidden = None
    address: Hidden = None
    postcode: Hidden = None
    city: Hidden = None
    country: str | None = None


class LineDraft(Model):
    """One line of a document to be.

    :param quantity: pieces; negative on a credit line.
    :param price: per piece before discount.
    :param discount: percentage, 0 to 100.
    :param amount: total of the line; what an invoice line consists of.
    """

    article_id: Id | None = None
    article_code: str | None = None
    description: str | None = None
    quantity: Amount | None = None
    unit: str | None = None
    price: Amount | None = None
    discount: Amount | None = None
    amount: Amount | None = None
    vat_code: str | None = None
    vat_amount: Amount | None = None
    sales_type: Id | None = None
    ledger_account: Id | None = None
    cost_center: Id | None = None


class DocumentDraft(Model):
    """A sales order or sales invoice to be. Fields that its kind does not have on the wire are not sent.

    Its totals are no part of it: Asperion computes them [inferred], and they are compared when it answers.

    :param reference: order number of the sender, by which the document is found again.
    :param bookyear: of an invoice; the year of its date unless set.
    :param bookperiod: of an invoice; the month of its date unless set.
    """

    reference: str = Field(min_length=1)
    debtor_id: Id | None = None
    debtor_customer_number: str | None = None
    date: dt.date
    delivery_date: dt.date | None = None
    description: str | None = None
    remarks: Hidden = None
    currency: str | None = None
    payment_condition: Id | None = None
    payment_method: Id | None = None
    sales_type: Id | None = None
    journal: Id | None = None
    bookyear: int | None = None
    bookperiod: int | None = None
    prices_include_vat: bool | None = None
    delivery: Delivery | None = None
    lines: tuple[LineDraft, ...] = Field(min_length=1)


class Document(Model):
    """A sales order or sales invoice as it is. Amounts are None where the API does not say.

    :param number: the number Asperion gave it; a concept invoice has none yet.
    :param status: of an invoice 1 concept, 2 in journal entry, 3 in ledger, 6 payable, 7 paid, 8 hold [go].
    :param line_count: None where the answer has no lines.
    """

    kind: DocumentKind
    id: Id
    reference: str | None = None
    number: str | None = None
    debtor_id: Id | None = None
    debtor_customer_number: str | None = None
    date: str | None = None
    status: Id | None = None
    net: Amount | None = None
    vat: Amount | None = None
    gross: Amount | None = None
    line_count: int | None = None


class DocumentLine(LineDraft):
    """One line of a document as it is.

    :param delivered: pieces of ``quantity`` that were delivered; None where the API does not say.
    """

    id: Id | None = None
    delivered: Amount | None = None


class DocumentDetail(Document):
    """A sales order or sales invoice with all that is known of it. Dates are as on the wire.

    :param date_added: when Asperion stored it; :func:`.moments.read_moment` reads it.
    :param date_changed: last change; None where the API does not say.
    :param lines: in the order of the document.
    """

    description: Hidden = None
    remarks: Hidden = None
    delivery_date: str | None = None
    payment_due_date: str | None = None
    currency: str | None = None
    payment_condition: Id | None = None
    payment_method: Id | None = None
    sales_type: Id | None = None
    journal: Id | None = None
    bookyear: int | None = None
    bookperiod: int | None = None
    prices_include_vat: bool | None = None
    delivery: Delivery | None = None
    date_added: str | None = None
    date_changed: str | None = None
    lines: tuple[DocumentLine, ...] = ()


class OpenOrderLine(Model):
    """What one line of an open sales order reserves of an article.

    :param quantity: ordered and not delivered, in ``unit``.
    """

    order_id: Id
    article_id: Id | None = None
    article_code: str | None = None
    quantity: Amount
    unit: str | None = None


class VatCode(Model):
    """A VAT code [go].

    :param sales: True on the sales side, False on the purchase side.
    :param percentage: 21 for 21 %.
    """

    id: Id
    description: str | None = None
    sales: bool | None = None
    percentage: Amount | None = None
    country: str | None = None
    is_default: bool | None = None
    valid_from: str | None = None
    valid_until: str | None = None


class Choice(Model):
    """Something to choose from: an id with a description."""

    id: Id
    description: str | None = None


class PaymentCondition(Choice):
    """A payment condition; its id is an int [go]."""


class PaymentMethod(Choice):
    """A payment method; its id is text on a debtor [go]."""


class Journal(Choice):
    """A journal; its id is text [go]."""

    type: Id | None = None


class DebtorKind(Choice):
    """A debtor kind; its id is text on a debtor [go]."""


class SalesType(Choice):
    """A sales type: revenue account and VAT rate of an article [help]; see ``names.sales_type``."""

    vat_code: str | None = None
    ledger_account: Id | None = None


class LedgerAccount(Choice):
    """A ledger account; its id is an int [go]."""

    vat_code: Id | None = None
    disabled: bool | None = None
