"""Standard output is for what a command has to say; log lines go to standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTPUT: ContextVar[TextIO | None] = ContextVar("_OUTPUT", default=None)


def output() -> TextIO:
    """Return the stream for what a command has to say."""
    return _OUTPUT.get() or sys.stdout


def show(line: str) -> None:
    """Write a line of what a command has to say, at once."""
    print(line, file=output(), flush=True)


def remark(line: str) -> None:
    """Write a line to standard error that a person may want to know and a program does not."""
    print(printable(line), file=sys.stderr)


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: what came from a file or a server may hold anything."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


@contextmanager
def logs_aside() -> Iterator[None]:
    """Keep log lines out of standard output.

    Loggers that are made within write to standard error, because they take ``sys.stdout`` when made
    (structlog's do); handlers that are there already are turned aside by :func:`only_warnings`.
    """
    token = _OUTPUT.set(sys.stdout)
    handlers = [(handler, handler.stream, handler.level) for handler in _stream_handlers()]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _OUTPUT.reset(token)
        for handler, stream, level in handlers:
            handler.setStream(stream)
            handler.setLevel(level)


def only_warnings() -> None:
    """Let no log line below a warning through, and none to standard output."""
    for handler in _stream_handlers():
        if handler.stream is output():
            handler.setStream(sys.stderr)
        if handler.stream is sys.stderr:
            handler.setLevel(max(handler.level, logging.WARNING))


def _stream_handlers() -> list[logging.StreamHandler[TextIO]]:
    return [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
