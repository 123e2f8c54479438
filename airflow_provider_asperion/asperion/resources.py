"""The calls a flow makes, typed: debtors, articles, documents and the lists to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload
from urllib.parse import quote

from airflow_provider_asperion.asperion import models
from airflow_provider_asperion.asperion.errors import AsperionError, BadAnswer, LookupUnsupported
from airflow_provider_asperion.asperion.listing import Changes, Listing, OpenOrderLines
from airflow_provider_asperion.asperion.matching import (
    has_case,
    same_code,
    same_debtor_value,
    variants,
)
from airflow_provider_asperion.asperion.names import filter_name, get_field
from airflow_provider_asperion.asperion.wire import (
    debtor_fields,
    has_lines,
    read_article,
    read_debtor,
    read_detail,
    read_document,
    read_entry,
    read_sales_type,
    without_stock,
    write_article,
    write_date,
    write_debtor,
    write_document,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_asperion.asperion.client import AsperionClient
    from airflow_provider_asperion.asperion.listing import OnProblem
    from airflow_provider_asperion.asperion.matching import MatchField
    from airflow_provider_asperion.asperion.models import (
        Article,
        ArticleDraft,
        Debtor,
        DebtorDraft,
        Document,
        DocumentDetail,
        DocumentDraft,
    )
    from airflow_provider_asperion.asperion.moments import Interval
    from airflow_provider_asperion.asperion.names import DocumentKind, Names

Entry = TypeVar("Entry", bound=models.Model)
Made = TypeVar("Made")


class Asperion:
    """An administration of Asperion.

    All methods raise :class:`.errors.AsperionError`; ``unclear`` on it says that what was to be written may
    be there, so look before writing again.
    """

    def __init__(self, client: AsperionClient) -> None:
        self.client = client

    @property
    def names(self) -> Names:
        """The names of the wire in use."""
        return self.client.names

    # Debtors

    async def find_debtors(self, field: MatchField, value: str) -> list[Debtor]:
        """Return all debtors with a value, compared without regard to case and blanks.

        Asks with ``Equals``; where that finds nothing and ``case_probe`` is on, with other cases and with
        ``Contains``, because whether the server's ``Equals`` minds case and blanks is unknown. One hit more
        than one is for the caller to judge.
        """
        if not value.strip():
            raise ValueError(f"no value of {field} to look for")
        words = self.names.query
        probe = self.names.habits.case_probe and has_case(value)
        forms = variants(field, value) if probe else [value.strip()]
        for comparison in (words.equals, words.contains) if probe else (words.equals,):
            for form in forms:
                found = await self._debtors(field, value, form, comparison)
                if found:
                    return found
        return []

    async def _debtors(self, field: MatchField, value: str, form: str, comparison: str) -> list[Debtor]:
        name = getattr(self.names.debtor, field)
        query = self._text_filter(name, form, comparison)
        return [
            read_debtor(item, self.names.debtor)
            async for item in self.client.items(self.names.paths.debtors, query)
            if same_debtor_value(field, str(get_field(item, name) or ""), value)
        ]

    async def get_debtor(self, debtor_id: models.Id) -> Debtor:
        """Return one debtor.

        :raises NotFound: there is none of this id.
        """
        body = await self.client.get(_one(self.names.paths.debtors, debtor_id))
        return read_debtor(_single(body), self.names.debtor)

    @overload
    async def create_debtor(self, draft: DebtorDraft, *, validate_only: Literal[False] = False) -> Debtor: ...
    @overload
    async def create_debtor(self, draft: DebtorDraft, *, validate_only: Literal[True]) -> None: ...

    async def create_debtor(self, draft: DebtorDraft, *, validate_only: bool = False) -> Debtor | None:
        """Create a debtor.

        :param validate_only: only let the server say what is wrong with it; does nothing where the settings
            say that the API offers no such thing (``habits.validate_debtor``).
        :raises Rejected: the server refuses it; ``field_errors`` says why.
        """
        body = write_debtor(draft, self.names.debtor)
        path = self.names.paths.debtors
        if validate_only:
            await self._validate(path, body, offered=self.names.habits.validate_debtor)
            return None
        return await self._create(path, body, lambda answer: read_debtor(answer, self.names.debtor))

    async def update_debtor(self, debtor_id: models.Id, changes: Mapping[str, object]) -> Debtor:
        """Change fields of a debtor: read it, lay the changes over, send it whole.

        Right under PUT, harmless under PATCH; which of them the API wants is unknown (``update_verb``).
        Nothing is sent when nothing differs.

        :param changes: fields of :class:`.models.DebtorDraft` to new values.
        """
        path = _one(self.names.paths.debtors, debtor_id)
        whole = await self._lay_over(path, debtor_fields(changes, self.names.debtor))
        return read_debtor(whole, self.names.debtor)

    # Articles

    async def find_article(self, code: str) -> list[Article]:
        """Return all articles of a code, active or not; more than one is for the caller to judge."""
        names, words = self.names.article, self.names.query
        query = self._text_filter(names.code, code.strip(), words.equals)
        if words.active_state is not None:
            query[words.active_state] = words.active_state_all
        return [
            read_article(item, names)
            async for item in self.client.items(self.names.paths.articles, query)
            if same_code(str(get_field(item, names.code) or ""), code)
        ]

    async def get_article(self, article_id: models.Id) -> Article:
        """Return one article.

        :raises NotFound: there is none of this id.
        """
        body = await self.client.get(_one(self.names.paths.articles, article_id))
        return read_article(_single(body), self.names.article)

    async def create_article(self, draft: ArticleDraft) -> Article:
        """Create an article.

        :raises Rejected: the server refuses it; ``field_errors`` says why.
        """
        names = self.names.article
        body = write_article(draft, names)
        return await self._create(self.names.paths.articles, body, lambda answer: read_article(answer, names))

    async def update_article(self, article_id: models.Id, changes: ArticleDraft) -> Article:
        """Change fields of an article, as :meth:`update_debtor` does it; its stock is never sent.

        :param changes: what is None stays as it is.
        """
        names = self.names.article
        path = _one(self.names.paths.articles, article_id)
        whole = await self._lay_over(
            path, write_article(changes, names), writable=lambda body: without_stock(body, names)
        )
        return read_article(whole, names)

    # Documents

    async def find_documents(
        self, kind: DocumentKind, reference: str, *, since: dt.date | None = None
    ) -> list[Document]:
        """Return all documents of a reference, by the strategy of the settings (``lookup``).

        :param since: with ``recent``, how far back to look.
        :raises LookupUnsupported: with ``ledger``: the API cannot be asked, so an unclear post is held for a
            person.
        """
        lookup = self.names.document_habits(kind).lookup
        if lookup == "ledger":
            raise LookupUnsupported(
                f"by the settings a {kind} cannot be found in Asperion; unclear posts are held for a person"
            )
        names = self.names.document(kind)
        if lookup == "recent":
            return [document async for document in self.recent_documents(kind, since, reference=reference)]
        query = self._text_filter(names.reference, reference.strip(), self.names.query.equals)
        return [
            read_document(item, kind, names)
            async for item in self.client.items(self.names.document_path(kind), query)
            if same_code(str(get_field(item, names.reference) or ""), reference)
        ]

    def recent_documents(
        self, kind: DocumentKind, since: dt.date | None = None, *, reference: str | None = None
    ) -> Listing[Document]:
        """Walk the documents since a day; all where the API has no filter for that (``recent_filter``).

        A list that moves meanwhile is walked again: an order that was missed would be placed twice.

        :param reference: only those; others are not even read.
        """
        names = self.names.document(kind)

        async def reader(item: dict[str, Any]) -> Sequence[Document]:
            named = str(get_field(item, names.reference) or "")
            wanted = reference is None or same_code(named, reference)
            return (read_document(item, kind, names),) if wanted else ()

        path, query = self.names.document_path(kind), self._since(kind, since)
        return Listing(self.client, path, reader, changes=Changes(), query=query, id_name=names.id)

    async def find_details(self, kind: DocumentKind, reference: str) -> list[DocumentDetail]:
        """Return all documents of a reference with their lines, by the reference field."""
        names = self.names.document(kind)
        query = self._text_filter(names.reference, reference.strip(), self.names.query.equals)
        return [
            await self._detail(kind, item)
            async for item in self.client.items(self.names.document_path(kind), query)
            if same_code(str(get_field(item, names.reference) or ""), reference)
        ]

    async def get_detail(self, kind: DocumentKind, document_id: models.Id) -> DocumentDetail:
        """Return one document with its lines.

        :raises NotFound: there is none of this id.
        """
        body = await self.client.get(_one(self.names.document_path(kind), document_id))
        return read_detail(_single(body), kind, self.names.document(kind))

    async def count_documents(self, kind: DocumentKind, *, since: dt.date | None = None) -> int | None:
        """Return how many documents there are, since a day where there is a filter; None: it is not told."""
        words = self.names.query
        sizes = {words.page: str(self.names.habits.first_page), words.page_size: "1"}
        body = await self.client.get(self.names.document_path(kind), {**self._since(kind, since), **sizes})
        told = body.get("_meta", {}).get("totalCount") if isinstance(body, dict) else None
        return told if isinstance(told, int) else None

    async def get_document(self, kind: DocumentKind, document_id: models.Id) -> Document:
        """Return one document.

        :raises NotFound: there is none of this id.
        """
        body = await self.client.get(_one(self.names.document_path(kind), document_id))
        return read_document(_single(body), kind, self.names.document(kind))

    @overload
    async def create_document(
        self, kind: DocumentKind, draft: DocumentDraft, *, validate_only: Literal[False] = False
    ) -> Document: ...
    @overload
    async def create_document(
        self, kind: DocumentKind, draft: DocumentDraft, *, validate_only: Literal[True]
    ) -> None: ...

    async def create_document(
        self, kind: DocumentKind, draft: DocumentDraft, *, validate_only: bool = False
    ) -> Document | None:
        """Place a document, whole or not at all.

        :param validate_only: only let the server say what is wrong with it; does nothing where the settings
            say that the API offers no such thing (``habits.<kind>.validate_only``).
        :raises Rejected: the server refuses it; ``field_errors`` says why.
        """
        body, path = write_document(kind, draft, self.names), self.names.document_path(kind)
        if validate_only:
            await self._validate(path, body, offered=self.names.document_habits(kind).validate_only)
            return None
        return await self._create(
            path, body, lambda answer: read_document(answer, kind, self.names.document(kind))
        )

    # Everything, or what changed

    def articles(
        self, changed: Interval | None = None, *, on_problem: OnProblem | None = None
    ) -> Listing[Article]:
        """Walk all articles, active and inactive, or those that changed; see :class:`.listing.Listing`."""
        names, words = self.names.article, self.names.query
        widen = {} if words.active_state is None else {words.active_state: words.active_state_all}

        async def reader(item: dict[str, Any]) -> tuple[Article]:
            return (read_article(item, names),)

        changes = Changes(changed, words.changed.articles, names.date_changed, names.date_added)
        return Listing(
            self.client,
            self.names.paths.articles,
            reader,
            changes=changes,
            query=widen,
            id_name=names.id,
            on_problem=on_problem,
        )

    def debtors(
        self, changed: Interval | None = None, *, on_problem: OnProblem | None = None
    ) -> Listing[Debtor]:
        """Walk all debtors, or those that changed."""
        names = self.names.debtor

        async def reader(item: dict[str, Any]) -> tuple[Debtor]:
            return (read_debtor(item, names),)

        changes = Changes(changed, self.names.query.changed.debtors, names.date_changed, names.date_added)
        path = self.names.paths.debtors
        return Listing(self.client, path, reader, changes=changes, id_name=names.id, on_problem=on_problem)

    def documents(
        self,
        kind: DocumentKind,
        changed: Interval | None = None,
        *,
        on_problem: OnProblem | None = None,
        since: dt.date | None = None,
        wanted: Callable[[Document], bool] | None = None,
    ) -> Listing[DocumentDetail]:
        """Walk all documents of a kind with their lines, or those that changed.

        One that comes without lines in the list is asked for by its id.

        :param since: only those from a day on, where the API has a filter for that (``recent_filter``).
        :param wanted: tells by its head whether a document is wanted; None: all are.
        """
        names = self.names.document(kind)

        async def reader(item: dict[str, Any]) -> tuple[DocumentDetail, ...]:
            if wanted is not None and not wanted(read_document(item, kind, names)):
                return ()
            return (await self._detail(kind, item),)

        found_by = self.names.query.changed.of(kind)
        changes = Changes(changed, found_by, names.date_changed, names.date_added)
        return Listing(
            self.client,
            self.names.document_path(kind),
            reader,
            changes=changes,
            query=self._since(kind, since),
            id_name=names.id,
            on_problem=on_problem,
        )

    def open_order_lines(self) -> OpenOrderLines:
        """Walk the lines of the sales orders that are open (``habits.open_order_statuses``)."""

        async def reader(item: dict[str, Any]) -> DocumentDetail:
            return await self._detail("sales_order", item)

        return OpenOrderLines(self.client, self.names.paths.sales_orders, reader)

    async def _detail(self, kind: DocumentKind, item: dict[str, Any]) -> DocumentDetail:
        names = self.names.document(kind)
        if not has_lines(item, names):
            key = get_field(item, names.id)
            item = _single(await self.client.get(_one(self.names.document_path(kind), key)))
        return read_detail(item, kind, names)

    # What there is to choose from

    async def administrations(self) -> list[models.Administration]:
        """Return the administrations that the user may reach."""
        items = self.client.items(
            self.names.paths.administrations, tenant=self.names.habits.tenant_on_administrations
        )
        return [read_entry(models.Administration, item, "administration") async for item in items]

    async def vat_codes(self) -> list[models.VatCode]:
        """Return all VAT codes."""
        return await self._all(self.names.paths.vat_codes, _entry(models.VatCode, "VAT code"))

    async def payment_conditions(self) -> list[models.PaymentCondition]:
        """Return all payment conditions."""
        return await self._all(self.names.paths.payment_conditions, _entry(models.PaymentCondition))

    async def payment_methods(self) -> list[models.PaymentMethod]:
        """Return all payment methods."""
        return await self._all(self.names.paths.payment_methods, _entry(models.PaymentMethod))

    async def journals(self) -> list[models.Journal]:
        """Return all journals."""
        return await self._all(self.names.paths.journals, _entry(models.Journal))

    async def debtor_kinds(self) -> list[models.DebtorKind]:
        """Return all debtor kinds."""
        return await self._all(self.names.paths.debtor_kinds, _entry(models.DebtorKind))

    async def sales_types(self) -> list[models.SalesType]:
        """Return all sales types."""
        names = self.names.sales_type
        return await self._all(self.names.paths.sales_types, lambda item: read_sales_type(item, names))

    async def ledger_accounts(self) -> list[models.LedgerAccount]:
        """Return all ledger accounts."""
        return await self._all(self.names.paths.ledger_accounts, _entry(models.LedgerAccount))

    # How

    def _text_filter(self, field: str, value: str, comparison: str) -> dict[str, str]:
        """Build a filter on a text field; without its comparison it would be a substring match [go]."""
        name = filter_name(field)
        return {name: value, name + self.names.query.comparison_suffix: comparison}

    def _since(self, kind: DocumentKind, since: dt.date | None) -> dict[str, str]:
        """Build a filter on the day; empty where there is none."""
        field = self.names.document_habits(kind).recent_filter
        if since is None or field is None:
            return {}
        day = write_date(since, self.names.habits.query_date_format)
        return {field + self.names.query.from_suffix: day}

    async def _all(self, path: str, reader: Callable[[dict[str, Any]], Entry]) -> list[Entry]:
        return [reader(item) async for item in self.client.items(path)]

    async def _lay_over(
        self,
        path: str,
        changes: dict[str, Any],
        *,
        writable: Callable[[dict[str, Any]], dict[str, Any]] = lambda body: body,
    ) -> dict[str, Any]:
        """Read a thing, lay changes over it, and send what is writable of it when something differs."""
        now = _single(await self.client.get(path))
        whole = {name: value for name, value in now.items() if name != "_meta"}
        changed = _laid_over(whole, changes)
        if changed != whole:
            whole = changed
            send = {"PUT": self.client.put, "PATCH": self.client.patch, "POST": self.client.post}
            await send[self.names.habits.update_verb](path, writable(whole))
        return whole

    async def _validate(self, path: str, body: dict[str, Any], *, offered: bool) -> None:
        if offered:
            await self.client.post(path, body, {self.names.query.validate_only: "true"})

    async def _create(
        self, path: str, body: dict[str, Any], reader: Callable[[dict[str, Any]], Made]
    ) -> Made:
        answer = await self.client.post(path, body)
        try:
            return reader(_single(answer))
        except AsperionError as error:
            what = error.message
        # The server said yes: it is stored, but we do not know under which id.
        raise BadAnswer(what, method="POST", path=path, unclear=True)


def _laid_over(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return an object with changes; inside nested objects too, so that their other fields stay."""
    nested = {
        name: _laid_over(body[name], value)
        for name, value in changes.items()
        if isinstance(value, dict) and isinstance(body.get(name), dict)
    }
    return {**body, **changes, **nested}


def _one(path: str, key: models.Id) -> str:
    """Return the path of one thing of a list."""
    return f"{path.rstrip('/')}/{quote(str(key), safe='')}"


def _single(body: Any) -> dict[str, Any]:
    """Return the object of an answer: at the root [go], or the only one of a list."""
    if isinstance(body, dict) and isinstance(body.get("_data"), list):
        body = body["_data"][0] if len(body["_data"]) == 1 else None
    if not isinstance(body, dict):
        raise BadAnswer("the answer is not one object")
    return body


def _entry(model: type[Entry], what: str | None = None) -> Callable[[dict[str, Any]], Entry]:
    """Make a reader of the entries of a list."""
    return lambda item: read_entry(model, item, what)
