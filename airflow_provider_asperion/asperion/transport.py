"""One HTTP exchange over aiohttp; each way in which it can fail becomes an error of ours, without values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from airflow_provider_asperion.asperion.errors import (
    AnswerLost,
    AsperionError,
    BadAddress,
    BadAnswer,
    ConnectFailed,
    TlsFailed,
)
from airflow_provider_asperion.asperion.exact_json import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_TYPES = ("application/json", "application/problem+json")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` is None when it was empty or is not JSON; ``json`` says whether it is."""

    status: int
    headers: Mapping[str, str]
    body: Any
    json: bool
    empty: bool


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    path: str,
    headers: Mapping[str, str],
    limits: aiohttp.ClientTimeout,
    write: bool,
    params: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """Send a request and read the whole answer. Redirects are not followed.

    :param path: how errors name the call.
    :param limits: time-outs.
    :raises ConnectFailed: nothing was sent.
    :raises AnswerLost: it was sent, and no whole answer came.
    """
    failure: AsperionError
    try:
        async with session.request(
            method,
            url,
            params=params or None,
            data=content,
            headers=headers,
            timeout=limits,
            allow_redirects=False,
        ) as response:
            return _answer(response, await response.read())
    except (aiohttp.ClientError, OSError) as error:
        failure = _failure(error, method, path, write)
    # Raised outside of the handler: the cause would carry the URL with its query into logs.
    raise failure


def _answer(response: aiohttp.ClientResponse, content: bytes) -> Answer:
    body: Any = None
    readable = False
    if content.strip() and response.content_type in JSON_TYPES:
        try:
            body = decode(content)
            readable = True
        except ValueError:
            readable = False
    return Answer(response.status, response.headers, body, readable, not content.strip())


def _failure(error: Exception, method: str, path: str, write: bool) -> AsperionError:
    """Tell a failure of the transport: was anything sent, and may trying again help."""
    name = type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return TlsFailed(f"no secure connection ({name})", method=method, path=path)
    if isinstance(
        error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError
    ):
        return ConnectFailed(f"could not connect ({name})", method=method, path=path)
    if isinstance(error, aiohttp.InvalidURL):
        return BadAddress("the address is not a URL", method=method, path=path)
    if isinstance(error, TimeoutError):
        return AnswerLost("no answer in time", method=method, path=path, unclear=write)
    return AnswerLost(f"the connection broke ({name})", method=method, path=path, unclear=write)


def unreadable(answer: Answer, *, method: str, path: str, write: bool) -> BadAnswer:
    """Make the error of a success whose body cannot be read."""
    what = "is empty" if answer.empty else "is not JSON"
    return BadAnswer(f"the answer {what}", method=method, path=path, status=answer.status, unclear=write)
