"""Articles of Asperion as products (P1, P3 to P5): price with and without VAT, EAN checked."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import Forbidden, NotFound
from airflow_provider_asperion.asperion.vat import vat_in_force
from airflow_provider_asperion.flows.gtin import checked_ean
from airflow_provider_asperion.flows.to_sap.observed import Observed
from airflow_provider_asperion.mapping.values import text_of
from airflow_provider_asperion.records import Problem, ProblemError, Product

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.models import Article, SalesType, VatCode
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.settings import PriceRules, ProductsToSap


# What of a product is known by its VAT code only.
OF_VAT = ("price_gross", "vat_rate", "vat_code")


class ProductSource:
    """The list of articles.

    :param today: the day whose VAT codes are in force.
    :param needs_vat: something of :data:`OF_VAT` travels.
    """

    flow_name = "products_to_sap"

    def __init__(self, flow: ProductsToSap, today: dt.date, *, needs_vat: bool = False) -> None:
        self._flow = flow
        self._today = today
        self._needs_vat = needs_vat
        self._vat_codes: list[VatCode] = []
        self._sales_types: list[SalesType] = []
        self._inactive: set[str] = set()

    async def prepare(self, asperion: Asperion) -> None:
        """Read VAT codes and sales types; without them there are no prices with VAT.

        :raises AsperionError: they cannot be read, and such prices travel: they would look emptied to SAP.
        """
        try:
            self._vat_codes = await asperion.vat_codes()
            self._sales_types = await asperion.sales_types()
        except (NotFound, Forbidden):
            if self._needs_vat and self._flow.prices.without_vat == "refuse":
                raise

    def walk(
        self, asperion: Asperion, changed: Interval | None, on_problem: OnProblem
    ) -> AsyncIterator[Article]:
        """Walk the articles, active or not."""
        return asperion.articles(changed, on_problem=on_problem)

    def shown(self, item: Article) -> str:
        """Return how people find an entry."""
        return item.code

    async def observe(self, item: Article, at: dt.datetime) -> list[Observed]:
        """Return an article as a product; nothing for an inactive one, unless the settings send those.

        :raises ProblemError: it breaks a rule.
        """
        if item.active is False and self._flow.inactive != "flag":
            return []
        vat = self._vat_of(item)
        if vat is None and self._needs_vat and item.price is not None and item.active is not False:
            self._refuse_without_vat(item)
        product = product_of(item, self._flow, vat)
        return [Observed.of("product", product, key=item.code, shown=item.code, observed_at=at)]

    def ended(self, item: Article) -> bool:
        """Whether an article is inactive, and the settings want to know."""
        if item.active is not False or self._flow.inactive != "report":
            return False
        self._inactive.add(item.code)
        return True

    def doubles(self) -> dict[str, Problem]:
        """Return nothing: Asperion keeps article codes apart."""
        return {}

    def gone(self, key: str, at: dt.datetime) -> Observed | Problem | None:
        """Return the record that flags a SKU as gone, or what to report of it."""
        if key in self._inactive:
            return Problem(
                rule="product.inactive",
                message="SAP has this SKU, and in Asperion it is inactive now",
                remedy="close it in SAP, or set inactive: flag to send it with the deletion flag",
                record=key,
            )
        if self._flow.gone == "flag":
            flagged = Product(sku=key, active=False)
            return Observed.of("product", flagged, key=key, shown=key, observed_at=at, gone=True)
        return Problem(
            rule="product.gone",
            message="SAP has this SKU, Asperion has it no more",
            remedy="close it in SAP, or set gone: flag to send it with the deletion flag",
            record=key,
        )

    def _refuse_without_vat(self, article: Article) -> None:
        if self._flow.prices.without_vat == "refuse":
            raise ProblemError(
                Problem(
                    rule="product.no_vat",
                    message=f"no VAT code is in force for the article on {self._today}, and its price with "
                    "VAT is to travel",
                    remedy="give it one in Asperion, name that of its sales type in prices.vat_codes, or set "
                    "prices.without_vat: drop",
                    record=article.code,
                    field="price_gross",
                )
            )

    def _vat_of(self, article: Article) -> VatCode | None:
        chosen = article.vat_code or self._flow.prices.vat_codes.get(str(article.sales_type))
        return vat_in_force(
            self._vat_codes,
            self._today,
            vat_code=chosen,
            sales_type=article.sales_type,
            sales_types=self._sales_types,
        )


def product_of(article: Article, flow: ProductsToSap, vat: VatCode | None) -> Product:
    """Return an article as a product.

    :param vat: its VAT code in force; None: no price with VAT is sent.
    :raises ProblemError: its EAN is wrong, and the settings refuse such articles.
    """
    vat_code, vat_rate = (None, None) if vat is None else (str(vat.id), vat.percentage)
    net = None if article.price is None else rounded(article.price, flow.prices)
    ean = checked_ean(
        article.ean, wrong=flow.wrong_ean, setting="wrong_ean", record=article.code, source="Asperion"
    )
    return Product(
        sku=article.code,
        title=text_of(article.description),
        short_description=text_of(article.description),
        long_description=text_of(article.long_description),
        price_net=net,
        price_gross=None
        if article.price is None or vat_rate is None
        else rounded(article.price * (100 + vat_rate) / 100, flow.prices),
        vat_code=vat_code,
        vat_rate=vat_rate,
        currency=flow.prices.currency,
        ean=ean,
        gtin14=None if ean is None else ean.zfill(14),
        unit=text_of(article.unit),
        sales_type=text_of(article.sales_type),
        quantity=article.current_stock,
        active=article.active is not False,
        characteristics=tuple(text_of(value) for value in article.characteristics),
        custom={name: text for name, value in article.custom.items() if (text := text_of(value))},
    )


def rounded(amount: Decimal, rules: PriceRules) -> Decimal:
    """Round a price as the settings say."""
    with localcontext() as context:
        context.prec = 50
        return amount.quantize(
            Decimal(1).scaleb(-rules.decimals),
            rounding=ROUND_HALF_UP if rules.half == "up" else ROUND_HALF_EVEN,
        )
