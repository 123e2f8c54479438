"""The HTTP client of Asperion's API: login, tenant, retries, time-outs and paging around each call."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_asperion.asperion.errors import (
    AnswerLost,
    AsperionError,
    LoginRefused,
    RateLimited,
    ServerFault,
    WrongAdministration,
    error_of_status,
)
from airflow_provider_asperion.asperion.exact_json import encode
from airflow_provider_asperion.asperion.limiter import AdaptiveLimiter
from airflow_provider_asperion.asperion.names import Names
from airflow_provider_asperion.asperion.paging import Pager
from airflow_provider_asperion.asperion.requests import note
from airflow_provider_asperion.asperion.retry import Retrier, RetryPolicy, parse_retry_after, utc_now
from airflow_provider_asperion.asperion.transport import exchange, unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from airflow_provider_asperion.asperion.auth import Auth
    from airflow_provider_asperion.asperion.limiter import Slot
    from airflow_provider_asperion.asperion.retry import Now
    from airflow_provider_asperion.asperion.transport import Answer

log = logging.getLogger(__name__)

Query = dict[str, str]


class ClientOptions(BaseModel):
    """How patient the client is. Times in seconds.

    :param total_timeout: for one request with its answer.
    :param connect_timeout: for making the connection.
    :param read_timeout: between two pieces of the answer.
    :param in_flight: requests at a time at most; fewer while the server struggles.
    :param language: ``Accept-Language``: one language, so that messages are the same everywhere [help].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    total_timeout: float = Field(60, gt=0)
    connect_timeout: float = Field(10, gt=0)
    read_timeout: float = Field(30, gt=0)
    in_flight: int = Field(8, ge=1)
    language: str = "en-US"
    user_agent: str = "airflow-provider-asperion"
    retry: RetryPolicy = RetryPolicy()


@dataclass(slots=True)
class Stats:
    """What a client did, for the task log."""

    requests: int = 0
    retries: int = 0
    waited: float = 0.0

    def __str__(self) -> str:
        return f"{self.requests} requests, {self.retries} of them repeats, {self.waited:.1f} s waited"


class AsperionClient:
    """Calls the API for one administration. Make one per task; it may be shared by all its coroutines.

    :param session: carries proxy and TLS settings; stays the caller's to close.
    :param base_url: such as ``https://api.asperion.nl``.
    :param administration: its id; None: only administrations can be listed.
    :param auth: gives the bearer tokens.
    :param limiter: shared by the clients that should count as one; made here when absent.
    :param retrier: repeats calls; made here when absent.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        administration: int | None,
        auth: Auth,
        names: Names | None = None,
        options: ClientOptions | None = None,
        limiter: AdaptiveLimiter | None = None,
        retrier: Retrier | None = None,
        now: Now = utc_now,
    ) -> None:
        self.administration = administration
        self.names = names or Names()
        self.stats = Stats()
        self._options = options or ClientOptions()
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._limiter = limiter or AdaptiveLimiter(self._options.in_flight)
        self._retrier = retrier or Retrier(self._options.retry)
        self._now = now
        self._verified = asyncio.Event()
        self._verifying = asyncio.Lock()
        self._limits = aiohttp.ClientTimeout(
            total=self._options.total_timeout,
            sock_connect=self._options.connect_timeout,
            sock_read=self._options.read_timeout,
        )

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, tenant: bool = True) -> Any:
        """Read. Repeated on every transient error.

        :param tenant: False for a call that belongs to no administration.
        :return: the JSON body; numbers with a point are Decimal.
        :raises AsperionError: see :mod:`.errors`.
        """
        return await self._call("GET", path, query, None, write=False, tenant=tenant)

    async def post(self, path: str, body: object, query: Mapping[str, str] | None = None) -> Any:
        """Create. Repeated only when it is certain that nothing was stored.

        :return: the JSON body, None when the answer had none.
        :raises AsperionError: with ``unclear`` set when it may have been stored.
        """
        return await self._call("POST", path, query, body, write=True)

    async def put(self, path: str, body: object, query: Mapping[str, str] | None = None) -> Any:
        """Replace; see :meth:`post`."""
        return await self._call("PUT", path, query, body, write=True)

    async def patch(self, path: str, body: object, query: Mapping[str, str] | None = None) -> Any:
        """Change; see :meth:`post`."""
        return await self._call("PATCH", path, query, body, write=True)

    async def items(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        page_size: int | None = None,
        tenant: bool = True,
        pager: Pager | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the items of a list, page after page, each id once.

        :param pager: one of :meth:`pager`, to ask afterwards whether the list moved meanwhile.
        :raises BadAnswer: when the answer is no list, or its pages go in circles before all items came.
        """
        query_names = self.names.query
        pager = pager or self.pager(path)
        size = str(page_size or self.names.habits.page_size)
        while pager.page is not None:
            pager.asked_at = self._now()
            paging = {query_names.page: str(pager.page), query_names.page_size: size}
            for item in pager.read(await self.get(path, {**(query or {}), **paging}, tenant=tenant)):
                yield item

    def pager(self, path: str, id_name: str = "id") -> Pager:
        """Return what walks the pages of a list once.

        :param id_name: field by which an entry is known again.
        """
        first, name = self.names.habits.first_page, self.names.query.page
        return Pager(path, page_name=name, first_page=first, id_name=id_name)

    async def verify_administration(self) -> None:
        """Make sure that the administration asked for is the one that answers; free after the first time.

        Every write does this first: a tenant header that the server does not know would else send orders to
        the user's default administration.

        :raises WrongAdministration: when another one answers, or it cannot be told which.
        """
        if self._verified.is_set() or not self.names.habits.verify_administration:
            self._required_administration()
            return
        async with self._verifying:
            if self._verified.is_set():
                return
            self._required_administration()
            sizes = {
                self.names.query.page: str(self.names.habits.first_page),
                self.names.query.page_size: "1",
            }
            await self.get(self.names.paths.payment_conditions, sizes)
            if not self._verified.is_set():
                raise WrongAdministration(
                    "the answer does not say which administration it is of; nothing sent"
                )

    def _required_administration(self) -> int:
        if self.administration is None:
            raise WrongAdministration("no administration is chosen")
        return self.administration

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        *,
        write: bool,
        tenant: bool = True,
    ) -> Any:
        if write:
            await self.verify_administration()
        headers = self._headers(tenant)
        content = None
        if body is not None:
            content = encode(body).encode()
            headers["Content-Type"] = "application/json; charset=utf-8"
        attempts = 0

        async def attempt() -> Any:
            nonlocal attempts
            attempts += 1
            self.stats.retries += attempts > 1
            return await self._attempt(method, path, query, headers, content, write=write)

        result = await self._retrier.run(attempt, on_wait=self._waited)
        if tenant:
            self._check_administration(result, method, path)
        return result

    def _waited(self, seconds: float, error: AsperionError) -> None:
        self.stats.waited += seconds
        log.info("waiting %.1f s before trying again: %s", seconds, error)

    def _headers(self, tenant: bool) -> dict[str, str]:
        headers = {
            "Accept": "application/json, application/problem+json",
            "Accept-Language": self._options.language,
            "User-Agent": self._options.user_agent,
        }
        if tenant:
            headers[self.names.tenant_header] = str(self._required_administration())
        return headers

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes | None,
        *,
        write: bool,
    ) -> Any:
        """Send once; with a token that is refused, renew it and send once more."""
        token = await self._auth.bearer(self._session)
        try:
            return await self._send(method, path, query, headers, content, token, write=write)
        except LoginRefused:
            token = await self._auth.renew(self._session, token)
        return await self._send(method, path, query, headers, content, token, write=write)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes | None,
        token: str,
        *,
        write: bool,
    ) -> Any:
        async with self._limiter.slot() as slot:
            self.stats.requests += 1
            try:
                answer = await exchange(
                    self._session,
                    method,
                    self._base_url + path,
                    path=path,
                    headers={**headers, "Authorization": f"Bearer {token}"},
                    limits=self._limits,
                    write=write,
                    params=query,
                    content=content,
                )
                result = self._result(answer, method, path, write)
            except AsperionError as error:
                note(method, path, error.status, error.trace_id)
                self._slow_down(slot, error)
                raise
        note(method, path, answer.status)
        return result

    def _slow_down(self, slot: Slot, error: AsperionError) -> None:
        if isinstance(error, RateLimited | AnswerLost) or (
            isinstance(error, ServerFault) and error.status in (408, 503, 504)
        ):
            slot.struggled(self._hold(error))

    def _hold(self, error: AsperionError) -> float:
        """Return how long all requests of this client keep still: what the server asked, within reason."""
        asked = error.retry_after or 0.0
        return asked if asked <= self._options.retry.longest_retry_after else 0.0

    def _result(self, answer: Answer, method: str, path: str, write: bool) -> Any:
        """Return the body of a success; raise for the rest."""
        is_problem = (
            self.names.habits.problem_in_success
            and isinstance(answer.body, dict)
            and "title" in answer.body
            and bool({"status", "detail"} & answer.body.keys())
        )
        if not 200 <= answer.status < 300 or is_problem:
            raise self._refusal(answer, method, path, write)
        if answer.json:
            return answer.body
        if answer.empty and write:
            return None
        raise unreadable(answer, method=method, path=path, write=write)

    def _refusal(self, answer: Answer, method: str, path: str, write: bool) -> AsperionError:
        body = answer.body if isinstance(answer.body, dict) else {}
        status = answer.status
        stated = body.get("status")
        if 200 <= status < 300 and isinstance(stated, int) and 400 <= stated < 600:
            # The problem knows better than the line it came under.
            status = stated
        return error_of_status(
            status,
            body,
            method=method,
            path=path,
            write=write,
            retry_after=parse_retry_after(answer.headers.get("Retry-After"), self._now()),
        )

    def _check_administration(self, body: Any, method: str, path: str) -> None:
        """Compare the administration that an answer names with ours."""
        meta = body.get("_meta") if isinstance(body, dict) else None
        named = meta.get("administrationId") if isinstance(meta, dict) else None
        if named is None:
            return
        if str(named) != str(self.administration):
            raise WrongAdministration(
                f"administration {named!r} answered instead of {self.administration}"
                if isinstance(named, int)
                else "another administration answered",
                method=method,
                path=path,
                unclear=method != "GET",
            )
        self._verified.set()
