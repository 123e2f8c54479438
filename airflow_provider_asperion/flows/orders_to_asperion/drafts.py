"""The document that Asperion gets for an order: typed ids, exact line amounts, totals that tie."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.models import Delivery, DocumentDraft, LineDraft
from airflow_provider_asperion.flows.totals import difference
from airflow_provider_asperion.records import Problem, ProblemError
from airflow_provider_asperion.records.money import line_amount, order_totals, round_cents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.asperion.models import Article, Debtor
    from airflow_provider_asperion.asperion.names import DocumentNames
    from airflow_provider_asperion.flows.orders_to_asperion.live import LiveValues
    from airflow_provider_asperion.records import Order, OrderLine
    from airflow_provider_asperion.settings import TotalRules

PRICE_DIGITS = Decimal("0.000001")


class Drafter:
    """Makes drafts of orders.

    :param names: field names of the kind of document; what is None there is not sent.
    """

    def __init__(self, live: LiveValues, rules: TotalRules) -> None:
        self._live = live
        self._rules = rules

    def with_rates(self, order: Order) -> Order:
        """Fill in the VAT rates that the administration gives for the order's VAT codes.

        :raises ProblemError: source and administration give different rates for a code.
        """
        return order.model_copy(update={"lines": tuple(self._rated(line) for line in order.lines)})

    def draft(self, order: Order, articles: Sequence[Article | None], names: DocumentNames) -> DocumentDraft:
        """Return the draft of an order with its VAT rates; the debtor is laid over it later.

        :raises ProblemError: a value is not in the administration, or the draft does not add up.
        """
        net_prices = order.prices_include_vat and names.prices_include_vat is None
        lines = tuple(
            self._line(line, article, convert=net_prices)
            for line, article in zip(order.lines, articles, strict=True)
        )
        self._check_totals(order, lines, net=net_prices or not order.prices_include_vat)
        shipping = order.customer.shipping
        street = (shipping.street, shipping.house_number) if shipping else ()
        return DocumentDraft(
            reference=order.reference,
            date=order.date,
            delivery_date=order.delivery_date,
            description=order.customer_reference or order.reference,
            remarks=order.remarks,
            currency=order.currency,
            payment_condition=self._live.id_of("payment_condition", order.payment_condition),
            payment_method=self._live.id_of("payment_method", order.payment_method),
            sales_type=self._live.id_of("sales_type", order.sales_type),
            journal=self._live.id_of("journal", order.journal),
            prices_include_vat=order.prices_include_vat if names.prices_include_vat else None,
            delivery=Delivery(
                name=shipping.name,
                address=" ".join(part for part in street if part) or None,
                postcode=shipping.postcode,
                city=shipping.city,
                country=shipping.country,
            )
            if shipping
            else None,
            lines=lines,
        )

    def _rated(self, line: OrderLine) -> OrderLine:
        rate = self._live.vat_rates.get(line.vat_code or "")
        if rate is None or rate == line.vat_rate:
            return line
        if line.vat_rate is not None:
            raise ProblemError(
                Problem(
                    rule="vat.rate",
                    message=f"line {line.number} has {line.vat_rate} % VAT, code {line.vat_code} {rate} %",
                    remedy="correct the look-up table vat_code",
                    field=f"lines.{line.number}.vat_rate",
                )
            )
        return line.model_copy(update={"vat_rate": rate})

    def _line(self, line: OrderLine, article: Article | None, *, convert: bool) -> LineDraft:
        amount = line_amount(line, self._rules.half)
        price, discount = line.price, line.discount
        if convert:
            factor = Decimal(100) + self._rate(line)
            amount = round_cents(_exact(amount * 100, factor), self._rules.half)
            price = None if price is None else _exact(price * 100, factor).quantize(PRICE_DIGITS)
        if price is None or self._amount(line.quantity, price, discount) != amount:
            # The amount is what is owed: a price that was rounded on its way gives way to it.
            price, discount = self._price_of(amount, line), Decimal(0)
        text = article is None or article.code != line.sku
        known = " ".join(part for part in (line.sku if text else None, line.description) if part)
        return LineDraft(
            article_id=article.id if article else None,
            article_code=article.code if article else None,
            description=known or (article.description if article else None) or line.number,
            quantity=line.quantity,
            unit=line.unit,
            price=price,
            discount=discount or None,
            amount=amount,
            vat_code=line.vat_code if self._live.id_of("vat_code", line.vat_code) is not None else None,
            sales_type=self._live.id_of("sales_type", line.sales_type),
            ledger_account=self._live.id_of("ledger_account", line.ledger_account),
        )

    def _price_of(self, amount: Decimal, line: OrderLine) -> Decimal:
        if line.quantity == 0:
            return Decimal(0)
        price = _exact(amount, line.quantity).quantize(PRICE_DIGITS)
        if self._amount(line.quantity, price, Decimal(0)) != amount:
            raise ProblemError(
                Problem(
                    rule="line.price_digits",
                    message=f"no price of 6 decimals x {line.quantity} gives {amount} on line {line.number}",
                    remedy="split the line, or have the sender send a smaller quantity",
                    field=f"lines.{line.number}.price",
                )
            )
        return price

    def _amount(self, quantity: Decimal, price: Decimal, discount: Decimal) -> Decimal:
        return round_cents(quantity * price * (100 - discount) / 100, self._rules.half)

    def _rate(self, line: OrderLine) -> Decimal:
        if line.vat_rate is None:
            raise ProblemError(
                Problem(
                    rule="vat.rate_unknown",
                    message=f"line {line.number} has a price including VAT, and its VAT rate is not known",
                    remedy="map lines.vat_rate or lines.vat_code",
                    field=f"lines.{line.number}.vat_rate",
                )
            )
        return line.vat_rate

    def _check_totals(self, order: Order, lines: Sequence[LineDraft], *, net: bool) -> None:
        """Compare what Asperion will compute from the draft with the order, before anything is sent."""
        drafted = order.model_copy(
            update={
                "prices_include_vat": not net,
                "lines": tuple(
                    line.model_copy(update={"amount": draft.amount})
                    for line, draft in zip(order.lines, lines, strict=True)
                ),
            }
        )
        rules = self._rules
        wanted = order_totals(order, rounding=rules.rounding, half=rules.half)
        found = order_totals(drafted, rounding=rules.rounding, half=rules.half)
        problems = difference("gross", wanted.gross, found.gross, rules.tolerance, rule="total.draft")
        if problems:
            raise ProblemError(*problems)


def with_debtor(draft: DocumentDraft, debtor: Debtor) -> DocumentDraft:
    """Return the draft booked on a debtor."""
    number = debtor.customer_number
    return draft.model_copy(update={"debtor_id": debtor.id, "debtor_customer_number": number})


def _exact(dividend: Decimal, divisor: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 50
        return dividend / divisor
