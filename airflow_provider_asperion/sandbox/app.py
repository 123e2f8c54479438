"""The emulator as an ASGI application: reads a request, lets faults happen, answers.

Written by hand where each request passes: the tests of a client should wait for the latency they asked for,
not for a framework. Pages and the sandbox's own calls are ordinary Starlette routes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.sandbox.admin import OWN_PREFIX, own_application
from airflow_provider_asperion.sandbox.api import Answer, Request, Twist, answer_api, refuse
from airflow_provider_asperion.sandbox.errors import Refusal
from airflow_provider_asperion.sandbox.listing import PageShift
from airflow_provider_asperion.sandbox.pages import pages_application

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from airflow_provider_asperion.sandbox.box import Box
    from airflow_provider_asperion.sandbox.faults import FaultKind, FaultRule

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Due = dict[FaultKind, FaultRule]


class Emulator:
    """The ASGI application of one box.

    :param sleep: how latency passes.
    """

    def __init__(self, box: Box, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.box = box
        self.transports: dict[tuple[Any, ...], asyncio.BaseTransport] = {}
        self._sleep = sleep
        self._pages = pages_application(box)
        self._own = own_application(box)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if scope["path"].startswith(OWN_PREFIX):
            await self._own(scope, receive, send)
            return
        begun = self.box.clock()
        request = await _read(scope, receive)
        with self.box.state.lock:
            due = self.box.faults.at(request.method, request.route)
        status = await self._answer(scope, request, receive, send, due)
        # The path only: a query may hold an e-mail address.
        self.box.requests.append((request.method, request.route, status, (self.box.clock() - begun) * 1000))

    async def _answer(self, scope: Scope, request: Request, receive: Receive, send: Send, due: Due) -> int:
        """Do the work, with what goes wrong; return the status that was sent, 0 for none."""
        await self._wait(due)
        if "hang" in due:
            return await self._hang(due["hang"], scope, receive)
        answer = self._refused_before(request, due)
        if answer is None:
            answer = await self._work(scope, request, due)
            if "error_after_saving" in due:
                answer = self._failure(request, due["error_after_saving"])
            if "hang_after_saving" in due:
                return await self._hang(due["hang_after_saving"], scope, receive)
            if "lost_answer" in due:
                return await self._hang_up(scope, receive)
            if "broken_json" in due:
                answer.body = answer.body[: len(answer.body) * 2 // 3] + b"}"
        await _send(send, answer, cut="cut_body" in due)
        return answer.status

    async def _wait(self, due: Due) -> None:
        switches = self.box.switches
        seconds = switches.latency_ms / 1000
        if switches.jitter_ms:
            seconds += self.box.chance.uniform(0, switches.jitter_ms) / 1000
        if "latency" in due:
            seconds += due["latency"].wait_seconds(self.box.chance)
        if seconds:
            await self._sleep(seconds)

    def _refused_before(self, request: Request, due: Due) -> Answer | None:
        """Return the refusal of a call that is not worked on at all."""
        if "too_many_requests" in due:
            answer = refuse(self.box, request, Refusal(429, "busy"))
            after = due["too_many_requests"].retry_after
            if after is not None:
                answer.headers["retry-after"] = str(after)
            return answer
        if "error_before_saving" in due:
            return self._failure(request, due["error_before_saving"])
        if "token_expiry" in due:
            self.box.oauth.expire_access_tokens()
            return refuse(self.box, request, Refusal(401, "login"))
        return None

    def _failure(self, request: Request, rule: FaultRule) -> Answer:
        return refuse(self.box, request, Refusal(rule.status, "failure"))

    async def _work(self, scope: Scope, request: Request, due: Due) -> Answer:
        route = request.route
        if not route.startswith("/v1/") or route.endswith("/file"):
            return await _captured(self._pages, {**scope, "path": route}, request.body)
        shift = PageShift(due["page_shift"].entry_came) if "page_shift" in due else None
        lag = due["read_back_lag"].seconds if "read_back_lag" in due else 0.0
        return answer_api(self.box, request, Twist(shift, lag))

    async def _hang(self, rule: FaultRule, scope: Scope, receive: Receive) -> int:
        """Keep silent until the time is over or the client gives up."""
        asleep = asyncio.ensure_future(self._sleep(rule.seconds))
        gone = asyncio.ensure_future(_gone(receive))
        _, pending = await asyncio.wait({asleep, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return await self._hang_up(scope, receive)

    async def _hang_up(self, scope: Scope, receive: Receive) -> int:
        """Close the connection without an answer."""
        transport = self.transports.get(tuple(scope.get("client") or ()))
        if transport is not None:
            transport.close()
        await _gone(receive)
        return 0


async def _read(scope: Scope, receive: Receive) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    pieces = []
    more = scope["method"] != "GET"
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query_string=scope["query_string"].decode("latin-1"),
        headers=headers,
        base=f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}",
        body=b"".join(pieces),
    )


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, answer: Answer, *, cut: bool) -> None:
    headers = [(b"content-length", str(len(answer.body)).encode())]
    if answer.body:
        headers.append((b"content-type", answer.content_type.encode("latin-1")))
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    # A server that got less than was announced closes the connection: the rest never comes.
    body = answer.body[: len(answer.body) // 2] if cut else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": cut})


async def _captured(application: Any, scope: Scope, body: bytes) -> Answer:
    """Let an ASGI application answer, and keep what it says."""
    answer = Answer(500)
    pieces: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            answer.content_type = headers.pop("content-type", "")
            headers.pop("content-length", None)
            answer.headers = headers
        else:
            pieces.append(message.get("body", b""))

    await application(scope, receive, send)
    answer.body = b"".join(pieces)
    return answer
