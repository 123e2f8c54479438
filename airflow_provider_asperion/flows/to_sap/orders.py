"""Sales orders and invoices of Asperion as orders (O1, O2, O9), with what they add up to."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import NotFound
from airflow_provider_asperion.flows.single_flight import SingleFlight
from airflow_provider_asperion.flows.to_sap.customers import customer_of
from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.mapping.addresses import split_street
from airflow_provider_asperion.mapping.values import text_of
from airflow_provider_asperion.records import (
    Address,
    ControlTotals,
    Customer,
    Order,
    OrderLine,
    Problem,
    ProblemError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.models import Debtor, Delivery, DocumentDetail, DocumentLine, Id
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.settings import OrdersToSap


class OrderSource:
    """The list of sales orders, or of sales invoices.

    :param came_from_sap: tells whether a reference is that of an order that SAP sent itself.
    """

    flow_name = "orders_to_sap"

    def __init__(self, flow: OrdersToSap, came_from_sap: Callable[[str], bool]) -> None:
        self._flow = flow
        self._came_from_sap = came_from_sap
        self._rates: dict[str, Decimal] = {}
        self._by_id: SingleFlight[Id, Debtor | None] | None = None
        self._by_number: SingleFlight[str, Debtor | None] | None = None

    async def prepare(self, asperion: Asperion) -> None:
        """Read the VAT rates; debtors are asked for when an order names them."""

        async def by_id(key: Id) -> Debtor | None:
            try:
                return await asperion.get_debtor(key)
            except NotFound:
                return None

        async def by_number(number: str) -> Debtor | None:
            found = await asperion.find_debtors("customer_number", number)
            return found[0] if len(found) == 1 else None

        self._by_id, self._by_number = SingleFlight(by_id), SingleFlight(by_number)
        codes = await asperion.vat_codes()
        self._rates = {str(code.id): code.percentage for code in codes if code.percentage is not None}

    def walk(
        self, asperion: Asperion, changed: Interval | None, on_problem: OnProblem
    ) -> AsyncIterator[DocumentDetail]:
        """Walk the documents with their lines."""
        return asperion.documents(self._flow.kind, changed, on_problem=on_problem)

    def shown(self, item: DocumentDetail) -> str:
        """Return how people find an entry."""
        return _number(item)

    async def observe(self, item: DocumentDetail, at: dt.datetime) -> list[Observed]:
        """Return a document as an order; nothing where it does not travel: its status (O2), or SAP sent it.

        :raises ValidationError: it is not complete enough to be an order.
        :raises ProblemError: its lines do not add up to what Asperion holds of it, and such are refused.
        """
        status = None if item.status is None else str(item.status)
        if self._flow.filter.refuses(status, None) is not None:
            return []
        if await self._is_saps_own(item):
            return []
        order = order_of(item, await self._debtor_of(item), self._rates, self._flow)
        if self._flow.check_totals:
            refuse_untied(order)
        return [Observed.of("order", order, key=order.reference, shown=order.reference, observed_at=at)]

    def ended(self, item: DocumentDetail) -> bool:
        """Return False: what does not travel by the settings is not told of."""
        return False

    def doubles(self) -> dict[str, Problem]:
        """Return nothing: each document has an id of its own."""
        return {}

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return nothing: an order that was sent stays sent."""
        return None

    async def _is_saps_own(self, document: DocumentDetail) -> bool:
        if self._flow.from_sap == "send" or not document.reference:
            return False
        return await asyncio.to_thread(self._came_from_sap, document.reference)

    async def _debtor_of(self, document: DocumentDetail) -> Debtor | None:
        if document.debtor_id is not None and self._by_id is not None:
            return await self._by_id.get(document.debtor_id)
        if document.debtor_customer_number and self._by_number is not None:
            return await self._by_number.get(document.debtor_customer_number)
        return None


def order_of(
    document: DocumentDetail, debtor: Debtor | None, rates: Mapping[str, Decimal], flow: OrdersToSap
) -> Order:
    """Return a document as an order.

    :param rates: percentage by VAT code.
    :raises ValidationError: a field that an order must have is not there.
    """
    number = _number(document)
    values = {
        "kind": document.kind,
        "reference": number,
        "customer_reference": None if document.reference == number else text_of(document.reference),
        "status": None if document.status is None else str(document.status),
        "date": _day(document.date),
        "delivery_date": _day(document.delivery_date),
        "currency": document.currency or flow.currency,
        "prices_include_vat": bool(document.prices_include_vat),
        "customer": _customer(document, debtor, flow),
        "lines": [_line(line, index, rates) for index, line in enumerate(document.lines, start=1)],
        "payment_condition": text_of(document.payment_condition),
        "payment_method": text_of(document.payment_method),
        "sales_type": text_of(document.sales_type),
        "journal": text_of(document.journal),
        "remarks": text_of(document.remarks),
        "control": ControlTotals(
            line_count=len(document.lines), net=document.net, vat=document.vat, gross=document.gross
        ),
    }
    return Order.model_validate(values)


def refuse_untied(order: Order) -> None:
    """Compare the lines with the net amount that stands in the control totals, to the cent.

    Nothing is compared where Asperion does not tell the amount of each line and of the whole.

    :raises ProblemError: they differ.
    """
    stated = order.control.net
    amounts = [line.amount for line in order.lines]
    known = [amount for amount in amounts if amount is not None]
    if stated is None or len(known) < len(amounts) or sum(known, Decimal(0)) == stated:
        return
    raise ProblemError(
        Problem(
            rule="order.untied",
            message=f"Asperion holds {stated} net, the lines add up to {sum(known, Decimal(0))}",
            remedy="correct it in Asperion; where prices hold VAT, map amounts without it and set "
            "check_totals: false",
            record=order.reference,
            field="control.net",
        )
    )


def _number(document: DocumentDetail) -> str:
    """Return the number that Asperion gave a document; its id where it has none yet, as a concept invoice.

    Asperion's own, not the customer's reference: only that is sure to name one document.
    """
    return document.number or str(document.id)


def _customer(document: DocumentDetail, debtor: Debtor | None, flow: OrdersToSap) -> Customer:
    if debtor is None:
        return Customer(
            number=text_of(document.debtor_customer_number), shipping=_shipping(document.delivery)
        )
    customer = customer_of(debtor, flow.company_kind)
    return customer.model_copy(update={"shipping": _shipping(document.delivery)})


def _shipping(delivery: Delivery | None) -> Address | None:
    if delivery is None:
        return None
    street = split_street(delivery.address)
    return Address(
        name=text_of(delivery.name),
        street=street.get("street"),
        house_number=street.get("number"),
        postcode=text_of(delivery.postcode),
        city=text_of(delivery.city),
        country=text_of(delivery.country),
    )


def _line(line: DocumentLine, index: int, rates: Mapping[str, Decimal]) -> OrderLine:
    return OrderLine(
        number=str(index * 10),
        sku=text_of(line.article_code),
        description=text_of(line.description),
        # An invoice line has an amount only: it is one piece at that price.
        quantity=Decimal(1) if line.quantity is None else line.quantity,
        unit=text_of(line.unit),
        price=line.amount if line.quantity is None else line.price,
        discount=line.discount or Decimal(0),
        amount=line.amount,
        vat_code=text_of(line.vat_code),
        vat_rate=rates.get(str(line.vat_code)),
        ledger_account=text_of(line.ledger_account),
        text=line.article_code is None,
    )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text[:10]) if text else None
