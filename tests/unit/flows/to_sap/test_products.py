"""Articles as products: prices with VAT to the cent, EAN checked, attributes kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.errors import Forbidden
from airflow_provider_asperion.asperion.models import Article, VatCode
from airflow_provider_asperion.flows.gtin import is_gtin
from airflow_provider_asperion.flows.to_sap.products import OF_VAT, ProductSource, product_of
from airflow_provider_asperion.mapping.to_sap import SapMapping
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.sandbox.seed import ean13
from airflow_provider_asperion.settings import PriceRules, ProductsToSap

DAY = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
V21 = VatCode(id="V21", percentage=Decimal(21))


def article(**values):
    return Article(id=1, code="SKU-1", description="Pen", price=Decimal("1.005"), **values)


@pytest.mark.feature("P5")
def test_price_without_and_with_vat_by_the_rounding_of_the_settings():
    product = product_of(article(), ProductsToSap(), V21)
    assert (product.price_net, product.price_gross) == (Decimal("1.01"), Decimal("1.22"))
    even = ProductsToSap(prices=PriceRules(half="even"))
    assert product_of(article(), even, V21).price_net == Decimal("1.00")
    exact = ProductsToSap(prices=PriceRules(decimals=4))
    assert product_of(article(), exact, V21).price_gross == Decimal("1.2161")


@pytest.mark.feature("P5")
def test_without_a_vat_code_in_force_there_is_no_price_with_vat():
    product = product_of(article(), ProductsToSap(), None)
    assert (product.price_gross, product.vat_rate) == (None, None)


@pytest.mark.feature("P5")
@pytest.mark.parametrize("text", ["4006381333931", "96385074", "036000291452", "00012345600012"])
def test_right_gtins(text):
    assert is_gtin(text)


@given(st.integers(1, 10**9), st.integers(0, 9))
def test_one_check_digit_of_ten_is_right(number, digit):
    right = ean13(number)
    assert is_gtin(right[:-1] + str(digit)) == (right[-1] == str(digit))


@pytest.mark.feature("P5")
def test_a_wrong_ean_is_refused_by_name_or_dropped_by_setting():
    with pytest.raises(ProblemError) as caught:
        product_of(article(ean="4006381333930"), ProductsToSap(), V21)
    problem = caught.value.problem
    assert (problem.rule, problem.record, problem.field) == ("product.ean", "SKU-1", "ean")
    assert "4006381333930" not in str(problem)
    assert product_of(article(ean="4006381333930"), ProductsToSap(wrong_ean="drop"), V21).ean is None


@pytest.mark.feature("P4")
def test_characteristics_and_custom_fields_come_along():
    found = product_of(
        article(characteristics=("Rood", " ", None), custom={"herkomst": "NL", "leeg": None}),
        ProductsToSap(),
        V21,
    )
    assert found.characteristics == ("Rood", None, None)
    assert found.custom == {"herkomst": "NL"}


@pytest.mark.feature("P5")
def test_an_ean_in_the_form_of_14_digits():
    product = product_of(article(ean="4006381333931"), ProductsToSap(), None)
    assert (product.ean, product.gtin14) == ("4006381333931", "04006381333931")
    assert product_of(article(ean=None), ProductsToSap(), None).gtin14 is None


class Vat:
    """Asperion's VAT codes, or why they cannot be read."""

    def __init__(self, *codes, error=None):
        self._codes, self._error = list(codes), error

    async def vat_codes(self):
        if self._error is not None:
            raise self._error
        return self._codes

    async def sales_types(self):
        return []


async def observed(vat, *, needs_vat, **flow):
    source = ProductSource(ProductsToSap(**flow), DAY.date(), needs_vat=needs_vat)
    await source.prepare(vat)
    (found,) = await source.observe(article(vat_code="V21"), DAY)
    return found.values().get("price_gross")


@pytest.mark.feature("P5")
async def test_a_price_with_vat_that_cannot_be_told_is_never_taken_for_emptied():
    """It would travel as an update that empties the price of each article."""
    old = V21.model_copy(update={"valid_until": "2026-11-22"})
    assert await observed(Vat(V21), needs_vat=True) == Decimal("1.22")
    with pytest.raises(ProblemError, match="no VAT code is in force for the article on 2026-11-23"):
        await observed(Vat(old), needs_vat=True)
    assert await observed(Vat(old), needs_vat=False) is None
    assert await observed(Vat(old), needs_vat=True, prices={"without_vat": "drop"}) is None
    refused = Vat(error=Forbidden("no right", method="GET", path="/"))
    with pytest.raises(Forbidden):
        await observed(refused, needs_vat=True)
    assert await observed(refused, needs_vat=False) is None


def test_whether_a_mapping_needs_the_vat_code():
    assert SapMapping.load("products_csv").mentions(*OF_VAT)
    assert not SapMapping.load("products_matmas05").mentions(*OF_VAT)
    own = {"E1MARAM.GROES": {"value": "vat_rate ~ '%'"}}
    assert SapMapping.load("products_matmas05", own).mentions(*OF_VAT)
