"""Our side of the contract: each call with its parameters, and each field that we send or read.

Nothing here is a list of its own: fields and their types are those of :mod:`..models`, their names on the
wire those of :mod:`..names` as the settings have them, the calls those of :mod:`..resources`. A test records
what the client calls, sends and reads of the sandbox, and compares it with this.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from airflow_provider_asperion.asperion import models
from airflow_provider_asperion.asperion.matching import MatchField
from airflow_provider_asperion.asperion.names import filter_name
from airflow_provider_asperion.asperion.wire import ENTRIES, TEXTS, WHOLE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from airflow_provider_asperion.asperion.names import DocumentKind, Names

Kind = Literal["string", "integer", "number", "boolean", "object", "array"]
Steps = tuple[str, ...]

ITEMS = "[]"
"""The step from a list to its entries."""

DATA = "_data"
META = "_meta"

_KINDS: Mapping[object, frozenset[Kind]] = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer"}),
    dt.date: frozenset({"string"}),
}
_NUMBERS: frozenset[Kind] = frozenset({"number", "integer"})

# Which list of the administration the ids of a field are from: they are sent as they stand there.
_LISTS = {
    "kind": "debtor_kinds",
    "payment_method": "payment_methods",
    "sales_type": "sales_types",
    "journal": "journals",
    "debtor_id": "debtors",
    "article_id": "articles",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One value on the wire: a field of a body, or a parameter.

    :param steps: the way to it; ``[]`` goes from a list to its entries.
    :param kinds: JSON types: of what is read, all that we can read; of what is sent, what we send.
    :param setting: setting that names it, below ``asperion.names``; None: its name is no setting.
    :param needed: of what is read: nothing can be read without it; of what is sent: it is always sent.
    :param words: values that we send or know.
    :param of_list: path of the list whose ids it takes.
    :param form: how a date is written, as for ``strftime``.
    :param spare: its setting may be null: then it is not used.
    :param if_there: it is asked for elsewhere where it does not come.
    """

    steps: Steps
    kinds: frozenset[Kind]
    setting: str | None = None
    needed: bool = False
    words: tuple[str, ...] = ()
    of_list: str | None = None
    form: str | None = None
    spare: bool = False
    if_there: bool = False

    @property
    def name(self) -> str:
        """The way to it, as people write it, from the thing on that it belongs to: ``lines[].vatCode``."""
        steps = self.steps[2:] if self.steps[:2] == (DATA, ITEMS) else self.steps
        return ".".join(steps).replace(f".{DATA}.{ITEMS}", ITEMS).replace(f".{ITEMS}", ITEMS)

    def below(self, *steps: str) -> Part:
        """Return the same, further down."""
        return replace(self, steps=(*steps, *self.steps))


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API.

    :param title: what people call its list: the setting of its path, below ``asperion.names.paths``.
    :param path: with ``{id}`` where a key stands.
    :param whole: sends all that was read of the same thing, with what changes.
    """

    method: str
    path: str
    title: str
    query: tuple[Part, ...] = ()
    sends: tuple[Part, ...] = ()
    reads: tuple[Part, ...] = ()
    whole: bool = False

    @property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


def calls_of(names: Names) -> list[Call]:
    """Return every call that the client makes under these names."""
    return list(_Calls(names).all())


@dataclass(frozen=True, slots=True)
class _Calls:
    names: Names
    found: list[Call] = field(default_factory=list)

    def all(self) -> Iterator[Call]:
        yield from self._debtors()
        yield from self._articles()
        for kind in ("sales_order", "sales_invoice"):
            yield from self._documents(kind)
        yield from self._choices()

    def _debtors(self) -> Iterator[Call]:
        names, habits = self.names.debtor, self.names.habits
        reads = tuple(_fields(models.Debtor, names, "debtor"))
        sends = self._sent(models.DebtorDraft, names, "debtor")
        words = (self.names.query.equals, *((self.names.query.contains,) if habits.case_probe else ()))
        filters = [
            part
            for match in get_args(MatchField)
            for part in self._text_filter(getattr(names, match), f"debtor.{match}", words)
        ]
        query = (*filters, *self._changed("debtors"))
        yield from self._thing("debtors", query, reads, sends, validate=habits.validate_debtor)

    def _articles(self) -> Iterator[Call]:
        names, words = self.names.article, self.names.query
        reads = tuple(self._article_fields())
        sends = (
            *self._sent(models.ArticleDraft, names, "article"),
            *_characteristics(names.characteristics, _KINDS[str]),
        )
        query = [*self._text_filter(names.code, "article.code", (words.equals,)), *self._changed("articles")]
        if words.active_state is not None:
            query.append(_parameter(words.active_state, "query.active_state", (words.active_state_all,)))
        yield from self._thing("articles", query, reads, sends, validate=False)

    def _article_fields(self) -> Iterator[Part]:
        names = self.names.article
        for part in _fields(models.Article, names, "article"):
            yield part
        yield from _characteristics(names.characteristics, _KINDS[str] | _NUMBERS)
        for name in names.custom:
            any_value: frozenset[Kind] = _KINDS[str] | _NUMBERS | _KINDS[bool]
            yield Part(tuple(name.split(".")), any_value, "article.custom")
        if names.warehouses is not None:
            for part in _fields(models.WarehouseStock, names.warehouse, "article.warehouse"):
                yield part.below(*names.warehouses.split("."), DATA, ITEMS)

    def _documents(self, kind: DocumentKind) -> Iterator[Call]:
        names, habits = self.names.document(kind), self.names.document_habits(kind)
        head = tuple(self._head(kind))
        lines = [
            part.below(*names.lines.split("."), DATA, ITEMS)
            for part in _fields(models.DocumentLine, names.line, f"{kind}.line")
        ]
        further = [
            *_fields(models.DocumentDetail, names, kind, less=models.Document),
            *_fields(models.Delivery, names.delivery, f"{kind}.delivery"),
        ]
        query: list[Part] = [*self._changed(kind)]
        if habits.lookup == "filter":
            equals = (self.names.query.equals,)
            query += self._text_filter(names.reference, f"{kind}.reference", equals)
        if habits.recent_filter is not None:
            query += self._days((habits.recent_filter,), f"habits.{kind}.recent_filter", ends=("from",))
        title = "sales_orders" if kind == "sales_order" else "sales_invoices"
        within = names.lines.split(".")[0]
        listed = [
            replace(part, if_there=True) if part.steps[0] == within else part for part in (*further, *lines)
        ]
        yield self._list(title, (*query, *self._order()), (*head, *listed))
        yield self._one("GET", title, reads=(*head, *further, *lines))
        counted = Part((*names.lines.split("."), DATA), frozenset({"array"}), f"{kind}.lines", if_there=True)
        sends = self._document_sent(kind)
        yield self._create(title, sends, (*head, counted), validate=habits.validate_only)

    def _head(self, kind: DocumentKind) -> Iterator[Part]:
        for part in _fields(models.Document, self.names.document(kind), kind):
            known = self.names.habits.open_order_statuses
            is_status = part.setting == "sales_order.status"
            yield replace(part, words=known) if is_status else part

    def _document_sent(self, kind: DocumentKind) -> tuple[Part, ...]:
        names = self.names.document(kind)
        line = self._sent(models.LineDraft, names.line, f"{kind}.line")
        return (
            *(part for part in self._sent(models.DocumentDraft, names, kind) if part.name != names.lines),
            *self._sent(models.Delivery, names.delivery, f"{kind}.delivery"),
            Part((names.lines,), frozenset({"object"}), f"{kind}.lines", needed=True),
            Part((names.lines, DATA), frozenset({"array"}), needed=True),
            *(part.below(names.lines, DATA, ITEMS) for part in line),
        )

    def _choices(self) -> Iterator[Call]:
        lists: dict[str, type[BaseModel]] = {
            "administrations": models.Administration,
            "vat_codes": models.VatCode,
            "payment_conditions": models.PaymentCondition,
            "payment_methods": models.PaymentMethod,
            "journals": models.Journal,
            "debtor_kinds": models.DebtorKind,
            "ledger_accounts": models.LedgerAccount,
        }
        for title, model in lists.items():
            yield self._list(title, (), tuple(_entry_fields(model)))
        yield self._list("sales_types", (), _fields(models.SalesType, self.names.sales_type, "sales_type"))

    # One list of the API

    def _thing(
        self,
        title: str,
        query: Iterable[Part],
        reads: tuple[Part, ...],
        sends: tuple[Part, ...],
        *,
        validate: bool,
    ) -> Iterator[Call]:
        yield self._list(title, (*query, *self._order()), reads)
        yield self._one("GET", title, reads=reads)
        yield self._create(title, sends, reads, validate=validate)
        optional = tuple(replace(part, needed=False) for part in sends)
        yield self._one(self.names.habits.update_verb, title, sends=optional)

    def _list(self, title: str, query: Iterable[Part], reads: Iterable[Part]) -> Call:
        words = self.names.query
        paging = (
            Part((words.page,), _NUMBERS | _KINDS[str], "query.page"),
            Part((words.page_size,), _NUMBERS | _KINDS[str], "query.page_size"),
        )
        # Of the list of administrations it is not asked who answers.
        page = _PAGE[:-1] if title == "administrations" else _PAGE
        return Call(
            "GET",
            self._path(title),
            title,
            query=(*paging, *query),
            reads=_containers((*page, *(part.below(DATA, ITEMS) for part in reads))),
        )

    def _one(
        self, method: str, title: str, *, reads: Iterable[Part] = (), sends: tuple[Part, ...] = ()
    ) -> Call:
        path = f"{self._path(title).rstrip('/')}/{{id}}"
        whole = method != "GET"
        return Call(method, path, title, reads=_containers(reads), sends=_containers(sends), whole=whole)

    def _create(
        self, title: str, sends: tuple[Part, ...], reads: tuple[Part, ...], *, validate: bool
    ) -> Call:
        name = self.names.query.validate_only
        query = (Part((name,), _KINDS[bool] | _KINDS[str], "query.validate_only"),) if validate else ()
        sends, reads = _containers(sends), _containers(reads)
        return Call("POST", self._path(title), title, query=query, sends=sends, reads=reads)

    def _order(self) -> list[Part]:
        words = self.names.query
        return [] if words.order_value is None else [_parameter(words.order_by, "query.order_by")]

    def _path(self, title: str) -> str:
        return str(getattr(self.names.paths, title))

    # Parameters and bodies

    def _text_filter(self, field: str, setting: str, words: tuple[str, ...]) -> list[Part]:
        name, suffix = filter_name(field), self.names.query.comparison_suffix
        return [_parameter(name, setting), _parameter(name + suffix, "query.comparison_suffix", words)]

    def _changed(self, what: str) -> list[Part]:
        return self._days(getattr(self.names.query.changed, what), f"query.changed.{what}")

    def _days(
        self, filters: Iterable[str], setting: str, *, ends: tuple[str, ...] = ("from", "to")
    ) -> list[Part]:
        suffixes = [getattr(self.names.query, f"{end}_suffix") for end in ends]
        form = self.names.habits.query_date_format
        return [
            replace(_parameter(name + suffix, setting), form=form) for name in filters for suffix in suffixes
        ]

    def _sent(self, model: type[BaseModel], names: BaseModel, where: str) -> tuple[Part, ...]:
        return tuple(self._as_sent(part) for part in _fields(model, names, where, sent=True))

    def _as_sent(self, part: Part) -> Part:
        """Say of a field of a draft what is really sent."""
        names = self.names
        name = (part.setting or "").rpartition(".")[2]
        if name == "active_state":
            return replace(
                part, kinds=_KINDS[str], words=(names.article.active_value, names.article.inactive_value)
            )
        if name in WHOLE_NUMBERS:
            return replace(part, kinds=_KINDS[int])
        if name in ("bookyear", "bookperiod"):
            return replace(part, needed=True)
        if name in ("date", "delivery_date"):
            return replace(part, form=names.habits.date_format)
        if name in _LISTS:
            return replace(part, of_list=getattr(names.paths, _LISTS[name]))
        return part


_PAGE = (
    Part((DATA,), frozenset({"array"}), needed=True),
    Part((META,), frozenset({"object"})),
    Part((META, "nextPage"), _KINDS[str] | _KINDS[int]),
    Part((META, "pageCount"), _KINDS[int]),
    Part((META, "totalCount"), _KINDS[int]),
    Part((META, "administrationId"), _KINDS[int] | _KINDS[str]),
)
"""What is read of every page of a list, see :mod:`..paging`; by the last one it is known who answers."""

# Fields of a model whose name on the wire has another name in the settings.
_NAMED = {"active": "active_state"}


def _fields(
    model: type[BaseModel],
    names: BaseModel,
    where: str,
    *,
    less: type[BaseModel] | None = None,
    sent: bool = False,
) -> Iterator[Part]:
    """Yield the fields of a model that have a name on the wire.

    :param where: setting under which the names are.
    :param less: fields of this model are left out.
    """
    texts = TEXTS.get(model, frozenset())
    for name, info in model.model_fields.items():
        setting = _NAMED.get(name, name)
        on_wire = getattr(names, setting, None)
        if not isinstance(on_wire, str) or (less is not None and name in less.model_fields):
            continue
        kinds = _kinds(info.annotation, sent=sent)
        if name in texts and not sent:
            kinds |= _NUMBERS
        if setting == "active_state":
            kinds |= _KINDS[str]
        spare = type(None) in get_args(type(names).model_fields[setting].annotation)
        steps, needed = tuple(on_wire.split(".")), info.is_required()
        yield Part(steps, kinds, f"{where}.{setting}", needed=needed, spare=spare)


def _entry_fields(model: type[BaseModel]) -> Iterator[Part]:
    for name, on_wire in ENTRIES[model].items():
        info = model.model_fields[name]
        yield Part((on_wire,), _kinds(info.annotation, sent=False), needed=info.is_required())


def _characteristics(names: Iterable[str], kinds: frozenset[Kind]) -> Iterator[Part]:
    for name in names:
        yield Part(tuple(name.split(".")), kinds, "article.characteristics")


def _parameter(name: str, setting: str, words: tuple[str, ...] = ()) -> Part:
    return Part((name,), _KINDS[str], setting, words=words)


def _containers(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return parts with what they lie in, each once, what lies outside first."""
    found: dict[Steps, Part] = {}
    listed = list(parts)
    own = {part.steps for part in listed}
    for part in listed:
        for length in range(1, len(part.steps)):
            steps = part.steps[:length]
            if steps[-1] == ITEMS or steps in own:
                continue
            inside: frozenset[Kind] = frozenset({"array" if part.steps[length] == ITEMS else "object"})
            found.setdefault(steps, Part(steps, inside, part.setting, if_there=part.if_there))
        found.setdefault(part.steps, part)
    return tuple(found.values())


def _kinds(annotation: Any, *, sent: bool) -> frozenset[Kind]:
    """Return the JSON types of a field: what its reader takes, or its writer makes."""
    if get_origin(annotation) is Annotated:
        return _kinds(get_args(annotation)[0], sent=sent)
    if get_origin(annotation) in (Union, UnionType):
        members = [one for one in get_args(annotation) if one is not type(None)]
        return frozenset().union(*(_kinds(one, sent=sent) for one in members))
    if annotation is Decimal:
        # An amount is read from its text, too; see wire.amount.
        return frozenset({"number"}) if sent else _NUMBERS | _KINDS[str]
    if get_origin(annotation) is tuple:
        # A list may stand in {"_data": [...]}; see wire._items.
        return frozenset({"array", "object"})
    return _KINDS[annotation]
