"""The requests that a piece of work makes, for its trail: method, path and status; no query, no body."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTED: ContextVar[list[str] | None] = ContextVar("_NOTED", default=None)
# Of one record: a few. What has more repeats itself.
MOST = 20


@contextmanager
def requests_noted() -> Iterator[list[str]]:
    """Gather what :func:`note` is told within, also by the tasks that are started within."""
    noted: list[str] = []
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def note(method: str, path: str, status: int | None, trace_id: str | None = None) -> None:
    """Note a request.

    :param path: without its query; ids of the API are no personal values.
    :param status: None: no answer came.
    :param trace_id: by it Asperion's support can find the call; only refusals have one.
    """
    noted = _NOTED.get()
    if noted is None or len(noted) >= MOST:
        return
    known = f" [traceId {trace_id}]" if trace_id else ""
    noted.append(f"{method} {path} {'no answer' if status is None else status}{known}")
