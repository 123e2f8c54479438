"""The emulator's own map of Asperion's wire: every resource, field and filter, each with its source.

Shares nothing with the client's names, so that a wrong guess on one side shows up as a mismatch. Compare it
with the live OpenAPI description (``/swagger/v1/swagger.json``) and correct it here.

Marks: ``[help]`` Asperion's help pages; ``[go]`` a public third-party client written against the API;
``[inferred]`` a conclusion; ``[unknown]`` a guess, nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "int", "number", "bool", "date", "any"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource.

    :param source: where the name is from.
    :param read_only: a value in a request body is not taken over.
    :param indexed: an ``Equals`` filter on it needs no scan.
    :param filter_only: can be filtered by, is not in the body.
    :param filterable: has a query parameter of its own.
    """

    name: str
    kind: Kind
    source: str
    read_only: bool = False
    indexed: bool = False
    filter_only: bool = False
    filterable: bool = True


@dataclass(frozen=True, slots=True)
class Resource:
    """One list of the API.

    :param path: its path below ``/v1/``, in lower case.
    :param aliases: other spellings that are answered as well.
    :param line_fields: fields of the nested ``lines``; empty: it has none.
    :param verbs: HTTP methods on the list and on one entry.
    :param table: where the entries are kept, if not under ``path``.
    :param source: where path and verbs are from.
    """

    path: str
    title: str
    source: str
    fields: tuple[Field, ...]
    line_fields: tuple[Field, ...] = ()
    verbs: frozenset[str] = frozenset({"GET"})
    aliases: tuple[str, ...] = ()
    table: str = ""

    @property
    def stored_as(self) -> str:
        """Name of the table of its entries."""
        return self.table or self.path


def _text(name: str, source: str, **more: bool) -> Field:
    return Field(name, "text", source, **more)


_GO = "[go]"
_ID = Field("id", "int", "[go] int", read_only=True, indexed=True)
_TEXT_ID = Field("id", "text", "[go] string", read_only=True)
_GUESSED_TEXT_ID = Field("id", "text", "[go] string on a debtor", read_only=True)
_DESCRIPTION = _text("description", _GO)
_CONVERSION = _text("conversionCode", _GO)

ADMINISTRATIONS = Resource(
    "administrations",
    "Administration",
    "[help] [go] read only",
    (
        _ID,
        _text("name", _GO),
        _text("telephoneNumber", "[go] filter; in the body [inferred]"),
        _text("email", "[go] filter; in the body [inferred]"),
    ),
)

DEBTORS = Resource(
    "debtors",
    "Debtor",
    "[go] GET and POST; PUT and PATCH of one debtor [inferred]",
    (
        _ID,
        _text("customerNumber", _GO, indexed=True),
        _text("name", _GO),
        _text("address", "[go] street and house number in one"),
        _text("addressLine2", _GO),
        _text("addressLine3", _GO),
        _text("postCode", _GO),
        _text("city", _GO),
        _text("countryCode", "[go]; ISO alpha-2 [inferred]"),
        _text("attentionTo", _GO),
        _text("emailAddress", _GO, indexed=True),
        _text("phoneNumber", _GO),
        _text("mobileNumber", _GO),
        _text("faxNumber", _GO),
        _text("debtorKindId", "[go] string"),
        Field("paymentConditionId", "int", "[go] int"),
        _text("paymentMethodId", "[go] string"),
        _text("iban", _GO),
        _text("bic", _GO),
        _text("bban", _GO),
        Field("directDebit", "bool", _GO),
        _text("vatNumber", _GO, indexed=True),
        _text("cocNumber", _GO, indexed=True),
        Field("characteristic4", "any", _GO),
        Field("characteristic5", "any", _GO),
        _text("comments", _GO),
        Field("blocked", "bool", _GO),
        Field("noReminder", "bool", _GO),
        Field("dateAdded", "date", "[go]; read only [inferred]", read_only=True),
        Field(
            "dateLastChange",
            "date",
            "[go]; read only [inferred]; no filter is known",
            read_only=True,
            filterable=False,
        ),
    ),
    verbs=frozenset({"GET", "POST", "PUT", "PATCH"}),
)

ARTICLES = Resource(
    "articles",
    "Article",
    "[help] list, create, update; the update verb is unknown, PUT and PATCH are both taken",
    (
        Field("id", "int", "[inferred]", read_only=True, indexed=True),
        _text("code", "[unknown] article number", indexed=True),
        _text("description", "[unknown]"),
        _text("longDescription", "[unknown]"),
        Field("price", "number", "[unknown] sales price per piece, excluding VAT"),
        _text("eanCode", "[unknown]", indexed=True),
        _text("unit", "[unknown]"),
        _text("salesTypeId", "[help] SalesTypeId; body name [inferred]"),
        _text("activeState", "[help] ActiveState; body name and the values Active, Inactive [unknown]"),
        Field("currentStock", "number", "[help] cannot be written", read_only=True),
        Field(
            "warehouses",
            "any",
            "[unknown] name and form; some articles have a default location of warehouse and place [help]",
            read_only=True,
            filterable=False,
        ),
        *(
            _text(f"characteristic{number}", "[inferred] from characteristic4 and 5 of a debtor")
            for number in range(1, 6)
        ),
        Field("dateAdded", "date", "[inferred] as on a debtor", read_only=True),
        Field("dateLastChange", "date", "[inferred] as on a debtor", read_only=True, filterable=False),
    ),
    verbs=frozenset({"GET", "POST", "PUT", "PATCH"}),
)

_DOCUMENT_TOTALS = (
    Field("amountExclVat", "number", "[go] on invoices; computed by the server [inferred]", read_only=True),
    Field("amountInclVat", "number", "[go] on invoices; computed by the server [inferred]", read_only=True),
    Field("vatAmount", "number", "[go] on invoices; computed by the server [inferred]", read_only=True),
)

SALES_ORDERS = Resource(
    "salesorderwithlines",
    "SalesOrderWithLines",
    "[help] POST; path in the singular [help], in the plural [inferred]; GET [inferred]",
    (
        Field("id", "int", "[inferred]", read_only=True, indexed=True),
        _text("reference", "[unknown] order number of the sender", indexed=True),
        _text("orderNumber", "[unknown] number given by Asperion", read_only=True, indexed=True),
        Field("debtorId", "int", "[inferred]", indexed=True),
        _text("debtorCustomerNumber", "[inferred] as on an invoice", indexed=True),
        Field("date", "date", "[inferred]"),
        Field("deliveryDate", "date", "[unknown]"),
        _text("description", "[inferred]"),
        _text("comments", "[unknown] as on a debtor"),
        Field("paymentConditionId", "int", "[inferred] as on an invoice"),
        _text("paymentMethodId", "[unknown] string as on a debtor"),
        _text("salesTypeId", "[unknown]"),
        _text("deliveryName", "[unknown]"),
        _text("deliveryAddress", "[unknown] street and number, as on a debtor"),
        _text("deliveryPostCode", "[unknown]"),
        _text("deliveryCity", "[unknown]"),
        _text("deliveryCountryCode", "[unknown]"),
        Field(
            "status",
            "int",
            "[unknown]; 1 concept [inferred] from invoices; 2 open, 3 delivered, 7 paid [unknown]",
            read_only=True,
        ),
        *_DOCUMENT_TOTALS,
        Field("dateAdded", "date", "[unknown] as on a debtor", read_only=True),
        Field("dateLastChange", "date", "[unknown] as on a debtor", read_only=True, filterable=False),
    ),
    line_fields=(
        Field("id", "int", "[go] on invoices", read_only=True),
        Field("articleId", "int", "[inferred]"),
        _text("articleCode", "[unknown]"),
        _text("description", "[inferred]"),
        Field("quantity", "number", "[inferred]"),
        _text("unit", "[unknown]"),
        Field("price", "number", "[inferred] per piece, excluding VAT"),
        Field("discount", "number", "[unknown] percentage"),
        Field("amount", "number", "[unknown] excluding VAT"),
        _text("vatCode", "[inferred] as on an invoice"),
        Field("vatAmount", "number", "[unknown]"),
        Field("costCenterId", "int", "[inferred] as on an invoice"),
    ),
    verbs=frozenset({"GET", "POST"}),
    aliases=("salesorderswithlines",),
)

_INVOICE_FIELDS = (
    _ID,
    _text("debtorCustomerNumber", "[go] string", indexed=True),
    Field("debtorId", "int", "[go] a filter, not in the body", indexed=True, filter_only=True),
    Field("date", "date", _GO),
    _text("description", _GO),
    _text("invoiceNumber", "[go] string", indexed=True),
    _text("journalId", "[go] string"),
    Field("bookyear", "int", _GO),
    Field("bookperiod", "int", _GO),
    Field("status", "int", "[go] 1 concept, 2, 3, 6 payable, 7 paid, 8 hold", read_only=True),
    Field("paymentConditionId", "int", _GO),
    Field("paymentDueDate", "date", _GO),
    *_DOCUMENT_TOTALS,
)

SALES_INVOICES = Resource(
    "salesinvoiceswithlines",
    "SalesInvoiceWithLines",
    "[go] GET and POST",
    _INVOICE_FIELDS,
    line_fields=(
        Field("id", "int", _GO, read_only=True),
        Field("amount", "number", "[go]; excluding VAT [inferred]"),
        Field("vatAmount", "number", _GO),
        _text("vatCode", _GO),
        Field("ledgerAccountId", "int", _GO),
        Field("costCenterId", "int", _GO),
        Field("costUnitId", "int", _GO),
        _text("description", _GO),
    ),
    verbs=frozenset({"GET", "POST"}),
)

SALES_INVOICE_HEADERS = Resource(
    "salesinvoices",
    "SalesInvoice",
    "[go] GET: headers of the invoices",
    _INVOICE_FIELDS,
    table="salesinvoiceswithlines",
)

PAYMENT_CONDITIONS = Resource("paymentconditions", "PaymentCondition", "[go] GET", (_ID, _DESCRIPTION))

VAT_CODES = Resource(
    "vatcodes",
    "VatCode",
    "[go] GET",
    (
        _TEXT_ID,
        _DESCRIPTION,
        Field("salesCode", "bool", "[go] sales or purchase side"),
        Field("percentage", "number", _GO),
        Field("isDefault", "bool", _GO),
        Field("validFrom", "date", _GO),
        Field("validUntil", "date", "[go] null seen"),
        _text("countryCode", _GO),
    ),
)

JOURNALS = Resource(
    "journals", "Journal", "[go] GET", (_TEXT_ID, _DESCRIPTION, _text("type", "[go]; values unknown"))
)

COST_CENTERS = Resource("costcenters", "CostCenter", "[go] GET", (_ID, _DESCRIPTION, _CONVERSION))

COST_UNITS = Resource(
    "costunits",
    "CostUnit",
    "[go] GET; fields never seen, these are [inferred]",
    (_ID, _DESCRIPTION, _CONVERSION),
)

LEDGER_ACCOUNTS = Resource(
    "ledgeraccounts",
    "LedgerAccount",
    "[go] GET",
    (
        _ID,
        Field("type", "int", "[go]; values unknown"),
        _DESCRIPTION,
        _text("vatCode", _GO),
        Field("disabled", "bool", _GO),
        _text("rcsfi", _GO),
    ),
)

JOURNAL_ENTRIES = Resource(
    "journalentrieswithlines",
    "JournalEntryWithLines",
    "[go] GET and POST",
    (
        _ID,
        Field("bookperiod", "int", _GO),
        Field("bookyear", "int", _GO),
        Field("date", "date", _GO),
        _text("journalId", _GO),
        Field("openingBalance", "number", _GO),
        Field("closingBalance", "number", _GO),
        _DESCRIPTION,
        _text("sourceDocumentNumber", _GO, indexed=True),
        Field("state", "int", "[go]; values unknown", read_only=True),
    ),
    line_fields=(
        Field("id", "int", _GO, read_only=True),
        Field("amount", "number", "[go] signed; the lines add up to zero"),
        Field("bookingDate", "date", _GO),
        Field("creditorId", "int", "[go] 0 for none"),
        Field("debtorId", "int", "[go] 0 for none"),
        Field("purchaseInvoiceId", "int", "[go] 0 for none"),
        Field("salesInvoiceId", "int", "[go] 0 for none"),
        _DESCRIPTION,
        Field("ledgerAccountId", "int", _GO),
        Field("vatAmount", "number", _GO),
        _text("vatCode", _GO),
        Field("costCenterId", "int", "[go] 0 for none"),
    ),
    verbs=frozenset({"GET", "POST"}),
)

APPROVAL_ROUTES = Resource(
    "approvalroutes",
    "ApprovalRoute",
    "[help] read only; fields [inferred]",
    (Field("id", "int", "[inferred]", read_only=True, indexed=True), _text("description", "[inferred]")),
)

SALES_TYPES = Resource(
    "salestypes",
    "SalesType",
    "[help] path; GET and fields [inferred]",
    (
        Field("id", "text", "[inferred]", read_only=True),
        _text("description", "[inferred]"),
        Field("ledgerAccountId", "int", "[help] holds the revenue account; name [unknown]"),
        _text("vatCode", "[help] holds the VAT rate; name [unknown]"),
    ),
)

DEBTOR_KINDS = Resource(
    "debtorkinds",
    "DebtorKind",
    "[unknown] by analogy",
    (_GUESSED_TEXT_ID, _text("description", "[inferred]")),
)

PAYMENT_METHODS = Resource(
    "paymentmethods",
    "PaymentMethod",
    "[unknown] by analogy",
    (_GUESSED_TEXT_ID, _text("description", "[inferred]")),
)

RESOURCES = (
    ADMINISTRATIONS,
    DEBTORS,
    ARTICLES,
    SALES_ORDERS,
    SALES_INVOICES,
    SALES_INVOICE_HEADERS,
    PAYMENT_CONDITIONS,
    PAYMENT_METHODS,
    VAT_CODES,
    JOURNALS,
    COST_CENTERS,
    COST_UNITS,
    LEDGER_ACCOUNTS,
    JOURNAL_ENTRIES,
    APPROVAL_ROUTES,
    SALES_TYPES,
    DEBTOR_KINDS,
)

BUSINESS_KEYS = {
    "debtors": "customerNumber",
    "articles": "code",
    "salesorderwithlines": "reference",
    "salesinvoiceswithlines": "invoiceNumber",
}
"""Field by which people name an entry, by path."""

BY_PATH = {name: resource for resource in RESOURCES for name in (resource.path, *resource.aliases)}
"""Resource by path below ``/v1/``, in lower case."""
