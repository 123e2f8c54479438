"""Our own client against the sandbox: what it writes it finds again, through faults too."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal

import aiohttp
import pytest

from airflow_provider_asperion.asperion import (
    Asperion,
    AsperionClient,
    AsperionError,
    ClientOptions,
    MemoryTokenStore,
    OAuth,
    OAuthSettings,
    RetryPolicy,
    StaticToken,
)
from airflow_provider_asperion.asperion.models import DebtorDraft, DocumentDraft, LineDraft
from airflow_provider_asperion.sandbox import Sandbox, schema

pytestmark = pytest.mark.feature("X1")


@pytest.fixture
def box():
    with Sandbox() as box:
        yield box


@pytest.fixture
async def asperion(box):
    options = ClientOptions(total_timeout=2, retry=RetryPolicy(first_wait=0.01, longest_wait=0.05))
    async with aiohttp.ClientSession() as session:
        yield Asperion(
            AsperionClient(
                session,
                base_url=box.url,
                administration=1,
                auth=StaticToken(box.access_token),
                options=options,
            )
        )


def order(**changes):
    values = {
        "reference": "4500001",
        "debtor_id": 100001,
        "date": dt.date(2026, 1, 31),
        "lines": (
            LineDraft(article_code="SKU-00001", quantity=Decimal(3), price=Decimal("1.255"), vat_code="V21"),
        ),
    }
    return DocumentDraft(**{**values, **changes})


async def test_a_debtor_and_an_order_are_created_and_found_again(box, asperion):
    draft = DebtorDraft(
        name="Proef B.V.", email="Proef@Example.org", kind="B", payment_condition="30", country="NL"
    )
    debtor = await asperion.create_debtor(draft)
    assert [one.id for one in await asperion.find_debtors("email", "proef@example.ORG ")] == [debtor.id]
    (article,) = await asperion.find_article("SKU-00001")
    made = await asperion.create_document("sales_order", order(debtor_id=debtor.id))
    (found,) = await asperion.find_documents("sales_order", "4500001")
    assert found == made
    assert (made.net, made.vat, made.gross) == (Decimal("3.77"), Decimal("0.79"), Decimal("4.56"))
    assert (made.debtor_customer_number, made.line_count) == (debtor.customer_number, 1)
    (after,) = await asperion.find_article("SKU-00001")
    assert after.current_stock == article.current_stock - 3
    assert await asperion.get_document("sales_order", made.id) == made


async def test_an_invoice_is_created_and_found_by_its_number(asperion):
    line = LineDraft(amount=Decimal("12.50"), vat_code="V9", ledger_account="8010", description="goods")
    draft = DocumentDraft(
        reference="INV1",
        debtor_customer_number="10001",
        date=dt.date(2026, 1, 31),
        journal="70",
        lines=(line,),
    )
    await asperion.create_document("sales_invoice", draft, validate_only=True)
    assert await asperion.find_documents("sales_invoice", "INV1") == []
    made = await asperion.create_document("sales_invoice", draft)
    assert await asperion.find_documents("sales_invoice", "INV1") == [made]
    assert (made.status, made.gross) == (1, Decimal("13.63"))


async def test_a_debtor_is_changed_whole(asperion):
    before = await asperion.get_debtor(100001)
    after = await asperion.update_debtor(100001, {"city": "Zwolle"})
    assert await asperion.get_debtor(100001) == after.model_copy(
        update={"date_changed": (await asperion.get_debtor(100001)).date_changed}
    )
    assert (after.city, after.email, after.address) == ("Zwolle", before.email, before.address)


async def test_traps_of_the_seed_are_seen_through(box, asperion):
    assert [one.id for one in await asperion.find_debtors("email", "inkoop@example.nl")] == [100041]
    capitals = box.state.administration()[schema.DEBTORS].rows[100007].values["emailAddress"]
    assert capitals == capitals.upper()
    assert [one.id for one in await asperion.find_debtors("email", capitals.lower())] == [100007]
    (inactive,) = await asperion.find_article("SKU-00040")
    assert inactive.active is False
    assert len([item async for item in asperion.client.items("/v1/debtors")]) == 400


async def test_the_lists_to_choose_from(asperion):
    assert [one.id for one in await asperion.administrations()] == [1, 2]
    assert {one.id for one in await asperion.vat_codes() if one.sales} == {"V21", "V9", "V0"}
    assert {one.id for one in await asperion.payment_conditions()} == {14, 30, 60}
    assert {one.id for one in await asperion.payment_methods()} == {"bank", "ideal", "creditcard"}
    assert {one.id for one in await asperion.journals()} == {"70", "90"}
    assert {one.id for one in await asperion.debtor_kinds()} == {"B", "C"}
    assert {one.id for one in await asperion.sales_types()} == {"HOOG", "LAAG", "NUL"}
    assert 8000 in {one.id for one in await asperion.ledger_accounts()}


@pytest.mark.parametrize("kind", ["lost_answer", "error_after_saving", "cut_body", "broken_json"])
async def test_an_unclear_post_is_called_unclear_and_found(box, asperion, kind):
    box.fault(kind, method="POST", count=1)
    with pytest.raises(AsperionError) as error:
        await asperion.create_document("sales_order", order())
    assert error.value.unclear
    assert len(await asperion.find_documents("sales_order", "4500001")) == 1
    assert len(box.summary()["orders"]) == 1


async def test_refusals_before_saving_are_waited_out(box, asperion):
    rule = box.fault("too_many_requests", method="POST", count=2, retry_after=0)
    await asperion.create_document("sales_order", order())
    assert (rule.fired, len(box.summary()["orders"])) == (2, 1)


async def test_the_client_logs_in_by_rotating_tokens(box):
    box.box.switches.expires_in = 1
    settings = OAuthSettings(
        client_id=box.client_id,
        client_secret=box.client_secret,
        authorize_url=f"{box.url}/connect/authorize",
        token_url=f"{box.url}/connect/token",
    )
    auth = OAuth(settings, MemoryTokenStore(), name="sandbox", first_refresh_token=box.refresh_token)
    async with aiohttp.ClientSession() as session:
        client = AsperionClient(session, base_url=box.url, administration=1, auth=auth)
        await asyncio.gather(*(Asperion(client).vat_codes() for _ in range(10)))
        assert auth.renewals == 1
        await asyncio.sleep(1.1)
        await Asperion(client).vat_codes()
        box.fault("token_expiry", count=1)
        await Asperion(client).vat_codes()
    assert auth.renewals == 3
