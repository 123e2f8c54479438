"""What happens behind the API's back: somebody changes an entry in Asperion's screens, or removes it.

Everything can be changed this way, also what no client may write, such as ``currentStock`` and ``status``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_asperion.sandbox.bodies import read_value
from airflow_provider_asperion.sandbox.schema import BUSINESS_KEYS, BY_PATH

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from airflow_provider_asperion.sandbox.schema import Resource
    from airflow_provider_asperion.sandbox.state import Administration, Row, State, Table, Values

STOCK_FIELDS = frozenset({"currentStock"})


class Change(BaseModel):
    """One change of one entry.

    :param resource: path of its list below ``/v1/``.
    :param key: its id, or its article code, customer number, reference or invoice number.
    :param set: fields to new values. One that the API is not known to have is shown in answers as well: a
        custom field, or the stock of a warehouse. ``dateLastChange`` becomes now unless it is given.
    :param remove: the entry goes away altogether.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resource: str
    key: int | str
    administration: int = 1
    set: dict[str, Any] = Field(default_factory=dict)
    remove: bool = False


@dataclass(slots=True)
class _Step:
    """A change that was checked, ready to be made."""

    resource: Resource
    table: Table
    row: Row
    values: Values
    extra: Values = field(default_factory=dict)


def make_changes(
    state: State, changes: Iterable[Change], now: dt.datetime, *, stock_changes_date: bool
) -> int:
    """Make all changes, or none when one of them cannot be made; return how many. Hold the lock.

    :raises ValueError: naming what cannot be changed.
    """
    steps = [(change, _step(state, change)) for change in changes]
    for change, step in steps:
        if change.remove:
            step.table.remove(step.row)
            continue
        moved = {} if change.set.keys() <= STOCK_FIELDS and not stock_changes_date else _moved(step, now)
        step.row.extra = {**step.row.extra, **step.extra}
        step.table.replace(step.row, {**step.row.values, **moved, **step.values})
    return len(steps)


def _step(state: State, change: Change) -> _Step:
    resource = BY_PATH.get(change.resource.lower())
    administration = state.administrations.get(change.administration)
    if resource is None or administration is None:
        raise ValueError("there is no such list")
    table = administration[resource]
    row = _find(table, resource, change.key)
    fields = {one.name: one for one in resource.fields if one.name != "id"}
    if change.set.keys() & {"id", "lines", "_meta"}:
        raise ValueError("id, lines and _meta cannot be changed")
    values = {name: read_value(fields[name], value) for name, value in change.set.items() if name in fields}
    extra = {name: value for name, value in change.set.items() if name not in fields}
    return _Step(resource, table, row, values, extra)


def _find(table: Table, resource: Resource, key: int | str) -> Row:
    name = BUSINESS_KEYS.get(resource.stored_as)
    found = table.find(name, str(key)) if name else []
    row = found[0] if len(found) == 1 else table.get(str(key))
    if row is None or len(found) > 1:
        raise ValueError("no entry, or more than one, has this key")
    return row


def _moved(step: _Step, now: dt.datetime) -> Values:
    """Return the moment of the change, where such entries tell it."""
    tells = any(one.name == "dateLastChange" for one in step.resource.fields)
    return {"dateLastChange": stamp(now)} if tells else {}


def shift_list(administration: Administration, resource: Resource, rows: list[Row], how: str) -> None:
    """Let the list move while it is paged: an entry comes in front of it, or its first one goes.

    :param rows: the list as it is asked for.
    """
    if not rows:
        return
    table, first = administration[resource], rows[0]
    if how == "remove":
        table.remove(first)
        return
    name = BUSINESS_KEYS.get(resource.stored_as)
    values = {**first.values, "id": None}
    if "lines" in values:
        values["lines"] = [dict(line) for line in values["lines"]]
    if name and values.get(name):
        values[name] = f"{values[name]}-{len(table.rows)}"
    table.add(values, first=True)


def stamp(now: dt.datetime) -> str:
    """Return a moment as it is stored: local time without zone [go, inherited]."""
    return now.replace(tzinfo=None, microsecond=0).isoformat()
