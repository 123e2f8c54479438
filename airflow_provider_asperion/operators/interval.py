"""What a run was asked to do: the form's fields, and the interval of a backfill."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import Context


@dataclass(frozen=True, slots=True)
class Parameters:
    """The form of a run. ``pattern`` and ``retry`` belong to the flows that read files.

    :param retry: refused documents that are read again: keys, names of files, rules; empty: none.
    """

    dry_run: bool
    pattern: str | None
    full: bool
    retry: tuple[str, ...] = ()


def parameters(context: Context) -> Parameters:
    """Return what the form says; a DAG without the form gets the defaults."""
    params = context["params"]
    return Parameters(
        dry_run=bool(params.get("dry_run", False)),
        pattern=params.get("pattern") or None,
        full=bool(params.get("full", False)),
        retry=tuple(str(one).strip() for one in params.get("retry") or () if str(one).strip()),
    )


def archived_interval(context: Context) -> tuple[dt.datetime, dt.datetime] | None:
    """Return the interval whose archived files are read again; None: new files are read.

    The form's interval counts first. A backfill reads the interval of its run.
    """
    return _interval(context, "archived_from", "archived_to")


def changed_interval(context: Context) -> tuple[dt.datetime, dt.datetime] | None:
    """Return the interval whose changes are sent; None: as the settings say.

    The form's interval counts first. A backfill sends what changed in the interval of its run.
    """
    return _interval(context, "changed_from", "changed_to")


def reconciled_interval(context: Context) -> tuple[dt.datetime, dt.datetime] | None:
    """Return the interval that is reconciled: the form's, else that of the run; None: it has none."""
    found = _interval(context, "reconcile_from", "reconcile_to")
    if found is not None:
        return found
    run = context["dag_run"]
    start, stop = run.data_interval_start, run.data_interval_end
    if start is None or stop is None or start == stop:
        return None
    return start, stop


def _interval(context: Context, first: str, last: str) -> tuple[dt.datetime, dt.datetime] | None:
    params = context["params"]
    if params.get(first):
        end = params.get(last)
        return _moment(params[first]), _moment(end) if end else dt.datetime.now(dt.UTC)
    run = context["dag_run"]
    kind = getattr(run.run_type, "value", run.run_type)
    if kind != "backfill":
        return None
    start, stop = run.data_interval_start, run.data_interval_end
    if start is None or stop is None:
        return None
    return start, stop


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
