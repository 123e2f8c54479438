"""The calls under ``/v1``: who may, which administration, which list, and what comes back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from airflow_provider_asperion.sandbox import schema
from airflow_provider_asperion.sandbox.bodies import read_object
from airflow_provider_asperion.sandbox.documents import Moment, Writer
from airflow_provider_asperion.sandbox.encoding import encode, encode_row
from airflow_provider_asperion.sandbox.errors import Refusal, problem
from airflow_provider_asperion.sandbox.listing import list_body

if TYPE_CHECKING:
    from airflow_provider_asperion.sandbox.box import Box
    from airflow_provider_asperion.sandbox.listing import PageShift, Query
    from airflow_provider_asperion.sandbox.schema import Resource
    from airflow_provider_asperion.sandbox.state import Administration, Row

TENANT_HEADERS = ("x-tenant-id", "x-tenantid")
"""Both spellings that the help pages use [help] [go]."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it came in.

    :param path: as sent; ``route`` is the same in lower case and without a slash at its end.
    :param base: what absolute addresses of answers begin with.
    """

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    base: str
    body: bytes = b""

    @property
    def route(self) -> str:
        """The path as it is compared: in any case, with or without a slash at its end [inferred]."""
        return self.path.lower().rstrip("/") or "/"


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Twist:
    """What faults change about the work itself."""

    shift: PageShift | None = None
    lag: float = 0.0


def refuse(box: Box, request: Request, refusal: Refusal) -> Answer:
    """Answer with a problem [go]."""
    body = problem(
        refusal, language=request.headers.get("accept-language", ""), trace_id=f"00-{uuid.uuid4().hex}-00"
    )
    return Answer(refusal.status, encode(body).encode(), box.switches.problem_content_type)


def answer_api(box: Box, request: Request, twist: Twist) -> Answer:
    """Answer a call under ``/v1``."""
    try:
        if not box.oauth.accepts(request.headers.get("authorization", "")):
            raise Refusal(401, "login")
        with box.state.lock:
            return _Call(box, request, twist).answer()
    except Refusal as refusal:
        return refuse(box, request, refusal)


def upload_target(box: Box, request: Request) -> tuple[Administration, Row]:
    """Return where the file of ``POST .../salesinvoiceswithlines/{id}/file`` belongs [go].

    :raises Refusal: 401, 403 or 404.
    """
    if not box.oauth.accepts(request.headers.get("authorization", "")):
        raise Refusal(401, "login")
    call = _Call(box, request, Twist())
    return call.administration, call.row(schema.SALES_INVOICES, request.route.split("/")[3])


class _Call:
    """One call, checked and in its administration. Made while holding the lock."""

    def __init__(self, box: Box, request: Request, twist: Twist) -> None:
        self.box = box
        self.request = request
        self.twist = twist
        self.administration = self._tenant()
        self.query: Query = parse_qsl(request.query_string, keep_blank_values=True)
        self.base = request.base if box.switches.absolute_links else ""

    def answer(self) -> Answer:
        parts = self.request.route.split("/")[2:]
        resource = schema.BY_PATH.get(parts[0]) if parts else None
        if resource is None or len(parts) > 2:
            raise Refusal(404, "missing")
        method = self.request.method
        if method not in resource.verbs or ((method == "POST") == (len(parts) == 2) and method != "GET"):
            raise Refusal(405, "method")
        if method == "POST":
            return self._create(resource)
        if len(parts) == 1:
            return Answer(200, self._list(resource))
        # Ids such as V21 keep their case.
        row = self.row(resource, unquote(self.request.path.rstrip("/").rsplit("/", 1)[1]))
        if method != "GET":
            self._writer().update(resource, row, self._body(), whole=method == "PUT")
        return self._one(resource, row)

    def row(self, resource: Resource, key: str) -> Row:
        """Return an entry.

        :raises Refusal: 404.
        """
        row = self.administration[resource].get(key)
        if row is None or row.visible_at > self.box.clock():
            raise Refusal(404, "missing")
        return row

    def _tenant(self) -> Administration:
        """Return the administration asked for; the user's own without a header [help]."""
        state = self.box.state
        wanted = next(
            (self.request.headers[name] for name in TENANT_HEADERS if name in self.request.headers), None
        )
        if wanted is None:
            return state.administrations[state.default_administration]
        wanted = wanted.strip()
        known = wanted.isascii() and wanted.isdigit() and len(wanted) < 10
        administration = state.administrations.get(int(wanted)) if known else None
        if administration is None:
            raise Refusal(self.box.switches.foreign_tenant_status, "tenant")
        return administration

    def _list(self, resource: Resource) -> bytes:
        return list_body(
            self.administration,
            resource,
            self.query,
            self.box.switches,
            base=self.base,
            now=self.box.clock(),
            shift=self.twist.shift,
        )

    def _create(self, resource: Resource) -> Answer:
        writer = self._writer()
        row = writer.create(resource, self._body())
        if row is None:
            return Answer(self.box.switches.validated_status)
        return self._one(resource, row, self.box.switches.created_status)

    def _one(self, resource: Resource, row: Row, status: int = 200) -> Answer:
        """Answer with one object, at the root [go]."""
        form = self.box.switches.date_form
        return Answer(status, encode_row(row, resource, base=self.base, date_form=form))

    def _writer(self) -> Writer:
        asked = {name.lower(): value.lower() for name, value in self.query}
        visible_at = self.box.clock() + self.twist.lag if self.twist.lag else 0.0
        return Writer(
            self.administration,
            self.box.switches,
            Moment(self.box.now(), visible_at),
            validate_only=asked.get("validateonly") == "true",
        )

    def _body(self) -> dict[str, object]:
        return read_object(self.request.body, self.request.headers.get("content-type", ""))
