"""What is sent as the stock of an article (S1, S3, S4): one calculation, exact, in pieces."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.mapping.formula import Formula
from airflow_provider_asperion.records import Problem, ProblemError, StockLevel

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Article, Id
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.settings import StockRules, StockToSap

QUANTITIES = ("physical", "available", "reserved", "purchases")
_FORMULAS = {
    "physical": "physical",
    "available": "available",
    "available_minus_reserved": "available - reserved",
    "available_minus_reserved_plus_purchases": "available - reserved + purchases",
}


class StockCalculator:
    """The calculation of the settings.

    :raises ProblemError: its expression is wrong.
    """

    def __init__(self, rules: StockRules) -> None:
        self._rules = rules
        self.text = rules.expression or _FORMULAS[rules.calculation]
        self._formula = Formula(self.text, QUANTITIES, setting="stock.expression")

    def __call__(self, quantities: Mapping[str, Decimal | None]) -> Decimal | None:
        """Return pieces: the calculation, less the safety stock, rounded, not below the floor.

        :param quantities: by the names of :data:`QUANTITIES`; None where Asperion does not tell it.
        :returns: None when the calculation needs a quantity that is not there.
        """
        found = self._formula(quantities)
        if found is None:
            return None
        rounding = ROUND_FLOOR if self._rules.rounding == "down" else ROUND_HALF_UP
        with localcontext() as context:
            context.prec = 50
            pieces = (found - self._rules.safety).quantize(
                Decimal(1).scaleb(-self._rules.decimals), rounding=rounding
            )
        return pieces if self._rules.floor is None else max(pieces, self._rules.floor)


class StockSource:
    """The stock of all articles.

    :raises ProblemError: the calculation of the settings is wrong.
    """

    flow_name = "stock_to_sap"

    def __init__(self, flow: StockToSap) -> None:
        self._flow = flow
        self._calculate = StockCalculator(flow.stock)
        self._reserved: dict[str, Decimal] = defaultdict(Decimal)
        self._reserved_by_id: dict[Id, Decimal] = defaultdict(Decimal)

    async def prepare(self, asperion: Asperion) -> None:
        """Sum what open sales orders reserve, where the settings say so."""
        if self._flow.stock.reservations == "orders" and "reserved" in self._calculate.text:
            async for line in asperion.open_order_lines():
                if line.article_code is not None:
                    self._reserved[line.article_code] += line.quantity
                elif line.article_id is not None:
                    self._reserved_by_id[line.article_id] += line.quantity

    def walk(self, asperion: Asperion, changed: Interval | None) -> AsyncIterator[Article]:
        """Walk all articles: whether a change of stock moves the date of change is unknown."""
        return asperion.articles(None)

    def shown(self, item: Article) -> str:
        """Return how people find an entry."""
        return item.code

    async def observe(self, item: Article, at: dt.datetime) -> Observed | None:
        """Return the stock of an article; None for an inactive one, unless the settings send it.

        :raises ProblemError: Asperion does not tell a quantity that the calculation needs.
        """
        if item.active is False and self._flow.inactive == "skip":
            return None
        by_code = self._reserved.get(item.code, Decimal(0))
        reserved = by_code + self._reserved_by_id.get(item.id, Decimal(0))
        level = stock_of(item, self._calculate, self._flow.stock, reserved=reserved, observed_at=at)
        return Observed.of("stock", level, key=item.code, shown=item.code, observed_at=at)

    def doubles(self) -> dict[str, Problem]:
        """Return nothing: Asperion keeps article codes apart."""
        return {}

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return nothing: the flow of products tells it."""
        return None


def stock_of(
    article: Article,
    calculate: StockCalculator,
    rules: StockRules,
    *,
    reserved: Decimal,
    observed_at: dt.datetime,
) -> StockLevel:
    """Return the stock level of an article.

    :param reserved: what open order lines hold of it, with ``reservations: orders``.
    :raises ProblemError: Asperion does not tell a quantity that the calculation needs.
    """
    quantities: dict[str, Decimal | None] = {
        "physical": article.current_stock,
        # Without a field of its own, available is what lies there: what is sold is taken off as reserved.
        "available": article.current_stock if article.available is None else article.available,
        "reserved": reserved if rules.reservations == "orders" else article.reserved,
        "purchases": article.on_order,
    }
    quantity = calculate(quantities)
    if quantity is None:
        raise ProblemError(_not_told(article.code, rules, quantities))
    return StockLevel(
        sku=article.code,
        quantity=quantity,
        unit=article.unit,
        manage_stock=_managed(article, rules),
        observed_at=observed_at,
        **quantities,
    )


def _managed(article: Article, rules: StockRules) -> bool | None:
    for field, values in rules.unmanaged.items():
        if str(getattr(article, field, article.custom.get(field))) in values:
            return False
    return rules.manage_stock


def _not_told(sku: str, rules: StockRules, quantities: Mapping[str, Decimal | None]) -> Problem:
    missing = ", ".join(name for name, value in quantities.items() if value is None)
    return Problem(
        rule="stock.not_told",
        message=f"the calculation {rules.expression or rules.calculation} needs what Asperion does not tell: "
        f"{missing}",
        remedy="choose another stock.calculation, or name the field in names.article",
        record=sku,
        field="stock.calculation",
    )
