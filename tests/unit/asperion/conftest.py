"""A scripted API on the loopback, and clients of it with a clock that only moves when somebody sleeps."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airflow_provider_asperion.asperion import (
    AdaptiveLimiter,
    Asperion,
    AsperionClient,
    ClientOptions,
    Names,
    Retrier,
    RetryPolicy,
    StaticToken,
)

ADMINISTRATION = 12
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: Any, status: int = 200, **headers: str) -> web.Response:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "application/problem+json" if status >= 400 else "application/json"
    return web.Response(text=text, status=status, content_type=kind, headers=headers)


def listing(
    *items: dict[str, Any], administration: int | None = ADMINISTRATION, **meta: Any
) -> dict[str, Any]:
    return {"_data": list(items), "_meta": {"administrationId": administration, "nextPage": None, **meta}}


class FakeTime:
    """A clock that moves by sleeping only."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.seconds

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 23, tzinfo=dt.UTC) + dt.timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Api:
    """Answers requests from a script: one handler per path, asked in turn, the last one for ever."""

    url: str = ""
    requests: list[tuple[str, str, dict[str, str], dict[str, str], bytes]] = field(default_factory=list)
    scripts: dict[str, list[Handler]] = field(default_factory=dict)

    def script(self, path: str, *handlers: Handler | web.Response | dict[str, Any]) -> None:
        self.scripts[path] = [_handler(handler) for handler in handlers]

    def calls(
        self, path: str, method: str | None = None
    ) -> list[tuple[dict[str, str], dict[str, str], bytes]]:
        return [
            (query, headers, content)
            for verb, called, query, headers, content in self.requests
            if called == path and method in (None, verb)
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            (request.method, request.path, dict(request.query), dict(request.headers), await request.read())
        )
        script = self.scripts.get(f"{request.method} {request.path}") or self.scripts.get(request.path)
        if script is None:
            return answer({"title": "Not found", "status": 404}, 404)
        handler = script.pop(0) if len(script) > 1 else script[0]
        return await handler(request)


def _handler(thing: Handler | web.Response | dict[str, Any]) -> Handler:
    if callable(thing) and not isinstance(thing, web.Response):
        return thing

    async def handler(request: web.Request) -> web.StreamResponse:
        if isinstance(thing, web.Response):
            # A response can be sent once only.
            return web.Response(body=thing.body, status=thing.status, headers=thing.headers)
        return answer(thing)

    return handler


@pytest.fixture
async def api():
    script = Api()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", script.handle)
    script.script("/v1/paymentconditions", listing())
    async with TestServer(application) as server:
        script.url = str(server.make_url("")).rstrip("/")
        yield script


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def make_client(api: Api, session: aiohttp.ClientSession, time: FakeTime):
    def make(**changes: Any) -> AsperionClient:
        options = changes.pop("options", ClientOptions(read_timeout=0.3))
        policy = changes.pop("policy", RetryPolicy(attempts=3))
        settings: dict[str, Any] = {
            "base_url": api.url,
            "administration": ADMINISTRATION,
            "auth": StaticToken("token-1"),
            "options": options,
            "limiter": AdaptiveLimiter(options.in_flight, clock=time.clock, sleep=time.sleep),
            "retrier": Retrier(policy, sleep=time.sleep, random=lambda: 0.5, clock=time.clock),
            "now": time.now,
            **changes,
        }
        return AsperionClient(session, **settings)

    return make


@pytest.fixture
def client(make_client) -> AsperionClient:
    return make_client()


@pytest.fixture
def asperion(client: AsperionClient) -> Asperion:
    return Asperion(client)


@pytest.fixture
def make_asperion(make_client):
    def make(**changes: Any) -> Asperion:
        names = Names.model_validate(changes.pop("names", {}))
        return Asperion(make_client(names=names, **changes))

    return make


@pytest.fixture
def build():
    """The helpers of this module, for tests that write scripts."""

    class Build:
        answer = staticmethod(answer)
        listing = staticmethod(listing)

    return Build
