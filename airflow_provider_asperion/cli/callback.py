"""Waits at a loopback port for the browser that comes back from a login (RFC 8252, section 7.3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_asperion.asperion.auth import AuthorizationRequest, code_of_callback
from airflow_provider_asperion.asperion.errors import ConsentNeeded, LoginRefused
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WAIT_SECONDS = 600.0
REQUEST_SECONDS = 10.0
MOST_BYTES = 16_384


async def wait_for_callback(
    request: AuthorizationRequest,
    redirect_uri: str,
    *,
    on_ready: Callable[[], None],
    wait_seconds: float = WAIT_SECONDS,
) -> str:
    """Return the code of the login.

    Answers that do not belong to this login are turned away, and the wait goes on.

    :param on_ready: called once the port listens.
    :raises ConsentNeeded: the person did not consent.
    :raises ProblemError: the address cannot be listened at, or nobody came in time.
    """
    address = urlsplit(redirect_uri)
    if address.scheme != "http" or address.hostname not in LOOPBACK:
        raise ProblemError(_not_here(redirect_uri))
    done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                target = await _target(reader)
                writer.write(_answer(*_judged(target, address.path or "/", request, done)))
                await writer.drain()
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # no browser of ours
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(serve, address.hostname, address.port or 80, limit=MOST_BYTES)
    except OSError as error:
        raise ProblemError(_port_taken(redirect_uri)) from error
    async with server:
        on_ready()
        try:
            async with asyncio.timeout(wait_seconds):
                return await done
        except TimeoutError:
            raise ProblemError(_nobody_came(wait_seconds)) from None


async def _target(reader: asyncio.StreamReader) -> str:
    """Return the target of an HTTP request; its headers are read and forgotten."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
    if method != "GET":
        raise ValueError("only GET is answered")
    return target


def _judged(
    target: str, path: str, request: AuthorizationRequest, done: asyncio.Future[str]
) -> tuple[str, str]:
    """Return status and text for the browser; settle the login where the answer belongs to it."""
    if (urlsplit(target).path or "/") != path:
        return "404 Not Found", "Nothing here."
    try:
        code = code_of_callback(target, request)
    except ConsentNeeded as error:
        if not done.done():
            done.set_exception(error)
        return "200 OK", "The login was not completed. You can close this page."
    except LoginRefused:
        return "400 Bad Request", "This answer does not belong to the login that is waiting here."
    if not done.done():
        done.set_result(code)
    return "200 OK", "Logged in. You can close this page and go back to the command line."


def _answer(status: str, text: str) -> bytes:
    body = f"<!doctype html><meta charset=utf-8><title>Asperion</title><p>{text}</p>".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _not_here(redirect_uri: str) -> Problem:
    return Problem(
        rule="authorize.redirect",
        message=f"{redirect_uri} is no address of this machine to listen at",
        remedy="use --no-browser and paste the address that you are sent back to",
    )


def _port_taken(redirect_uri: str) -> Problem:
    return Problem(
        rule="authorize.port",
        message=f"nothing can listen at {redirect_uri}: the port is taken, or not allowed",
        remedy="use --redirect-uri with another port that is registered, or --no-browser",
    )


def _nobody_came(seconds: float) -> Problem:
    return Problem(
        rule="authorize.late",
        message=f"nobody came back from the login within {seconds:g} seconds",
        remedy="run it again; from another machine use --no-browser",
    )
