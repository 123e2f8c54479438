"""Every name of Asperion's wire that is not proven, as settings: paths, fields, query names, words, habits.

Nobody who wrote this has called the real API. Each default carries the mark of its source; one look at the
live OpenAPI description corrects a wrong one in the settings file, without code.

Marks: ``[help]`` Asperion's help pages; ``[go]`` a public third-party client written against the API;
``[go, inherited]`` the same, but probably left over from another system's client; ``[inferred]`` a
conclusion; ``[unknown]`` a guess, nothing more.

A field name of None says: the API has no such field, do not send it. A dot makes a nested object
(``deliveryAddress.city``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

DocumentKind = Literal["sales_order", "sales_invoice"]


def _wire(default: object, source: str) -> Any:
    """Declare a setting with the source of its default."""
    return Field(default, description=source)


class _Names(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paths(_Names):
    """Paths below the base URL."""

    administrations: str = _wire("/v1/administrations", "[help] [go]")
    debtors: str = _wire("/v1/debtors", "[go]")
    articles: str = _wire("/v1/articles", "[help]")
    sales_orders: str = _wire(
        "/v1/SalesOrderWithLines", "[help] names it so, with capitals; plural is [unknown]"
    )
    sales_invoices: str = _wire("/v1/salesinvoiceswithlines", "[go]")
    vat_codes: str = _wire("/v1/vatcodes", "[go]")
    payment_conditions: str = _wire("/v1/paymentconditions", "[go]")
    payment_methods: str = _wire("/v1/paymentmethods", "[unknown] by analogy")
    journals: str = _wire("/v1/journals", "[go]")
    debtor_kinds: str = _wire("/v1/debtorkinds", "[unknown] by analogy")
    sales_types: str = _wire("/v1/salestypes", "[help]")
    ledger_accounts: str = _wire("/v1/ledgeraccounts", "[go]")


class ChangeFilters(_Names):
    """Date filters by which a list gives only what changed, such as ``DateLastChange``; empty: it has none.

    Sent with ``_from`` and ``_to``, and compared on our side too. Of several, each is asked in turn, and the
    first that an entry has decides: where it has no last change until somebody changes it, name ``DateAdded``
    after ``DateLastChange``. With ``DateAdded`` or ``Date`` alone, later changes are not found.
    """

    articles: tuple[str, ...] = _wire((), "[unknown]")
    debtors: tuple[str, ...] = _wire((), "[unknown]; [go] lists DateAdded, but nothing for dateLastChange")
    sales_order: tuple[str, ...] = _wire((), "[unknown]")
    sales_invoice: tuple[str, ...] = _wire((), "[unknown]; [go] lists Date only")

    def of(self, kind: DocumentKind) -> tuple[str, ...]:
        """Return the filters of a kind of document."""
        return self.sales_order if kind == "sales_order" else self.sales_invoice


class QueryNames(_Names):
    """Names and words of the query string."""

    page: str = _wire("page", "[go]")
    page_size: str = _wire("pageSize", "[go]")
    validate_only: str = _wire("validateOnly", "[go] on debtors and salesinvoiceswithlines")
    comparison_suffix: str = _wire("_comparison", "[go] <Name>_comparison; for every text filter: [inferred]")
    equals: str = _wire("Equals", "[go]")
    contains: str = _wire("Contains", "[go]; also what the server does when no comparison is sent")
    from_suffix: str = _wire("_from", "[go] DateAdded_from, written YYYY-MM-DD")
    to_suffix: str = _wire("_to", "[go] DateAdded_to; inclusive or not is [unknown], so a day more is asked")
    changed: ChangeFilters = ChangeFilters()
    order_by: str = _wire("orderBy", "[go]")
    order_value: str | None = _wire(
        None, "[unknown] syntax of orderBy, so none is sent; the id is the order that shifts least"
    )
    active_state: str | None = _wire("ActiveState", "[help] articles are active only without it")
    active_state_all: str = _wire("All", "[unknown] value that widens the list to inactive articles")


class DebtorNames(_Names):
    """Fields of a debtor: [go], probably complete."""

    id: str = _wire("id", "[go] int")
    customer_number: str = _wire("customerNumber", "[go] string")
    name: str = _wire("name", "[go]")
    address: str = _wire("address", "[go] street and house number in one string")
    address_line_2: str | None = _wire("addressLine2", "[go]")
    address_line_3: str | None = _wire("addressLine3", "[go]")
    postcode: str = _wire("postCode", "[go]")
    city: str = _wire("city", "[go]")
    country: str = _wire("countryCode", "[go]; ISO alpha-2 [inferred]")
    attention_to: str | None = _wire("attentionTo", "[go]")
    email: str = _wire("emailAddress", "[go]")
    phone: str = _wire("phoneNumber", "[go]")
    mobile: str = _wire("mobileNumber", "[go]")
    kind: str = _wire("debtorKindId", "[go] string")
    payment_condition: str = _wire("paymentConditionId", "[go] int")
    payment_method: str = _wire("paymentMethodId", "[go] string")
    vat_number: str = _wire("vatNumber", "[go]")
    coc_number: str = _wire("cocNumber", "[go]")
    comments: str | None = _wire("comments", "[go]")
    blocked: str | None = _wire("blocked", "[go] bool")
    date_added: str | None = _wire("dateAdded", "[go]; read only [inferred]")
    date_changed: str | None = _wire("dateLastChange", "[go]; read only [inferred]; no filter known")


class WarehouseNames(_Names):
    """Fields of the stock in one warehouse."""

    code: str = _wire("warehouseId", "[unknown]")
    current_stock: str | None = _wire("currentStock", "[unknown] as on an article")
    available: str | None = _wire(None, "[unknown]")
    reserved: str | None = _wire(None, "[unknown]")
    on_order: str | None = _wire(None, "[unknown]")


class ArticleNames(_Names):
    """Fields of an article: all but three are guesses."""

    id: str = _wire("id", "[inferred]; its type is [unknown]")
    code: str = _wire("code", "[unknown] article number, what SAP calls SKU; also its filter, Code")
    description: str = _wire("description", "[unknown]")
    long_description: str | None = _wire("longDescription", "[unknown]")
    price: str | None = _wire("price", "[unknown] sales price per piece, excluding VAT")
    ean: str | None = _wire("eanCode", "[unknown]")
    unit: str | None = _wire("unit", "[unknown]")
    sales_type: str | None = _wire("salesTypeId", "[help] SalesTypeId; the body name is [inferred]")
    active_state: str | None = _wire("activeState", "[help] ActiveState; the body name is [inferred]")
    active_value: str = _wire("Active", "[unknown] value of an active article")
    inactive_value: str = _wire("Inactive", "[unknown] value of an inactive article")
    current_stock: str | None = _wire("currentStock", "[help] cannot be written")
    characteristics: tuple[str, ...] = _wire(
        ("characteristic1", "characteristic2", "characteristic3", "characteristic4", "characteristic5"),
        "[inferred] from characteristic4 and 5 of a debtor",
    )
    vat_code: str | None = _wire(None, "[unknown]; the sales type leads to it [help]")
    available: str | None = _wire(None, "[unknown] pieces free to sell")
    reserved: str | None = _wire(None, "[unknown] sold and not delivered; inTrade shows back orders [help]")
    on_order: str | None = _wire(None, "[unknown] ordered and not received; inTrade shows it [help]")
    warehouses: str | None = _wire(None, "[unknown] list of the stock per warehouse")
    warehouse: WarehouseNames = WarehouseNames()
    date_added: str | None = _wire("dateAdded", "[inferred] as on a debtor")
    date_changed: str | None = _wire(
        "dateLastChange", "[inferred] as on a debtor; whether stock moves it is [unknown]"
    )
    custom: tuple[str, ...] = _wire((), "further fields to read, by their names on the wire")


class DeliveryNames(_Names):
    """Delivery address on a document; None where it has none."""

    name: str | None = _wire("deliveryName", "[unknown]")
    address: str | None = _wire("deliveryAddress", "[unknown] street and number, as on a debtor")
    postcode: str | None = _wire("deliveryPostCode", "[unknown]")
    city: str | None = _wire("deliveryCity", "[unknown]")
    country: str | None = _wire("deliveryCountryCode", "[unknown]")


class LineNames(_Names):
    """Fields of a document line: those of a sales order are guesses."""

    id: str = _wire("id", "[go] on invoices")
    article_id: str | None = _wire("articleId", "[inferred]")
    article_code: str | None = _wire("articleCode", "[unknown]")
    description: str = _wire("description", "[go] on invoices; [inferred] on orders")
    quantity: str | None = _wire("quantity", "[inferred]")
    unit: str | None = _wire("unit", "[unknown]")
    price: str | None = _wire("price", "[inferred] per piece")
    discount: str | None = _wire("discount", "[unknown] percentage")
    amount: str | None = _wire("amount", "[go] on invoices; [unknown] on orders")
    vat_code: str | None = _wire("vatCode", "[go] on invoices; [inferred] on orders")
    vat_amount: str | None = _wire("vatAmount", "[go] on invoices; [unknown] on orders")
    sales_type: str | None = _wire(None, "[unknown]")
    ledger_account: str | None = _wire(None, "[go] on invoices")
    cost_center: str | None = _wire("costCenterId", "[go] on invoices; [inferred] on orders")
    delivered: str | None = _wire(None, "[unknown] pieces of the quantity that were delivered")


class DocumentNames(_Names):
    """Fields of a sales order; see :class:`SalesInvoiceNames` for what differs on an invoice."""

    id: str = _wire("id", "[inferred]")
    reference: str = _wire("reference", "[unknown] order number of the sender; also its filter, Reference")
    number: str | None = _wire("orderNumber", "[unknown] number that Asperion gives; read only")
    debtor_id: str | None = _wire("debtorId", "[inferred]")
    debtor_customer_number: str | None = _wire("debtorCustomerNumber", "[inferred] as on an invoice")
    date: str = _wire("date", "[inferred]")
    delivery_date: str | None = _wire("deliveryDate", "[unknown]")
    description: str | None = _wire("description", "[inferred]")
    remarks: str | None = _wire("comments", "[unknown] as on a debtor")
    currency: str | None = _wire(None, "[unknown]; no currency field is known anywhere, so none is sent")
    payment_condition: str | None = _wire("paymentConditionId", "[inferred] int")
    payment_due_date: str | None = _wire(None, "[unknown]")
    payment_method: str | None = _wire("paymentMethodId", "[unknown] string")
    sales_type: str | None = _wire("salesTypeId", "[unknown]")
    journal: str | None = _wire(None, "[unknown]")
    bookyear: str | None = _wire(None, "[unknown]")
    bookperiod: str | None = _wire(None, "[unknown]")
    prices_include_vat: str | None = _wire(None, "[unknown]; prices are taken as excluding VAT")
    status: str | None = _wire("status", "[unknown] whether orders have one; int on invoices")
    net: str | None = _wire("amountExclVat", "[go] on invoices; [inferred] on orders")
    vat: str | None = _wire("vatAmount", "[go] on invoices; [inferred] on orders")
    gross: str | None = _wire("amountInclVat", "[go] on invoices; [inferred] on orders")
    date_added: str | None = _wire("dateAdded", "[unknown]; on debtors [go], with a filter DateAdded_from")
    date_changed: str | None = _wire("dateLastChange", "[unknown]; on debtors [go]")
    delivery: DeliveryNames = DeliveryNames()
    lines: str = _wire("lines", '[go] on invoices: {"_data": [...]}, in requests and answers alike')
    line: LineNames = LineNames()


class InvoiceDeliveryNames(DeliveryNames):
    """Delivery address on an invoice: [go] knows none."""

    name: str | None = _wire(None, "[go]")
    address: str | None = _wire(None, "[go]")
    postcode: str | None = _wire(None, "[go]")
    city: str | None = _wire(None, "[go]")
    country: str | None = _wire(None, "[go]")


class InvoiceLineNames(LineNames):
    """Fields of an invoice line: [go], probably complete. No article, quantity or price."""

    article_id: str | None = _wire(None, "[go]")
    article_code: str | None = _wire(None, "[go]")
    quantity: str | None = _wire(None, "[go]")
    unit: str | None = _wire(None, "[go]")
    price: str | None = _wire(None, "[go]")
    discount: str | None = _wire(None, "[go]")
    ledger_account: str | None = _wire("ledgerAccountId", "[go] int")


class SalesInvoiceNames(DocumentNames):
    """Fields of a sales invoice: [go], probably complete. None: an invoice has no such field."""

    reference: str = _wire(
        "invoiceNumber", "[go]; a concept invoice may refuse or lose it [inferred]: then description"
    )
    number: str | None = _wire("invoiceNumber", "[go] string; absent on a concept invoice")
    debtor_id: str | None = _wire(None, "[go] filter only")
    debtor_customer_number: str | None = _wire("debtorCustomerNumber", "[go] string")
    delivery_date: str | None = _wire(None, "[go]")
    remarks: str | None = _wire(None, "[go]")
    payment_method: str | None = _wire(None, "[go]")
    sales_type: str | None = _wire(None, "[go]")
    journal: str | None = _wire("journalId", "[go] string")
    bookyear: str | None = _wire("bookyear", "[go] int")
    bookperiod: str | None = _wire("bookperiod", "[go] int")
    status: str | None = _wire("status", "[go] 1 concept, 2, 3, 6 payable, 7 paid, 8 hold")
    payment_due_date: str | None = _wire("paymentDueDate", "[go]")
    date_added: str | None = _wire(None, "[go]")
    date_changed: str | None = _wire(None, "[go]")
    delivery: InvoiceDeliveryNames = InvoiceDeliveryNames()
    line: InvoiceLineNames = InvoiceLineNames()


class SalesTypeNames(_Names):
    """Fields of a sales type: revenue account and VAT rate of an article [help]; names are guesses."""

    id: str = _wire("id", "[inferred]")
    description: str = _wire("description", "[inferred]")
    vat_code: str | None = _wire("vatCode", "[help] holds the VAT rate; the name is [unknown]")
    ledger_account: str | None = _wire(
        "ledgerAccountId", "[help] holds the revenue account; the name is [unknown]"
    )


class DocumentHabits(_Names):
    """How documents of one kind are found again."""

    lookup: Literal["filter", "recent", "ledger"] = _wire(
        "filter",
        "[inferred] filter: by the reference field with Equals; recent: page documents and compare; "
        "ledger: the API can do neither, and an unclear post is held for a person",
    )
    recent_filter: str | None = _wire(
        None, "[unknown] date filter for 'recent', such as DateAdded or Date; None pages everything"
    )
    validate_only: bool = _wire(False, "[go] on invoices; [unknown] on orders")


class InvoiceHabits(DocumentHabits):
    """How sales invoices are found again."""

    validate_only: bool = _wire(True, "[go] POST salesinvoiceswithlines takes validateOnly")


class Habits(_Names):
    """How the API behaves, where that is not proven."""

    update_verb: Literal["PUT", "PATCH", "POST"] = _wire("PUT", "[unknown]; the object is always sent whole")
    date_format: str = _wire("%Y-%m-%dT%H:%M:%S", "[go, inherited] dates in bodies, without zone")
    query_date_format: str = _wire("%Y-%m-%d", "[go] dates in filters")
    page_size: int = Field(100, ge=1, description="[unknown] what the server allows; it may give fewer")
    first_page: int = Field(1, ge=0, description="[inferred]")
    case_probe: bool = _wire(
        True,
        "whether Equals ignores case is [unknown]: when it finds nothing, Contains is asked and compared",
    )
    problem_in_success: bool = _wire(
        True, "[go, inherited] a 2xx answer whose body is a problem counts as a failure"
    )
    verify_administration: bool = _wire(
        True, "[go] lists say in _meta.administrationId who answers; without it nothing is written"
    )
    time_zone: str = _wire("Europe/Amsterdam", "[inferred] zone of dates that name none")
    list_walks: int = Field(
        5, ge=1, description="so often a list that moves while it is paged is walked, before it is given up"
    )
    open_order_statuses: tuple[str, ...] = _wire(
        ("2",),
        "[inferred] sales orders whose lines are reserved: sold, and still in the stock. 1 (concept) is not "
        "among them because creating an order lowers the stock at once [help]: it would be taken off twice. "
        "Where it does not, add 1",
    )
    validate_debtor: bool = _wire(True, "[go] POST debtors takes validateOnly")
    tenant_on_administrations: bool = _wire(False, "[go] lists administrations without the tenant header")
    sales_order: DocumentHabits = DocumentHabits()
    sales_invoice: InvoiceHabits = InvoiceHabits()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("no time zone of this name is known") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates that name none."""
        return ZoneInfo(self.time_zone)


class Names(_Names):
    """All of the above: what one look at the live API may correct."""

    tenant_header: str = _wire("X-Tenant-Id", "[go] [help]; another help page writes X-TenantId")
    paths: Paths = Paths()
    query: QueryNames = QueryNames()
    debtor: DebtorNames = DebtorNames()
    article: ArticleNames = ArticleNames()
    sales_order: DocumentNames = DocumentNames()
    sales_invoice: SalesInvoiceNames = SalesInvoiceNames()
    sales_type: SalesTypeNames = SalesTypeNames()
    habits: Habits = Habits()

    def document(self, kind: DocumentKind) -> DocumentNames:
        """Return the field names of a kind of document."""
        return self.sales_order if kind == "sales_order" else self.sales_invoice

    def document_path(self, kind: DocumentKind) -> str:
        """Return the path of a kind of document."""
        return self.paths.sales_orders if kind == "sales_order" else self.paths.sales_invoices

    def document_habits(self, kind: DocumentKind) -> DocumentHabits:
        """Return how documents of a kind are found again."""
        return self.habits.sales_order if kind == "sales_order" else self.habits.sales_invoice


def filter_name(field: str) -> str:
    """Return the query name of a field: ``emailAddress`` is filtered by ``EmailAddress`` [go]."""
    return field[:1].upper() + field[1:]


def put_field(body: dict[str, Any], name: str | None, value: object) -> None:
    """Lay a value under a name of the wire; a dot in the name makes a nested object, None leaves it out."""
    if name is None or value is None:
        return
    *parents, last = name.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def get_field(body: Mapping[str, Any], name: str | None) -> Any:
    """Read a value under a name of the wire; None where it is absent."""
    if name is None:
        return None
    value: Any = body
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
