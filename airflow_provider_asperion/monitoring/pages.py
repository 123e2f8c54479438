"""Makes pages of templates: what every page knows, and how moments, amounts and states are shown."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, select_autoescape

from airflow_provider_asperion.hooks.flows import BY_NAME, flow_of
from airflow_provider_asperion.monitoring.forms import token_for
from airflow_provider_asperion.monitoring.place import PREFIX

if TYPE_CHECKING:
    from fastapi import Request

    from airflow_provider_asperion.monitoring.rights import Rights

# What each state means to a person: good, waiting, needs somebody, or neither.
_TONES = {
    "good": ("done", "posted", "created", "adopted", "updated", "create", "update", "understood", "adopt"),
    "bad": ("refused", "held", "failed", "refuse"),
    "busy": ("open", "intended", "running", "sent", "pending", "patched"),
}
_KINDS = {
    "sales_order": "sales order",
    "sales_invoice": "sales invoice",
    "source_document": "document",
    "debtor": "customer",
    "article": "product",
    "products_to_sap": "product to SAP",
    "stock_to_sap": "stock to SAP",
    "customers_to_sap": "customer to SAP",
    "orders_to_sap": "order to SAP",
}


@lru_cache(maxsize=1)
def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("airflow_provider_asperion.monitoring"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        moment=moment,
        ago=ago,
        lasting=lasting,
        tone=tone,
        kind=kind_in_words,
        figure=figure,
        query=urlencode,
        path=_path,
    )
    found.globals.update(flow_of=flow_of, flows=BY_NAME)
    return found


def page(
    request: Request, rights: Rights, template: str, /, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return a page for a user."""
    base = address(request, "")
    text = (
        _templates()
        .get_template(template)
        .render(
            base=base,
            airflow=base.removesuffix(PREFIX),
            token=token_for(rights.user),
            now=dt.datetime.now(dt.UTC),
            here=request.url.path.removeprefix(base),
            **values,
        )
    )
    return HTMLResponse(text, status_code=status)


def address(request: Request, path: str) -> str:
    """Return the address of one of our pages, as the browser sees it.

    ``request.url_for`` would ask the routes of Airflow, in whose app ours is mounted.
    """
    return str(request.scope.get("root_path", "")).rstrip("/") + path


def plain_page(request: Request, status: int, title: str, text: str) -> HTMLResponse:
    """Return a page for somebody who may see no other."""
    base = address(request, "")
    body = (
        _templates()
        .get_template("plain.html")
        .render(base=base, airflow=base.removesuffix(PREFIX), title=title, text=text, status=status)
    )
    return HTMLResponse(body, status_code=status)


def moment(value: dt.datetime | None) -> str:
    """Return a moment in UTC, to the second."""
    return "" if value is None else value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(value: dt.datetime | None, now: dt.datetime) -> str:
    """Return how long ago a moment was, in its largest unit."""
    if value is None:
        return "never"
    seconds = (now - value).total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' * (count > 1)} ago"
    return "just now"


def lasting(seconds: float | None) -> str:
    """Return a duration."""
    if seconds is None:
        return "still running"
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def figure(value: float) -> str:
    """Return a figure with at most one place after the point."""
    return f"{value:,.1f}".removesuffix(".0")


def tone(state: str) -> str:
    """Return what a state means to a person: ``good``, ``bad``, ``busy`` or ``quiet``."""
    return next((name for name, states in _TONES.items() if state in states), "quiet")


def kind_in_words(kind: str) -> str:
    """Return what people call a kind of record."""
    return _KINDS.get(kind.partition("/")[0], kind)


def _path(text: str) -> str:
    return quote(text, safe="")
