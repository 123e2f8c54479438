"""Decides what happens to an order: create, adopt what is there, or refuse. Reads only; a plan ends here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_asperion.asperion.errors import LookupUnsupported
from airflow_provider_asperion.flows.debtors import draft_of, with_ids
from airflow_provider_asperion.flows.orders_to_asperion.articles import ArticleDesk, replaced
from airflow_provider_asperion.flows.orders_to_asperion.customers import CustomerDecider
from airflow_provider_asperion.flows.orders_to_asperion.drafts import Drafter
from airflow_provider_asperion.flows.orders_to_asperion.identity import identity_of
from airflow_provider_asperion.flows.orders_to_asperion.staged import shortened
from airflow_provider_asperion.records import Problem, ProblemError, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Debtor, DebtorDraft, Document, DocumentDraft
    from airflow_provider_asperion.flows.orders_to_asperion.customers import CustomerDecision
    from airflow_provider_asperion.flows.orders_to_asperion.identity import Identity
    from airflow_provider_asperion.flows.orders_to_asperion.live import LiveValues
    from airflow_provider_asperion.flows.orders_to_asperion.staged import StagedOrder
    from airflow_provider_asperion.records import Order
    from airflow_provider_asperion.settings import OrdersToAsperion


# An order may have been placed some time before the day that it is dated.
MARGIN = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to an order.

    :param order: with the VAT rates of the administration.
    :param existing: the document that Asperion has under this reference; then nothing else is set.
    :param draft: what is sent, but for its debtor.
    :param articles: codes whose line got another article, or none; see :func:`.articles.replaced`.
    """

    order: Order
    existing: Document | None = None
    customer: CustomerDecision | None = None
    draft: DocumentDraft | None = field(default=None, repr=False)
    articles: Mapping[str, str] = field(default_factory=dict)


class Decider:
    """Decides about the orders of one batch, looking each customer and article up once.

    :param batch: all its orders: the last one of a customer says what the debtor looks like.
    """

    def __init__(
        self,
        asperion: Asperion,
        flow: OrdersToAsperion,
        live: LiveValues,
        batch: Iterable[StagedOrder],
        *,
        today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date(),
    ) -> None:
        self._today = today
        self._asperion = asperion
        self._flow = flow
        self._live = live
        self._drafter = Drafter(live, flow.totals)
        self._articles = ArticleDesk(asperion, flow.articles)
        self.customers = CustomerDecider(asperion, flow.customer, self._debtors_of(batch))

    async def find(self, order: Order) -> Document | None:
        """Return the document that Asperion has under the order's reference (O4).

        :raises ProblemError: it has several.
        """
        since = min(order.date, self._today()) - MARGIN
        found = await self._asperion.find_documents(order.kind, order.reference, since=since)
        if len(found) > 1:
            ids = ", ".join(str(document.id) for document in found[:5])
            raise ProblemError(
                Problem(
                    rule="order.several",
                    message=f"Asperion has {len(found)} documents with this reference: {ids}",
                    remedy="cancel all but one of them in Asperion",
                    field="reference",
                )
            )
        return found[0] if found else None

    async def decide(self, order: Order) -> Decision:
        """Return what happens to an order.

        :raises ProblemError: it is refused, and why.
        :raises AsperionError: Asperion does not answer.
        """
        try:
            existing = await self.find(order)
        except LookupUnsupported:
            existing = None
        if existing is not None:
            return Decision(order, existing=existing)
        order = self._drafter.with_rates(order)
        articles = await self._articles.resolve(order)
        draft = self._drafter.draft(order, articles, self._asperion.names.document(order.kind))
        customer = await self.customers.decide(identity_of(order, self._flow.customer))
        return Decision(order, customer=customer, draft=draft, articles=replaced(order, articles))

    def _debtors_of(self, batch: Iterable[StagedOrder]) -> dict[Identity, DebtorDraft]:
        drafts: dict[Identity, DebtorDraft] = {}
        for staged in batch:
            try:
                identity = identity_of(staged.order, self._flow.customer)
                drafts[identity] = with_ids(draft_of(staged.order, self._flow.customer), self._live)
            except ProblemError:
                continue  # the order is refused for the same reason when its turn comes
        return drafts


def known_by(customer: CustomerDecision, debtor: Debtor | None = None) -> dict[str, str | int | bool | None]:
    """Return for the trail how a customer was matched and what happened to it: no values."""
    found = debtor or customer.debtor
    return {
        "matched_by": customer.identity.field,
        "collective": customer.identity.collective,
        "debtor": customer.action,
        "debtor_id": None if found is None else str(found.id),
        "fields": shortened([_difference(name, *pair) for name, pair in sorted(customer.changes.items())])
        or None,
    }


def _difference(name: str, now: str, then: str) -> str:
    """Return a field that differs with the forms of its values: a trail holds no values."""
    return f"{name}: {shape_of(now) or '(empty)'} -> {shape_of(then) or '(empty)'}"
