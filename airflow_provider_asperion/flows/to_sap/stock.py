"""What is sent as the stock of an article (S1, S3, S4), in all or per warehouse: one calculation, exact."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING
from urllib.parse import unquote

from airflow_provider_asperion.asperion.retry import utc_now
from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.mapping.formula import Formula
from airflow_provider_asperion.records import Problem, ProblemError, StockLevel

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Callable, Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.models import Article, Id, WarehouseStock
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.asperion.names import Names
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

    :ivar needs: the quantities that it is about.
    :raises ProblemError: its expression is wrong.
    """

    def __init__(self, rules: StockRules) -> None:
        self._rules = rules
        self.text = rules.expression or _FORMULAS[rules.calculation]
        self._formula = Formula(self.text, QUANTITIES, setting="stock.expression")
        self.needs = frozenset(re.findall(r"\w+", self.text)).intersection(QUANTITIES)

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
    """The stock of all articles; of each warehouse, where the settings and Asperion tell them apart.

    :param clock: tells when the reservations were summed.
    :raises ProblemError: the calculation of the settings is wrong.
    """

    flow_name = "stock_to_sap"

    def __init__(self, flow: StockToSap, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._flow = flow
        self._clock = clock
        self._reserved_at: dt.datetime | None = None
        self._calculate = StockCalculator(flow.stock)
        self._reserved: dict[str, Decimal] = defaultdict(Decimal)
        self._reserved_by_id: dict[Id, Decimal] = defaultdict(Decimal)
        self._told: dict[str, tuple[str | None, bool | None]] = {}

    @property
    def sums_reservations(self) -> bool:
        """Whether the lines of open sales orders are summed."""
        return self._flow.stock.reservations == "orders" and "reserved" in self._calculate.needs

    async def prepare(self, asperion: Asperion) -> None:
        """Sum what open sales orders reserve, where the settings say so.

        :raises ProblemError: no field is named that tells the warehouses that the settings ask for.
        """
        self.check_names(asperion.names)
        if self.sums_reservations:
            self._reserved_at = self._clock()
            async for line in asperion.open_order_lines():
                if line.article_code is not None:
                    self._reserved[line.article_code] += line.quantity
                elif line.article_id is not None:
                    self._reserved_by_id[line.article_id] += line.quantity

    def check_names(self, names: Names) -> None:
        """Check that warehouses can be read at all: where Asperion tells them is not known.

        :raises ProblemError: the settings ask for them and name no field.
        """
        if self._flow.per_warehouse and names.article.warehouses is None:
            raise ProblemError(
                Problem(
                    rule="stock.no_warehouses",
                    message="stock shall travel per warehouse, and no field is named that tells warehouses",
                    remedy="name it in names.article.warehouses and its parts in names.article.warehouse, "
                    "or set per_warehouse: false",
                    field="per_warehouse",
                )
            )

    def walk(
        self, asperion: Asperion, changed: Interval | None, on_problem: OnProblem
    ) -> AsyncIterator[Article]:
        """Walk all articles: whether a change of stock moves the date of change is unknown."""
        return asperion.articles(None, on_problem=on_problem)

    def shown(self, item: Article) -> str:
        """Return how people find an entry."""
        return item.code

    async def observe(self, item: Article, at: dt.datetime) -> list[Observed]:
        """Return the stock of an article; nothing for an inactive one, unless the settings send it.

        :raises ProblemError: Asperion does not tell a quantity that the calculation needs.
        """
        if item.active is False and self._flow.inactive == "skip":
            return []
        # No newer than the older of the two readings that it is made of.
        levels = self.levels(item, at if self._reserved_at is None else min(at, self._reserved_at))
        self._told[item.code] = (levels[0].unit, levels[0].manage_stock)
        return [_observed(level) for level in levels]

    def ended(self, item: Article) -> bool:
        """Return False: what does not travel by the settings is not told of."""
        return False

    def doubles(self) -> dict[str, Problem]:
        """Return nothing: Asperion keeps article codes apart."""
        return {}

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return what to do about a level of an article that has others now.

        Nothing when the article itself is gone, which the flow of products tells, or did not travel.
        """
        sku, warehouse = parts_of(key)
        if sku not in self._told:
            return None
        if self._flow.gone == "report":
            return _gone(shown_as(sku, warehouse))
        unit, managed = self._told[sku]
        return _observed(
            StockLevel(
                sku=sku,
                warehouse=warehouse,
                quantity=Decimal(0),
                unit=unit,
                manage_stock=managed,
                observed_at=at,
            )
        )

    def levels(self, article: Article, at: dt.datetime) -> list[StockLevel]:
        """Return the levels of an article: one, or one per warehouse.

        :raises ProblemError: Asperion does not tell a quantity that the calculation needs.
        """
        rules = self._flow.stock
        if self._flow.per_warehouse and article.warehouses:
            return stock_per_warehouse(article, self._calculate, rules, observed_at=at)
        by_code = self._reserved.get(article.code, Decimal(0))
        reserved = by_code + self._reserved_by_id.get(article.id, Decimal(0))
        return [stock_of(article, self._calculate, rules, reserved=reserved, observed_at=at)]


def key_of(sku: str, warehouse: str | None = None) -> str:
    """Return the key of a level in the ledger: the SKU, and behind an ``@`` the warehouse."""
    parts = [sku] if warehouse is None else [sku, warehouse]
    # Either may hold an @ itself: two levels never get one key.
    return "@".join(part.replace("%", "%25").replace("@", "%40") for part in parts)


def parts_of(key: str) -> tuple[str, str | None]:
    """Return SKU and warehouse of a key; None: the level of the article as a whole."""
    sku, _, warehouse = key.partition("@")
    return unquote(sku), unquote(warehouse) or None


def shown_as(sku: str, warehouse: str | None) -> str:
    """Return how people find a level."""
    return sku if warehouse is None else f"{sku}@{warehouse}"


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
    return _level(article, None, quantities, calculate, rules, observed_at)


def stock_per_warehouse(
    article: Article, calculate: StockCalculator, rules: StockRules, *, observed_at: dt.datetime
) -> list[StockLevel]:
    """Return a level for each warehouse of an article.

    What is reserved there is known where a field tells it (``names.article.warehouse.reserved``): lines of
    sales orders name no warehouse [unknown], and spreading their sum would be a guess.

    :raises ProblemError: a warehouse is there twice, or Asperion does not tell a quantity that is needed.
    """
    twice = [code for code, count in Counter(one.code for one in article.warehouses).items() if count > 1]
    if twice:
        raise ProblemError(_twice(article.code, twice))
    return [
        _level(article, one.code, _quantities_in(one, article, rules), calculate, rules, observed_at)
        for one in article.warehouses
    ]


def _quantities_in(place: WarehouseStock, article: Article, rules: StockRules) -> dict[str, Decimal | None]:
    # Where the article tells what is free of it and the warehouse does not, what lies there is no answer.
    free = place.current_stock if article.available is None else None
    return {
        "physical": place.current_stock,
        "available": free if place.available is None else place.available,
        "reserved": None if rules.reservations == "orders" else place.reserved,
        "purchases": place.on_order,
    }


def _level(
    article: Article,
    warehouse: str | None,
    quantities: dict[str, Decimal | None],
    calculate: StockCalculator,
    rules: StockRules,
    observed_at: dt.datetime,
) -> StockLevel:
    quantity = calculate(quantities)
    if quantity is None:
        missing = [name for name in QUANTITIES if name in calculate.needs and quantities[name] is None]
        raise ProblemError(_not_told(article.code, warehouse, rules, missing))
    return StockLevel(
        sku=article.code,
        warehouse=warehouse,
        quantity=quantity,
        unit=article.unit,
        manage_stock=_managed(article, rules),
        observed_at=observed_at,
        **quantities,
    )


def _observed(level: StockLevel) -> Observed:
    return Observed.of(
        "stock",
        level,
        key=key_of(level.sku, level.warehouse),
        shown=shown_as(level.sku, level.warehouse),
        observed_at=level.observed_at,
    )


def _managed(article: Article, rules: StockRules) -> bool | None:
    for field, values in rules.unmanaged.items():
        if str(getattr(article, field, article.custom.get(field))) in values:
            return False
    return rules.manage_stock


def _not_told(sku: str, warehouse: str | None, rules: StockRules, missing: list[str]) -> Problem:
    needed = f"the calculation {rules.expression or rules.calculation} needs what Asperion does not tell"
    if warehouse is None:
        return Problem(
            rule="stock.not_told",
            message=f"{needed}: {', '.join(missing)}",
            remedy="choose another stock.calculation, or name the field in names.article",
            record=sku,
            field="stock.calculation",
        )
    remedy = "choose stock.calculation: physical or available, or name the field in names.article.warehouse"
    if "reserved" in missing and rules.reservations == "orders":
        remedy += " and set stock.reservations: api (sales orders tell no warehouse)"
    return Problem(
        rule="stock.not_told_per_warehouse",
        message=f"{needed} per warehouse: {', '.join(missing)}",
        remedy=remedy,
        record=shown_as(sku, warehouse),
        field="stock.calculation",
    )


def _twice(sku: str, warehouses: list[str]) -> Problem:
    return Problem(
        rule="stock.warehouse_double",
        message=f"Asperion tells more than one stock of a warehouse: {', '.join(warehouses[:10])}",
        remedy="name the field that tells them apart in names.article.warehouse.code",
        record=sku,
        field="warehouses",
    )


def _gone(shown: str) -> Problem:
    return Problem(
        rule="stock.gone",
        message="SAP has this level, and Asperion tells other levels of the article only",
        remedy="empty it in SAP, or set gone: zero to send that nothing is there",
        record=shown,
    )
