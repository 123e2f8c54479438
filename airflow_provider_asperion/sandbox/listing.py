"""Lists: filters, paging, order and field choice, as far as they are known.

Filters are the PascalCase form of each field, matched in any case [inferred]; text is compared by
``<Name>_comparison`` and *contains* without it [go]; dates take ``_from`` and ``_to`` [go], both inclusive
[inferred]. Two filters must both hold [inferred]. The syntax of ``fields`` (here: names with commas between)
and ``orderBy`` (here: ``name`` or ``name desc``) is not public.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow_provider_asperion.sandbox.changes import shift_list
from airflow_provider_asperion.sandbox.encoding import encode, encode_row
from airflow_provider_asperion.sandbox.errors import Complaints
from airflow_provider_asperion.sandbox.schema import ARTICLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_asperion.sandbox.schema import Field, Resource
    from airflow_provider_asperion.sandbox.state import Administration, Row, Table
    from airflow_provider_asperion.sandbox.switches import Switches

Query = list[tuple[str, str]]

_CUT_PARAMETERS = frozenset({"page", "pagesize", "fields", "metaonly"})
"""What is shown of a list; the others say which list."""

_OWN_PARAMETERS = _CUT_PARAMETERS | {"orderby"}
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, wanted: wanted in value,
    "equals": lambda value, wanted: value == wanted,
    "notequals": lambda value, wanted: value != wanted,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


@dataclass(frozen=True, slots=True)
class _Filter:
    """One condition on one field."""

    field: str
    test: Callable[[Any], bool]
    equals: object = None  # set: only entries with this value can pass


@dataclass(frozen=True, slots=True)
class PageShift:
    """What happened to the list since its first page was read: an entry came in front, or one went."""

    entry_came: bool

    def apply(self, rows: list[Row]) -> list[Row]:
        """Return the list as it now is."""
        return [*rows[:1], *rows] if self.entry_came else rows[1:]


def list_body(
    administration: Administration,
    resource: Resource,
    query: Query,
    switches: Switches,
    *,
    base: str,
    now: float,
    shift: PageShift | None = None,
) -> bytes:
    """Answer a list call.

    :param base: what addresses begin with.
    :raises Refusal: 400 for a parameter that cannot be read.
    """
    asked = {name.lower(): value for name, value in query}
    complaints = Complaints()
    filters = _filters(resource, asked, switches, complaints)
    size = min(
        _number(asked, "pagesize", switches.default_page_size, complaints, least=1), switches.max_page_size
    )
    page = _number(asked, "page", switches.first_page, complaints, least=switches.first_page)
    complaints.raise_any()
    rows = _matching(administration[resource], resource, asked, filters, switches, now)
    if switches.paging_shifts and page > switches.first_page:
        shift_list(administration, resource, rows, switches.paging_shifts[0])
        switches.paging_shifts = switches.paging_shifts[1:]
        rows = _matching(administration[resource], resource, asked, filters, switches, now)
    if shift is not None and page > switches.first_page:
        rows = shift.apply(rows)
    start = (page - switches.first_page) * size
    shown = [] if asked.get("metaonly", "").lower() == "true" else rows[start : start + size]
    only = {name.strip().lower() for name in asked["fields"].split(",")} if asked.get("fields") else None
    items = b",".join(
        [encode_row(row, resource, base=base, date_form=switches.date_form, only=only) for row in shown]
    )
    meta = _meta(administration, resource, query, switches, base=base, page=page, size=size, total=len(rows))
    return b'{"_data":[' + items + b'],"_meta":' + encode(meta).encode() + b"}"


def _matching(
    table: Table,
    resource: Resource,
    asked: dict[str, str],
    filters: list[_Filter],
    switches: Switches,
    now: float,
) -> list[Row]:
    """Return the whole list that is asked for, in its order."""

    def find() -> list[Row]:
        rows = [
            row
            for row in _candidates(table, filters)
            if row.visible_at <= now and all(one.test(row.values.get(one.field)) for one in filters)
        ]
        return _ordered(rows, resource, asked["orderby"]) if "orderby" in asked else rows

    if any(one.equals is not None for one in filters):
        return find()
    which = sorted((name, value) for name, value in asked.items() if name not in _CUT_PARAMETERS)
    how = (switches.case_matters, switches.change_date_filter)
    return table.remembered((resource.path, tuple(which), how), now, find)


def _candidates(table: Table, filters: list[_Filter]) -> Iterable[Row]:
    """Return the entries worth testing: by an index where one of the filters has one."""
    for one in filters:
        if one.equals is not None:
            return table.candidates(one.field, one.equals)
    return table.rows.values()


def _meta(
    administration: Administration,
    resource: Resource,
    query: Query,
    switches: Switches,
    *,
    base: str,
    page: int,
    size: int,
    total: int,
) -> dict[str, object]:
    last = switches.first_page + max(0, -(-total // size) - 1)
    rest = [(name, value) for name, value in query if name.lower() not in ("page", "pagesize")]

    def address(number: int) -> str:
        return f"{base}/v1/{resource.path}?" + urlencode([*rest, ("page", number), ("pageSize", size)])

    meta: dict[str, object] = {
        "administrationId": administration.id,
        "administrationName": administration.name,
        "profileName": "sandbox",
        "previousPage": address(page - 1) if page > switches.first_page else None,
        "nextPage": address(page + 1),
        "totalCount": total,
        "pageCount": -(-total // size),
        "self": address(page),
    }
    if page >= last:
        if switches.next_page_at_end == "missing":
            del meta["nextPage"]
        else:
            meta["nextPage"] = "" if switches.next_page_at_end == "empty" else None
    return meta


def _filters(
    resource: Resource, asked: dict[str, str], switches: Switches, complaints: Complaints
) -> list[_Filter]:
    fields = {
        field.name.lower(): field
        for field in resource.fields
        if field.filterable or (switches.change_date_filter and field.name == "dateLastChange")
    }
    filters = []
    for name, value in asked.items():
        field = fields.get(name)
        if field is not None and not (resource is ARTICLES and field.name == "activeState"):
            filters.append(_filter(field, value, asked, switches, complaints))
        elif _range_field(name, fields) is not None:
            filters.append(_range(_range_field(name, fields), name, value))
        elif switches.unknown_parameters == "refuse" and not _known(name, fields):
            complaints.add(name, "parameter")
    if resource is ARTICLES:
        filters += _active_filter(asked.get("activestate", "Active"))
    return filters


def _known(name: str, fields: dict[str, Field]) -> bool:
    return name in _OWN_PARAMETERS or name in fields or name.removesuffix("_comparison") in fields


def _filter(
    field: Field, value: str, asked: dict[str, str], switches: Switches, complaints: Complaints
) -> _Filter:
    if field.kind in ("text", "any"):
        return _text_filter(field, value, asked, switches, complaints)
    if field.kind == "date":
        return _Filter(field.name, lambda stored: stored is not None and stored[:10] == value[:10])
    wanted = _read(field, value)
    if wanted is None:
        complaints.add(field.name, f"type_{field.kind}")
        return _Filter(field.name, lambda _: False)
    return _Filter(field.name, lambda stored: stored == wanted, wanted if field.indexed else None)


def _text_filter(
    field: Field, value: str, asked: dict[str, str], switches: Switches, complaints: Complaints
) -> _Filter:
    word = asked.get(f"{field.name.lower()}_comparison", "Contains").lower()
    compare = _COMPARISONS.get(word)
    if compare is None:
        complaints.add(f"{field.name}_comparison", "parameter")
        return _Filter(field.name, lambda _: False)
    exact = {"always": True, "never": False}.get(switches.case_matters, word in ("equals", "notequals"))
    wanted = value if exact else value.casefold()

    def test(stored: Any) -> bool:
        text = "" if stored is None else str(stored)
        return compare(text if exact else text.casefold(), wanted)

    return _Filter(field.name, test, value if field.indexed and word == "equals" else None)


def _read(field: Field, value: str) -> object:
    """Read the value of a filter that is no text; None when it cannot be read."""
    if field.kind == "bool":
        return {"true": True, "false": False}.get(value.lower())
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or (field.kind == "int" and (number % 1 or abs(number) > 10**18)):
        return None
    return int(number) if field.kind == "int" else number


def _range_field(name: str, fields: dict[str, Field]) -> Field | None:
    """Return the date field of a ``<Name>_from`` or ``<Name>_to``."""
    for suffix in ("_from", "_to"):
        field = fields.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if field is not None and field.kind == "date":
            return field
    return None


def _range(field: Field | None, name: str, value: str) -> _Filter:
    assert field is not None
    day = value[:10]
    if name.endswith("_from"):
        return _Filter(field.name, lambda stored: stored is not None and stored[:10] >= day)
    return _Filter(field.name, lambda stored: stored is not None and stored[:10] <= day)


def _active_filter(wanted: str) -> list[_Filter]:
    """Active articles only, unless more is asked [help]; the words ``All`` and ``Inactive`` are [unknown]."""
    if wanted.lower() == "all":
        return []
    return [_Filter("activeState", lambda stored: str(stored).lower() == wanted.lower())]


def _ordered(rows: list[Row], resource: Resource, order: str) -> list[Row]:
    name, _, direction = order.strip().partition(" ")
    field = next((one.name for one in resource.fields if one.name.lower() == name.lower()), None)
    if field is None:
        return rows

    def key(row: Row) -> tuple[bool, Any]:
        value = row.values.get(field)
        return (value is not None, value if value is not None else 0)

    return sorted(rows, key=key, reverse=direction.strip().lower() == "desc")


def _number(asked: dict[str, str], name: str, default: int, complaints: Complaints, *, least: int) -> int:
    text = asked.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        complaints.add(name, "type_int")
        return default
    return int(text)
