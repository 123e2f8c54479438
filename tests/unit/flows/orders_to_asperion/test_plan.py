"""The plan says what would happen and writes nothing (X3)."""

from __future__ import annotations

import pytest

from airflow_provider_asperion.asperion.models import Debtor, Document
from airflow_provider_asperion.flows.orders_to_asperion.plan import PlanSummary, plan
from airflow_provider_asperion.ledger import Ledger
from tests.support.workshop import a_flow, an_order

pytestmark = pytest.mark.feature("X3")


async def planned(workshop, *orders, **flow):
    ledger = Ledger.open(workshop.url, create=True)
    try:
        return await plan(
            orders, flow=a_flow(**flow), asperion=workshop.asperion, ledger=ledger, administration="1"
        )
    finally:
        ledger.close()


async def test_what_would_happen_to_each_order(workshop):
    await workshop.deliver(an_order("done"))
    workshop.asperion.documents.append(Document(kind="sales_order", id=50, reference="there"))
    line = {"number": "10", "sku": "NONE", "quantity": "1", "price": "1"}
    orders = [
        an_order("done"),
        an_order("there", position=2),
        an_order("new", email="new@example.com", position=3),
        an_order("bad", lines=[line], position=4),
    ]
    before = dict(workshop.asperion.calls)
    entries = await planned(workshop, *orders)
    assert [entry.action for entry in entries] == ["skip", "adopt", "create", "refuse"]
    assert entries[2].customer == "create"
    assert entries[3].problems[0].rule == "article.missing"
    assert len(workshop.asperion.documents) == 2
    assert len(workshop.asperion.debtors) == 1
    assert workshop.asperion.calls["update_debtor"] == before.get("update_debtor", 0)
    assert PlanSummary.of(entries).actions == {"skip": 1, "adopt": 1, "create": 1, "refuse": 1}


async def test_an_update_is_shown_field_by_field_and_masked_for_logs(workshop):
    workshop.asperion.debtors.append(Debtor(id=5, name="Jan Jansen", email="jan@example.com", city="Ede"))
    (entry,) = await planned(workshop, an_order())
    changes = {change.field: change for change in entry.changes}
    city = changes["customer.city"]
    assert (entry.customer, city.now, city.then) == ("update", "Ede", "Utrecht")
    assert city.masked() == "customer.city: Aaa -> Aaaaaaa"
    assert "Utrecht" not in repr(entry)


async def test_an_order_that_came_again_with_other_content_is_refused_as_in_delivery(workshop):
    await workshop.deliver(an_order("done"))
    again = an_order("done", content="other")
    (entry,) = await planned(workshop, again)
    (outcome,) = await workshop.deliver(again)
    assert (entry.action, outcome.state) == ("refuse", "refused")
    assert entry.problems[0].rule == outcome.problems[0].rule == "order.changed"
    assert entry.asperion_id == outcome.asperion_id
    (entry,) = await planned(workshop, again, delivery={"changed_order": "skip"})
    assert entry.action == "skip"
