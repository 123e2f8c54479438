"""The sandbox's own calls under ``/_sandbox``: look into it, switch faults, start anew. Loopback only."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.changes import Change
from airflow_provider_asperion.sandbox.encoding import decode, encode
from airflow_provider_asperion.sandbox.faults import FaultRule
from airflow_provider_asperion.sandbox.seed import Seed
from airflow_provider_asperion.sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.requests import Request

    from airflow_provider_asperion.sandbox.box import Box
    from airflow_provider_asperion.sandbox.state import Administration, Row, Values

    Handler = Callable[[Request], Awaitable[Response]]

OWN_PREFIX = "/_sandbox/"

_DOCUMENT_FIELDS = (
    "id",
    "reference",
    "orderNumber",
    "invoiceNumber",
    "description",
    "debtorId",
    "debtorCustomerNumber",
    "date",
    "status",
    "amountExclVat",
    "vatAmount",
    "amountInclVat",
)
_DEBTOR_FIELDS = ("id", "customerNumber", "name", "emailAddress", "debtorKindId", "paymentConditionId")


def own_application(box: Box) -> Starlette:
    """Return the application of the sandbox's own calls."""
    own = _Own(box)
    return Starlette(
        routes=[
            Route("/_sandbox/state", _local(own.state)),
            Route("/_sandbox/reset", _local(own.reset), methods=["POST"]),
            Route("/_sandbox/change", _local(own.change), methods=["POST"]),
            Route("/_sandbox/requests", _local(own.requests), methods=["GET", "DELETE"]),
            Route("/_sandbox/switches", _local(own.switches), methods=["GET", "PATCH"]),
            Route("/_sandbox/faults", _local(own.faults), methods=["GET", "POST", "DELETE"]),
        ]
    )


def _local(handler: Handler) -> Handler:
    """Let only this machine in."""

    async def guarded(request: Request) -> Response:
        if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            return JSONResponse({"error": "only from this machine"}, 403)
        return await handler(request)

    return guarded


class _Own:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def state(self, request: Request) -> Response:
        """Tell what each administration holds; with ``?seeded=true`` what was there from the start, too."""
        seeded = request.query_params.get("seeded") == "true"
        with self._box.state.lock:
            body = {"administrations": summary(self._box, seeded=seeded)}
        return Response(encode(body), media_type="application/json")

    async def reset(self, request: Request) -> Response:
        """Start anew; with a body, with so many articles, debtors, orders and invoices."""
        content = await request.body()
        try:
            seed = Seed.model_validate_json(content) if content else None
        except ValueError as error:
            return _wrong(error)
        self._box.reset(seed)
        return Response(status_code=204)

    async def change(self, request: Request) -> Response:
        """Change or remove entries behind the API's back: one, or a list of which all are made or none."""
        try:
            body = decode(await request.body())
            changes = [Change.model_validate(one) for one in (body if isinstance(body, list) else [body])]
        except ValueError as error:
            return _wrong(error)
        try:
            return JSONResponse({"changed": self._box.change(changes)})
        except (ValueError, OverflowError) as error:
            return JSONResponse({"error": str(error) or "a value is not of the type of its field"}, 400)

    async def requests(self, request: Request) -> Response:
        """Tell the calls so far: method, path, status (0: no answer), milliseconds. No bodies, no queries."""
        if request.method == "DELETE":
            self._box.requests.clear()
            return Response(status_code=204)
        names = ("method", "path", "status", "ms")
        return JSONResponse([dict(zip(names, entry, strict=True)) for entry in list(self._box.requests)])

    async def switches(self, request: Request) -> Response:
        """Tell the switches; change those that are sent."""
        if request.method == "PATCH":
            try:
                changes = await request.json()
                changed = Switches.model_validate({**self._box.switches.model_dump(), **changes})
            except (ValueError, TypeError) as error:
                return _wrong(error)
            for name, value in changed:
                setattr(self._box.switches, name, value)
        return JSONResponse(self._box.switches.model_dump())

    async def faults(self, request: Request) -> Response:
        """Tell the rules and how often each fired; add one or a list of them; lift all."""
        if request.method == "DELETE":
            self._box.faults.clear()
            return Response(status_code=204)
        if request.method == "POST":
            try:
                body = await request.json()
                items = body if isinstance(body, list) else [body]
                rules = [FaultRule.model_validate(item) for item in items]
            except ValueError as error:
                return _wrong(error)
            with self._box.state.lock:
                self._box.faults.rules.extend(rules)
        return JSONResponse(self._box.faults.report())


def summary(box: Box, *, seeded: bool = False) -> dict[str, Any]:
    """Return what the administrations hold, by id. Call it while holding the lock of the state.

    :param seeded: documents and debtors that were there from the start, too.
    """
    return {str(key): _administration(one, seeded) for key, one in box.state.administrations.items()}


def _administration(administration: Administration, seeded: bool) -> dict[str, Any]:
    """Return the documents and debtors that were added, counts, stock, and what is there twice."""
    orders = list(administration[schema.SALES_ORDERS].rows.values())
    invoices = list(administration[schema.SALES_INVOICES].rows.values())
    debtors = list(administration[schema.DEBTORS].rows.values())
    articles = list(administration[schema.ARTICLES].rows.values())
    return {
        "name": administration.name,
        "orderCount": len(orders),
        "orders": [_document(row) for row in orders if seeded or not row.seeded],
        "invoiceCount": len(invoices),
        "invoices": [_document(row) for row in invoices if seeded or not row.seeded],
        "debtorCount": len(debtors),
        "debtors": [_only(row, _DEBTOR_FIELDS) for row in debtors if seeded or not row.seeded],
        "articleCount": len(articles),
        "stock": {row.values["code"]: row.values["currentStock"] for row in articles},
        "duplicates": {
            "orders": _twice(row.values.get("reference") for row in orders),
            "invoices": _twice(row.values.get("invoiceNumber") for row in invoices),
            "debtorNumbers": _twice(row.values.get("customerNumber") for row in debtors),
            "debtorEmails": _twice(_folded(row.values.get("emailAddress")) for row in debtors),
        },
    }


def _document(row: Row) -> Values:
    values = {name: value for name, value in _only(row, _DOCUMENT_FIELDS).items() if value is not None}
    return {**values, "lineCount": len(row.values["lines"])}


def _only(row: Row, names: Iterable[str]) -> Values:
    return {name: row.values.get(name) for name in names}


def _folded(text: str | None) -> str | None:
    return "".join(text.split()).casefold() if text else None


def _twice(values: Iterable[str | None]) -> dict[str, int]:
    counts = Counter(value for value in values if value)
    return {value: count for value, count in counts.items() if count > 1}


def _wrong(error: Exception) -> Response:
    if isinstance(error, ValidationError):
        return JSONResponse({"error": error.errors(include_url=False, include_context=False)}, 400)
    return JSONResponse({"error": "the body is not what is expected here"}, 400)
