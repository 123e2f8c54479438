"""What may be written, and what the server makes of it: debtors, articles, orders, invoices, journal entries.

Refused with 400 are unknown VAT codes, payment conditions, articles and the like [inferred]. Amounts of
documents are computed here [inferred]; a new document is a concept, status 1 [go, for invoices]. There is no
idempotency key and, unless a switch says so, no uniqueness: a repeated POST makes a duplicate.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.bodies import line_name, read_fields, read_lines
from airflow_provider_asperion.sandbox.errors import Complaints, Refusal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from airflow_provider_asperion.sandbox.schema import Resource
    from airflow_provider_asperion.sandbox.state import Administration, Row, Values
    from airflow_provider_asperion.sandbox.switches import Switches

CENT = Decimal("0.01")
CONCEPT = 1

_POINTERS = {
    "debtorKindId": schema.DEBTOR_KINDS,
    "paymentConditionId": schema.PAYMENT_CONDITIONS,
    "paymentMethodId": schema.PAYMENT_METHODS,
    "salesTypeId": schema.SALES_TYPES,
    "journalId": schema.JOURNALS,
    "vatCode": schema.VAT_CODES,
    "ledgerAccountId": schema.LEDGER_ACCOUNTS,
    "costCenterId": schema.COST_CENTERS,
    "costUnitId": schema.COST_UNITS,
}
"""Which list the value of a field must be in."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is written.

    :param at: local time without zone, as the API's dates are [go, inherited].
    :param visible_at: moment of the clock from which look-ups show it.
    """

    at: dt.datetime
    visible_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes into one administration. Its methods raise :class:`Refusal` and then have changed nothing.

    :param validate_only: check, store nothing [go].
    """

    administration: Administration
    switches: Switches
    moment: Moment
    validate_only: bool = False

    def create(self, resource: Resource, body: Values) -> Row | None:
        """Create an entry; None when it was only validated."""
        complaints = Complaints()
        values = read_fields(body, resource.fields, complaints)
        self._check_pointers(values, complaints)
        self._check_stock_field(resource, body, complaints)
        prepare = {
            schema.DEBTORS.path: self._new_debtor,
            schema.ARTICLES.path: self._new_article,
            schema.SALES_ORDERS.path: self._new_order,
            schema.SALES_INVOICES.path: self._new_invoice,
            schema.JOURNAL_ENTRIES.path: self._new_journal_entry,
        }[resource.path]
        prepare(values, body, complaints)
        complaints.raise_any()
        self._check_unique(resource, values, None)
        if self.validate_only:
            return None
        self._number(resource, values)
        row = self.administration[resource].add(values, visible_at=self.moment.visible_at)
        if resource is schema.SALES_ORDERS and self.switches.orders_move_stock:
            self._move_stock(values["lines"])
        return row

    def update(self, resource: Resource, row: Row, body: Values, *, whole: bool) -> None:
        """Change a debtor or article.

        :param whole: PUT: what is left out becomes empty (a switch); else PATCH: it stays.
        """
        complaints = Complaints()
        given = read_fields(body, resource.fields, complaints)
        self._check_stock_field(resource, body, complaints)
        kept = row.values
        if whole and self.switches.put_clears_omitted:
            # What a client may not write is never cleared; nor is the number, which is the entry's name.
            names = {field.name for field in resource.fields if field.read_only}
            own = names | {schema.BUSINESS_KEYS[resource.path]}
            kept = {name: value for name, value in kept.items() if name in own}
        values = {**kept, **given, "dateLastChange": self._now()}
        self._check_pointers(values, complaints)
        required = (
            self.switches.mandatory_debtor_fields if resource is schema.DEBTORS else ("code", "description")
        )
        _require(values, required, complaints)
        complaints.raise_any()
        self._check_unique(resource, values, row)
        if not self.validate_only:
            self.administration[resource].replace(row, values)

    def _new_debtor(self, values: Values, body: Values, complaints: Complaints) -> None:
        _require(values, self.switches.mandatory_debtor_fields, complaints)
        for name in ("blocked", "noReminder", "directDebit"):
            values[name] = values.get(name) or False
        values["dateAdded"] = self._now()
        values["dateLastChange"] = None

    def _new_article(self, values: Values, body: Values, complaints: Complaints) -> None:
        _require(values, ("code", "description"), complaints)
        values["activeState"] = values.get("activeState") or "Active"
        values["currentStock"] = Decimal(0)
        values["dateAdded"] = self._now()
        values["dateLastChange"] = None

    def _new_order(self, values: Values, body: Values, complaints: Complaints) -> None:
        """Prepare an order; names of its fields are guesses, see the schema."""
        if not self.switches.intrade:
            raise Refusal(403, "pack")
        _require(values, ("date",), complaints)
        self._find_debtor(values, complaints)
        lines = read_lines(body, schema.SALES_ORDERS.line_fields, complaints)
        for number, line in enumerate(lines):
            self._check_pointers(line, complaints, number)
            self._complete_order_line(number, line, complaints)
        values["lines"] = lines
        values["status"] = CONCEPT
        values["dateAdded"] = self._now()
        values["dateLastChange"] = None
        self._total(values)

    def _complete_order_line(self, number: int, line: Values, complaints: Complaints) -> None:
        """Fill in what follows from the article; a line without one is free text."""
        article = self._find_article(number, line, complaints)
        if article is not None:
            line.update(articleId=article["id"], articleCode=article["code"])
            for name, own in (("description", "description"), ("unit", "unit"), ("price", "price")):
                if line.get(name) is None and not (name == "price" and line.get("amount") is not None):
                    line[name] = article.get(own)
            if line.get("vatCode") is None:
                sales_types = self.administration[schema.SALES_TYPES].rows
                sales_type = sales_types.get(article.get("salesTypeId") or "")
                line["vatCode"] = sales_type.values["vatCode"] if sales_type else None
            _require(line, ("quantity",), complaints, line_name(number, ""))
        quantity, price = line.get("quantity"), line.get("price")
        if line.get("amount") is None:
            part = (100 - (line.get("discount") or Decimal(0))) / 100
            line["amount"] = cents((quantity or Decimal(0)) * (price or Decimal(0)) * part)

    def _find_article(self, number: int, line: Values, complaints: Complaints) -> Values | None:
        table, key, code = (
            self.administration[schema.ARTICLES],
            line.get("articleId"),
            line.get("articleCode"),
        )
        if key is None and code is None:
            return None
        name = "articleCode" if key is None else "articleId"
        row = next(iter(table.find("code", code)), None) if key is None else table.rows.get(key)
        if row is None:
            complaints.add(line_name(number, name), "unknown")
            return None
        if row.values["activeState"] != "Active" and self.switches.inactive_articles_on_orders == "refuse":
            complaints.add(line_name(number, name), "inactive")
        return row.values

    def _new_invoice(self, values: Values, body: Values, complaints: Complaints) -> None:
        """Prepare an invoice. Mandatory is what [go] always sends, without description and number."""
        names = ("bookyear", "bookperiod", "debtorCustomerNumber", "date", "journalId")
        _require(values, names, complaints)
        if values.get("debtorCustomerNumber") is not None:
            self._find_debtor(values, complaints)
        lines = read_lines(body, schema.SALES_INVOICES.line_fields, complaints)
        for number, line in enumerate(lines):
            _require(line, ("amount", "ledgerAccountId"), complaints, line_name(number, ""))
            self._check_pointers(line, complaints, number)
        values["lines"] = lines
        values["status"] = CONCEPT
        if self.switches.concept_invoice_number == "lose":
            values["invoiceNumber"] = None
        if not complaints.errors:
            self._total(values)

    def _new_journal_entry(self, values: Values, body: Values, complaints: Complaints) -> None:
        _require(values, ("bookyear", "bookperiod", "date", "journalId"), complaints)
        lines = read_lines(body, schema.JOURNAL_ENTRIES.line_fields, complaints)
        for number, line in enumerate(lines):
            _require(line, ("amount", "ledgerAccountId"), complaints, line_name(number, ""))
            self._check_pointers(line, complaints, number)
        if sum(line.get("amount") or Decimal(0) for line in lines) != 0:
            complaints.add("lines", "balance")
        values["lines"] = lines
        values["state"] = CONCEPT

    def _find_debtor(self, values: Values, complaints: Complaints) -> None:
        """Find the debtor by id or number, and store both."""
        table, key, number = (
            self.administration[schema.DEBTORS],
            values.get("debtorId"),
            values.get("debtorCustomerNumber"),
        )
        if key is None and number is None:
            complaints.add("debtorId", "required")
            return
        name = "debtorCustomerNumber" if key is None else "debtorId"
        row = next(iter(table.find("customerNumber", number)), None) if key is None else table.rows.get(key)
        if row is None:
            complaints.add(name, "unknown")
            return
        if row.values.get("blocked"):
            complaints.add(name, "blocked")
        values.update(debtorId=row.values["id"], debtorCustomerNumber=row.values["customerNumber"])

    def _check_pointers(self, values: Values, complaints: Complaints, number: int | None = None) -> None:
        for name, resource in _POINTERS.items():
            value = values.get(name)
            # [go] sends 0 where a line has no cost centre.
            if value in (None, "", 0) or value in self.administration[resource].rows:
                continue
            complaints.add(name if number is None else line_name(number, name), "unknown")

    def _check_stock_field(self, resource: Resource, body: Values, complaints: Complaints) -> None:
        refused = self.switches.current_stock_in_body == "refuse"
        if resource is schema.ARTICLES and refused and "currentStock" in body:
            complaints.add("currentStock", "read_only")

    def _check_unique(self, resource: Resource, values: Values, row: Row | None) -> None:
        name = schema.BUSINESS_KEYS.get(resource.path)
        value = values.get(name) if name else None
        if not self.switches.unique_references or name is None or value is None:
            return
        if any(other is not row for other in self.administration[resource].find(name, value)):
            raise Refusal(409, errors={name: ["exists"]})

    def _number(self, resource: Resource, values: Values) -> None:
        """Give the numbers that the server assigns. Who numbers a debtor without a number is unknown."""
        if resource is schema.SALES_ORDERS:
            values["orderNumber"] = f"VO{next(self.administration.numbers)}"
        elif resource is schema.DEBTORS and not values.get("customerNumber"):
            values["customerNumber"] = str(next(self.administration.numbers))

    def _total(self, values: Values) -> None:
        """Compute VAT and totals; an amount that a line states is taken, as is its VAT amount."""
        lines = values["lines"]
        net = sum((line["amount"] for line in lines), Decimal(0))
        vat = self._vat(lines)
        values.update(amountExclVat=cents(net), vatAmount=vat, amountInclVat=cents(net) + vat)

    def _vat(self, lines: Iterable[Values]) -> Decimal:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        fixed = Decimal(0)
        for line in lines:
            exact = line["amount"] * self._percentage(line.get("vatCode")) / 100
            if line.get("vatAmount") is not None or self.switches.vat_rounding == "line":
                line["vatAmount"] = cents(exact) if line.get("vatAmount") is None else line["vatAmount"]
                fixed += line["vatAmount"]
            else:
                line["vatAmount"] = cents(exact)
                sums[line.get("vatCode") or ""] += exact
        return cents(fixed) + sum(map(cents, sums.values()), Decimal(0))

    def _percentage(self, vat_code: str | None) -> Decimal:
        row = self.administration[schema.VAT_CODES].rows.get(vat_code) if vat_code else None
        return row.values["percentage"] if row else Decimal(0)

    def _move_stock(self, lines: Iterable[Values]) -> None:
        table = self.administration[schema.ARTICLES]
        for line in lines:
            row = table.rows.get(line.get("articleId") or 0)
            if row is not None:
                left = row.values["currentStock"] - line["quantity"]
                moved = {"dateLastChange": self._now()} if self.switches.stock_changes_date else {}
                table.replace(row, {**row.values, "currentStock": left, **moved})

    def _now(self) -> str:
        return self.moment.at.replace(tzinfo=None, microsecond=0).isoformat()


def cents(amount: Decimal) -> Decimal:
    """Round to cents, half away from zero; the API's own rule is unknown."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def _require(values: Values, names: Iterable[str], complaints: Complaints, prefix: str = "") -> None:
    for name in names:
        if values.get(name) in (None, "") and prefix + name not in complaints.errors:
            complaints.add(prefix + name, "required")
