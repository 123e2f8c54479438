"""Fetches a description; what the address says is bounded, and no redirect is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import aiohttp

from airflow_provider_asperion.asperion.contract.description import MOST_BYTES
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from aiohttp import ClientSession

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=30)
REMEDY = (
    "set flows.contract.address to that of the JSON or YAML file, which Swagger's page names below its "
    "title; "
    "or save the file and compare it with --contract FILE or on the page"
)


def whole_address(base: str, address: str) -> tuple[str, bool]:
    """Return an address in full, and whether it is at the same server.

    :param base: address of the API.
    :param address: in full, or below that of the API.
    :raises ProblemError: it is none.
    """
    try:
        whole = urljoin(base.rstrip("/") + "/", address)
        return whole, urlsplit(whole)[:2] == urlsplit(base)[:2]
    except ValueError:
        pass
    raise _unreachable(address, "this is no address")


async def fetch_description(session: ClientSession, address: str) -> bytes:
    """Return what is at an address, one byte more than allowed at most.

    :raises ProblemError: it cannot be had; ``transient`` where trying again may help.
    """
    try:
        async with session.get(address, timeout=TIMEOUT, allow_redirects=False) as answer:
            if answer.status == 200:
                content = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        break
                return bytes(content[: MOST_BYTES + 1])
            status = answer.status
            what = f"the server answers {status}"
            if 300 <= status < 400:
                what = f"the server sends to {_host(answer.headers.get('Location', ''))}"
            transient = status in (408, 429) or status >= 500
    except aiohttp.InvalidURL:
        what, transient = "this is no address", False
    except (aiohttp.ClientError, OSError) as error:
        what, transient = f"the server cannot be reached ({type(error).__name__})", True
    raise _unreachable(address, what, transient=transient)


def _unreachable(address: str, what: str, *, transient: bool = False) -> ProblemError:
    return ProblemError(
        Problem(
            rule="contract.unreachable",
            message=f"the description cannot be had: {what}",
            remedy=REMEDY,
            file=address,
            transient=transient,
        )
    )


def _host(location: str) -> str:
    """Return where a redirect leads, without what may be secret in its query."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.netloc}{parts.path}"
