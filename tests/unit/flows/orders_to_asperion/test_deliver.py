"""Delivery of orders: exactly once, whatever happens in between."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from airflow_provider_asperion.asperion.errors import (
    AnswerLost,
    ConnectFailed,
    LookupUnsupported,
    Rejected,
    ServerFault,
)
from airflow_provider_asperion.asperion.models import Article, Debtor, Document
from airflow_provider_asperion.asperion.names import DocumentHabits, Habits, Names
from airflow_provider_asperion.flows.exactly_once import ExactlyOnce
from tests.support.workshop import an_order

LOST = AnswerLost("no answer", unclear=True)


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def rules(outcomes):
    return [problem.rule for outcome in outcomes for problem in outcome.problems]


@pytest.mark.feature("O4", "O5", "O8", "X2")
async def test_an_order_is_created_once_and_skipped_afterwards(workshop):
    assert states(await workshop.deliver(an_order())) == ["created"]
    assert states(await workshop.deliver(an_order(), run="run2")) == ["skipped"]
    assert len(workshop.asperion.documents) == 1
    assert [debtor.email for debtor in workshop.asperion.debtors] == ["jan@example.com"]
    (draft,) = workshop.asperion.drafts
    assert (draft.reference, draft.debtor_id, draft.lines[0].price) == ("4711", 1, Decimal("3.50"))


@pytest.mark.feature("X4")
async def test_a_task_that_runs_again_reports_its_own_orders_as_created(workshop):
    await workshop.deliver(an_order())
    assert states(await workshop.deliver(an_order())) == ["created"]
    assert len(workshop.asperion.documents) == 1


@pytest.mark.feature("O4")
async def test_an_order_that_others_placed_is_adopted(workshop):
    there = Document(kind="sales_order", id=9, reference="4711", net=Decimal("7.00"))
    workshop.asperion.documents.append(there)
    (outcome,) = await workshop.deliver(an_order())
    assert (outcome.state, outcome.asperion_id, outcome.problems) == ("adopted", "9", ())
    assert workshop.asperion.calls["create_document"] == 0
    assert workshop.asperion.calls["create_debtor"] == 0
    assert states(await workshop.deliver(an_order())) == ["adopted"]


async def test_an_adopted_order_with_another_amount_is_named(workshop):
    there = Document(kind="sales_order", id=9, reference="4711", net=Decimal("7.01"))
    workshop.asperion.documents.append(there)
    outcomes = await workshop.deliver(an_order())
    assert (states(outcomes), rules(outcomes)) == (["adopted"], ["total.placed"])


@pytest.mark.feature("O5", "X2")
@pytest.mark.pain(9)
async def test_many_orders_of_few_customers_make_few_debtors(workshop):
    orders = [
        an_order(
            str(n),
            email=f" Klant{n % 5}@Example.com" if n % 2 else f"klant{n % 5}@example.com",
            position=n + 1,
        )
        for n in range(100)
    ]
    assert set(states(await workshop.deliver(*orders))) == {"created"}
    assert len(workshop.asperion.documents) == 100
    assert len(workshop.asperion.debtors) == 5
    assert workshop.asperion.calls["find_article"] == 1


@pytest.mark.feature("X2")
@pytest.mark.parametrize("stored", [True, False], ids=["after saving", "before saving"])
@pytest.mark.parametrize("call", ["create_document", "create_debtor"])
@pytest.mark.parametrize("error", [LOST, ServerFault("500", unclear=True)], ids=["lost", "500"])
@pytest.mark.pain(1)
async def test_an_unclear_answer_is_read_back(workshop, call, stored, error):
    workshop.asperion.faults[call] = [(error, stored)]
    assert states(await workshop.deliver(an_order())) == ["created"]
    assert (len(workshop.asperion.documents), len(workshop.asperion.debtors)) == (1, 1)


@pytest.mark.feature("X2")
@pytest.mark.pain(1)
async def test_without_reading_back_there_would_be_two(workshop, monkeypatch):
    async def blind(self, key, find):
        return None

    monkeypatch.setattr(ExactlyOnce, "_look", blind)
    workshop.asperion.faults["create_document"] = [(LOST, True)]
    await workshop.deliver(an_order())
    assert len(workshop.asperion.documents) == 2


@pytest.mark.feature("X2")
async def test_an_answer_that_stays_unclear_is_pending_and_found_by_the_next_run(workshop):
    workshop.asperion.faults["create_document"] = [(LOST, False), (LOST, False), (LOST, True)]
    assert states(await workshop.deliver(an_order())) == ["pending"]
    assert states(await workshop.deliver(an_order(), run="run2")) == ["created"]
    assert len(workshop.asperion.documents) == 1


@pytest.mark.feature("X2")
async def test_where_asperion_cannot_be_asked_an_unclear_post_is_held_for_a_person(workshop):
    habits = Habits(sales_order=DocumentHabits(lookup="ledger"))
    workshop.asperion.names = Names(habits=habits)
    unsupported = (LookupUnsupported("cannot be asked"), False)
    workshop.asperion.faults["find_documents"] = [unsupported] * 9
    assert states(await workshop.deliver(an_order("1"))) == ["created"]
    workshop.asperion.faults["create_document"] = [(LOST, True)]
    outcomes = await workshop.deliver(an_order("2"))
    assert (states(outcomes), rules(outcomes)) == (["pending"], ["order.unclear"])
    assert workshop.asperion.calls["create_document"] == 2


class Killed(BaseException):
    """The worker is gone: nothing more of it runs."""


@pytest.mark.feature("X2")
@pytest.mark.parametrize("point", ["before the post", "after the post", "after the debtor"])
async def test_killed_and_run_again(workshop, point, monkeypatch):
    real = workshop.asperion.create_document

    async def killed(kind, draft, **arguments):
        if point == "after the post":
            await real(kind, draft, **arguments)
        raise Killed

    call = "create_document"
    if point == "after the debtor":
        real_debtor = workshop.asperion.create_debtor

        async def killed(draft, **arguments):
            await real_debtor(draft, **arguments)
            raise Killed

        call = "create_debtor"
    with monkeypatch.context() as patch, pytest.raises(BaseExceptionGroup):
        patch.setattr(workshop.asperion, call, killed)
        # What a killed worker would not do either: give back what it holds.
        patch.setattr("airflow_provider_asperion.ledger.queue.LedgerQueue.release", no_release)
        await workshop.deliver(an_order())
    assert states(await workshop.deliver(an_order())) == ["created"]
    assert (len(workshop.asperion.documents), len(workshop.asperion.debtors)) == (1, 1)


async def no_release(self, session, keys):
    return None


@pytest.mark.feature("X2")
async def test_two_runs_at_once(workshop):
    orders = [an_order(str(n), email=f"k{n % 3}@example.com", position=n + 1) for n in range(30)]
    outcomes = await asyncio.gather(
        *(workshop.deliver(*orders, run=f"run{n}", sleep=asyncio.sleep) for n in range(3))
    )
    assert len(workshop.asperion.documents) == 30
    assert len(workshop.asperion.debtors) == 3
    assert sum(states(one).count("created") for one in outcomes) == 30
    assert sum(states(one).count("skipped") for one in outcomes) == 60


@pytest.mark.feature("X2")
@pytest.mark.parametrize(("policy", "state"), [("refuse", "refused"), ("skip", "skipped")])
async def test_the_same_number_with_other_content(workshop, policy, state):
    await workshop.deliver(an_order())
    changed = an_order(content="other")
    outcomes = await workshop.deliver(changed, run="run2", delivery={"changed_order": policy})
    assert states(outcomes) == [state]
    assert len(workshop.asperion.documents) == 1


async def test_doubles_in_one_batch_wait_for_each_other(workshop):
    outcomes = await workshop.deliver(
        an_order(),
        an_order(claim="c2"),
        an_order(claim="c3", content="other"),
        an_order("4712", claim="c3", position=2),
    )
    assert states(outcomes) == ["created", "skipped", "refused", "created"]


@pytest.mark.feature("O7", "O8")
@pytest.mark.parametrize("missing", ["reject", "fallback", "text"])
async def test_a_missing_article(workshop, missing):
    lines = [
        {"number": "10", "sku": "A1", "quantity": "1", "price": "1.00"},
        {"number": "20", "sku": "NONE", "description": "A thing", "quantity": "1", "price": "2.00"},
    ]
    outcomes = await workshop.deliver(an_order(lines=lines), articles={"missing": missing, "fallback": "A3"})
    if missing == "reject":
        assert (states(outcomes), rules(outcomes)) == (["refused"], ["article.missing"])
        assert outcomes[0].problems[0].field == "lines.20.sku"
        assert workshop.asperion.debtors == [], "a refused order makes no debtor"
        return
    assert states(outcomes) == ["created"]
    line = workshop.asperion.drafts[0].lines[1]
    assert line.article_code == ("A3" if missing == "fallback" else None)
    assert line.description == "NONE A thing"


@pytest.mark.feature("O7")
async def test_an_inactive_article(workshop):
    workshop.asperion.articles = [Article(id=1, code="A1", active=False)]
    outcomes = await workshop.deliver(an_order())
    assert rules(outcomes) == ["article.inactive"]
    assert states(await workshop.deliver(an_order(), articles={"inactive": "accept"})) == ["created"]


@pytest.mark.feature("O5")
async def test_a_debtor_that_differs_is_updated(workshop):
    there = Debtor(
        id=5, customer_number="D5", name="Jan Jansen", email=" JAN@example.com", city="Ede", phone="06"
    )
    workshop.asperion.debtors.append(there)
    await workshop.deliver(an_order())
    (debtor,) = workshop.asperion.debtors
    assert (debtor.city, debtor.address, debtor.phone) == ("Utrecht", "Kerkstraat 1", "06")
    before = workshop.asperion.calls["update_debtor"]
    await workshop.deliver(an_order("4712"))
    assert workshop.asperion.calls["update_debtor"] == before, "nothing differs now"


@pytest.mark.feature("O5")
async def test_update_can_be_switched_off_and_fields_kept(workshop):
    workshop.asperion.debtors.append(Debtor(id=5, name="J", email="jan@example.com", city="Ede"))
    await workshop.deliver(an_order("1"), customer={"update": False})
    assert workshop.asperion.debtors[0].city == "Ede"
    await workshop.deliver(an_order("2"), customer={"keep": ("city",)})
    assert (workshop.asperion.debtors[0].city, workshop.asperion.debtors[0].name) == ("Ede", "Jan Jansen")


@pytest.mark.feature("O5")
@pytest.mark.pain(9)
async def test_several_debtors_and_blocked_ones(workshop):
    for id_ in (12, 7):
        workshop.asperion.debtors.append(Debtor(id=id_, customer_number=f"N{id_}", email="jan@example.com"))
    outcomes = await workshop.deliver(an_order())
    assert rules(outcomes) == ["customer.several"]
    assert "N12, N7" in outcomes[0].problems[0].message
    await workshop.deliver(an_order(), customer={"several": "oldest"})
    assert workshop.asperion.drafts[0].debtor_id == 7
    workshop.asperion.debtors[:] = [Debtor(id=1, email="jan@example.com", blocked=True)]
    assert rules(await workshop.deliver(an_order("2"))) == ["customer.blocked"]


@pytest.mark.feature("O6")
async def test_company_and_person(workshop):
    company = {"company": "Jansen B.V.", "person": "Jan", "email": "info@example.com"}
    await workshop.deliver(an_order("1"), an_order("2", customer=company, position=2))
    person, firm = sorted(workshop.asperion.debtors, key=lambda debtor: debtor.name or "")
    assert (person.name, person.attention_to, person.kind) == ("Jan Jansen", None, "C")
    assert (firm.name, firm.attention_to, firm.kind) == ("Jansen B.V.", "Jan", "B")


@pytest.mark.feature("O12")
async def test_the_collective_debtor(workshop):
    rules_ = {"collective": {"customer_number": "999", "channels": ["shop"]}}
    nameless = {"person": "Iemand"}
    outcomes = await workshop.deliver(an_order("1", customer=nameless), customer=rules_)
    assert rules(outcomes) == ["customer.absent"]
    workshop.asperion.debtors.append(Debtor(id=3, customer_number="999", name="Webshop"))
    orders = [
        an_order("1", customer=nameless),
        an_order("2", channel="SHOP", position=2),
        an_order("3", position=3),
    ]
    await workshop.deliver(*orders, customer=rules_)
    booked = {draft.reference: draft.debtor_id for draft in workshop.asperion.drafts}
    assert booked["1"] == booked["2"] == 3 != booked["3"]
    assert workshop.asperion.debtors[0].name == "Webshop", "the collective debtor is never updated"


@pytest.mark.feature("O5")
@pytest.mark.pain(7)
async def test_without_identity_the_order_is_refused_with_the_remedy(workshop):
    (outcome,) = await workshop.deliver(an_order(customer={"person": "Iemand"}))
    assert outcome.problems[0].rule == "customer.no_identity"
    assert "collective" in outcome.problems[0].remedy


@pytest.mark.feature("O10")
@pytest.mark.parametrize(
    ("field", "value"),
    [("payment_condition", "31"), ("payment_method", "cash"), ("sales_type", "9"), ("journal", "1")],
)
async def test_values_are_checked_against_the_live_administration(workshop, field, value):
    (outcome,) = await workshop.deliver(an_order(**{field: value}))
    assert (outcome.state, outcome.problems[0].rule, outcome.problems[0].field) == (
        "refused",
        "value.unknown",
        field,
    )
    assert workshop.asperion.documents == workshop.asperion.debtors == []


@pytest.mark.feature("O8")
async def test_refused_by_asperion_and_mended(workshop):
    workshop.asperion.faults["create_document"] = [(Rejected("no", status=400), False)]
    outcomes = await workshop.deliver(an_order())
    assert (states(outcomes), rules(outcomes)) == (["refused"], ["asperion.rejected"])
    assert states(await workshop.deliver(an_order(), run="run2")) == ["created"]


async def test_no_connection_leaves_the_order_pending(workshop):
    workshop.asperion.faults["find_documents"] = [(ConnectFailed("no"), False)]
    outcomes = await workshop.deliver(an_order(), an_order("4712", position=2))
    assert sorted(states(outcomes)) == ["created", "pending"]
    assert [problem.transient for outcome in outcomes for problem in outcome.problems] == [True]


async def test_full_looks_again_and_names_what_is_gone(workshop):
    await workshop.deliver(an_order())
    assert states(await workshop.deliver(an_order(), full=True, run="run2")) == ["skipped"]
    workshop.asperion.documents.clear()
    outcomes = await workshop.deliver(an_order(), full=True, run="run3")
    assert (states(outcomes), rules(outcomes)) == (["skipped"], ["order.gone"])
    assert workshop.asperion.calls["create_document"] == 1


async def test_a_debtor_deleted_by_hand_is_created_anew(workshop):
    await workshop.deliver(an_order("1"))
    workshop.asperion.debtors.clear()
    await workshop.deliver(an_order("2"))
    await workshop.deliver(an_order("3"))
    assert len(workshop.asperion.debtors) == 1
