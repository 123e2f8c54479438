"""Asperion in memory, with the calls a flow makes: for tests of the rules, without HTTP.

It allows duplicates, as the real one may: what prevents them is what is tested.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from types import SimpleNamespace

from airflow_provider_asperion.asperion.errors import NotFound
from airflow_provider_asperion.asperion.matching import same_debtor_value
from airflow_provider_asperion.asperion.models import (
    Article,
    Debtor,
    DebtorKind,
    Document,
    Journal,
    LedgerAccount,
    PaymentCondition,
    PaymentMethod,
    SalesType,
    VatCode,
)
from airflow_provider_asperion.asperion.names import Names
from airflow_provider_asperion.records.money import round_cents


class FakeAsperion:
    """One administration.

    :ivar faults: name of a call to errors raised by its next calls, as (error, stored before it is raised).
    """

    def __init__(self, articles=("A1", "A2", "A3")):
        self.names = Names()
        self.client = SimpleNamespace(administration=1, stats="")
        self.articles = [Article(id=100 + n, code=code, active=True) for n, code in enumerate(articles)]
        self.debtors: list[Debtor] = []
        self.documents: list[Document] = []
        self.drafts = []
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, list] = {}
        self.rates = {"V21": Decimal(21), "V9": Decimal(9)}

    async def _called(self, name):
        self.calls[name] += 1
        await asyncio.sleep(0)

    def _fault(self, name):
        waiting = self.faults.get(name)
        return waiting.pop(0) if waiting else (None, False)

    async def find_debtors(self, field, value):
        await self._called("find_debtors")
        return [d for d in self.debtors if same_debtor_value(field, str(getattr(d, field) or ""), value)]

    async def get_debtor(self, debtor_id):
        await self._called("get_debtor")
        for debtor in self.debtors:
            if str(debtor.id) == str(debtor_id):
                return debtor
        raise NotFound("there is no such thing")

    async def create_debtor(self, draft, *, validate_only=False):
        await self._called("create_debtor")
        if validate_only:
            return None
        error, stored = self._fault("create_debtor")
        debtor = Debtor(
            **{**draft.model_dump(), "customer_number": draft.customer_number or f"D{len(self.debtors)}"},
            id=len(self.debtors) + 1,
        )
        if error is None or stored:
            self.debtors.append(debtor)
        if error is not None:
            raise error
        return debtor

    async def update_debtor(self, debtor_id, changes):
        await self._called("update_debtor")
        place = next(n for n, debtor in enumerate(self.debtors) if str(debtor.id) == str(debtor_id))
        self.debtors[place] = self.debtors[place].model_copy(update=dict(changes))
        return self.debtors[place]

    async def find_article(self, code):
        await self._called("find_article")
        return [article for article in self.articles if article.code == code]

    async def get_article(self, article_id):
        await self._called("get_article")
        for article in self.articles:
            if str(article.id) == str(article_id):
                return article
        raise NotFound("there is no such thing")

    async def create_article(self, draft):
        await self._called("create_article")
        error, stored = self._fault("create_article")
        article = Article(**draft.model_dump(), id=100 + len(self.articles))
        if error is None or stored:
            self.articles.append(article)
        if error is not None:
            raise error
        return article

    async def update_article(self, article_id, changes):
        await self._called("update_article")
        place = next(n for n, one in enumerate(self.articles) if str(one.id) == str(article_id))
        told = changes.model_dump(exclude_none=True, exclude={"characteristics", "custom"})
        self.articles[place] = self.articles[place].model_copy(update=told)
        return self.articles[place]

    async def find_documents(self, kind, reference, *, since=None):
        await self._called("find_documents")
        error, _ = self._fault("find_documents")
        if error is not None:
            raise error
        return [d for d in self.documents if (d.kind, d.reference) == (kind, reference)]

    async def create_document(self, kind, draft, *, validate_only=False):
        await self._called("create_document")
        if validate_only:
            return None
        error, stored = self._fault("create_document")
        net = sum(
            (
                round_cents(line.quantity * line.price * (100 - (line.discount or 0)) / 100)
                for line in draft.lines
            ),
            Decimal(0),
        )
        document = Document(
            kind=kind,
            id=len(self.documents) + 1,
            reference=draft.reference,
            net=net,
            debtor_id=draft.debtor_id,
        )
        if error is None or stored:
            self.documents.append(document)
            self.drafts.append(draft)
        if error is not None:
            raise error
        return document

    async def vat_codes(self):
        return [VatCode(id=code, sales=True, percentage=rate) for code, rate in self.rates.items()]

    async def payment_conditions(self):
        return [PaymentCondition(id=14), PaymentCondition(id=30)]

    async def payment_methods(self):
        return [PaymentMethod(id="bank")]

    async def journals(self):
        return [Journal(id="70")]

    async def debtor_kinds(self):
        return [DebtorKind(id="B"), DebtorKind(id="C")]

    async def sales_types(self):
        return [SalesType(id=1)]

    async def ledger_accounts(self):
        return [LedgerAccount(id=8000)]
