"""Orders and invoices of Asperion: what travels, whose they are, and that their sums tie to the cent."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_asperion.asperion.errors import NotFound
from airflow_provider_asperion.asperion.models import Debtor, DocumentDetail, DocumentLine, VatCode
from airflow_provider_asperion.flows.to_sap.orders import OrderSource, order_of, refuse_untied
from airflow_provider_asperion.records import ProblemError
from airflow_provider_asperion.settings import OrdersToSap

pytestmark = pytest.mark.feature("O1")
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
DEBTOR = Debtor(id=7, customer_number="10007", name="De Molen", attention_to="P. Smit", kind="B")


def a_line(amount, **values):
    return DocumentLine(article_code="A-1", quantity=1, amount=amount, vat_code="V21", **values)


def a_document(**changes):
    values = {
        "kind": "sales_order",
        "id": 5,
        "number": "VO5",
        "reference": "PO-7",
        "debtor_id": 7,
        "status": "2",
    }
    values |= {"date": "2026-11-02T00:00:00", "lines": (a_line("7.50"), a_line("-2.50")), "net": "5.00"}
    return DocumentDetail.model_validate(values | changes)


class Asperion:
    async def vat_codes(self):
        return [VatCode(id="V21", percentage=Decimal(21)), VatCode(id="V0")]

    async def get_debtor(self, key):
        if key != DEBTOR.id:
            raise NotFound("no such debtor", method="GET", path="/")
        return DEBTOR

    async def find_debtors(self, field, value):
        return [DEBTOR] if value == DEBTOR.customer_number else [DEBTOR, DEBTOR]


async def observed(document, *, came_from_sap=lambda reference: False, **flow):
    source = OrderSource(OrdersToSap(**flow), came_from_sap)
    await source.prepare(Asperion())
    return [one.values() for one in await source.observe(document, NOON)]


async def test_a_document_with_its_debtor_rates_and_totals():
    (order,) = await observed(a_document(vat="1.05", gross="6.05"))
    assert (order["reference"], order["customer_reference"], order["currency"]) == ("VO5", "PO-7", "EUR")
    assert order["customer"]["number"] == "10007"
    assert [line["vat_rate"] for line in order["lines"]] == [21, 21]
    assert order["control"] == {
        "line_count": 2, "net": Decimal("5.00"), "vat": Decimal("1.05"), "gross": Decimal("6.05"),
    }  # fmt: skip


@pytest.mark.feature("O2")
@pytest.mark.parametrize(
    ("chosen", "travels"),
    [({"status": ["7"]}, False), ({"status": ["2"]}, True), ({"not_status": ["2"]}, False)],
)
async def test_only_statuses_that_the_settings_let_through(chosen, travels):
    assert bool(await observed(a_document(), filter=chosen)) is travels


async def test_what_sap_sent_itself_does_not_go_back_unless_asked_for():
    known = {"came_from_sap": {"PO-7"}.__contains__}
    assert await observed(a_document(), **known) == []
    assert await observed(a_document(), **known, from_sap="send")
    assert await observed(a_document(reference="PO-8"), **known)


async def test_a_debtor_by_its_number_one_that_is_gone_and_one_that_is_not_clear():
    by_number = {"debtor_id": None, "debtor_customer_number": "10007"}
    assert (await observed(a_document(**by_number)))[0]["customer"]["number"] == "10007"
    assert (await observed(a_document(debtor_id=8)))[0].get("customer", {}).get("number") is None
    several = {"debtor_id": None, "debtor_customer_number": "77"}
    (order,) = await observed(a_document(**several))
    assert (order["customer"]["number"], "person" in order["customer"]) == ("77", False)


async def test_who_is_a_company_and_the_currency_are_settings():
    (order,) = await observed(a_document(), company_kind="B", currency="SEK")
    assert (order["customer"]["company"], order["customer"]["person"]) == ("De Molen", "P. Smit")
    assert order["currency"] == "SEK"
    assert (await observed(a_document(currency="USD"), currency="SEK"))[0]["currency"] == "USD"


@pytest.mark.feature("O9")
async def test_an_invoice_line_without_quantity_is_one_piece_at_its_amount():
    lines = (DocumentLine(amount="5.00", description="Werk", vat_code="V0"),)
    (order,) = await observed(a_document(kind="sales_invoice", lines=lines), kind="sales_invoice")
    (line,) = order["lines"]
    assert (line["quantity"], line["price"], line["text"]) == (1, Decimal("5.00"), True)


async def test_lines_that_do_not_add_up_are_refused_unless_the_settings_send_them():
    wrong = a_document(net="5.01")
    with pytest.raises(ProblemError) as caught:
        await observed(wrong)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.record) == ("order.untied", "VO5")
    assert "5.01" in problem.message
    assert "5.00" in problem.message
    assert await observed(wrong, check_totals=False)


@pytest.mark.parametrize("changes", [{"net": None}, {"lines": (a_line(None, price="9"), a_line("1"))}])
async def test_what_asperion_does_not_tell_is_not_compared(changes):
    assert await observed(a_document(**changes))


@given(
    st.lists(st.decimals(-9999, 9999, places=2), min_size=1, max_size=20),
    st.sampled_from(["0.01", "-0.01", "0"]),
)
def test_sums_are_compared_to_the_cent(amounts, off):
    total = sum(amounts, Decimal(0)) + Decimal(off)
    document = a_document(lines=tuple(a_line(amount) for amount in amounts), net=total)
    order = order_of(document, DEBTOR, {}, OrdersToSap())
    if off == "0":
        refuse_untied(order)
    else:
        with pytest.raises(ProblemError):
            refuse_untied(order)
