"""Receivers of messages on the loopback: an SMTP server and an HTTP server that keep what they get."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage


class HttpSink:
    """What an HTTP server got; ``status`` is what it answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.status = 200
        self.bodies: list[Any] = []


class MailSink:
    """What an SMTP server got; ``refuses`` makes it refuse all mail."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.refuses = False
        self.mails: list[EmailMessage] = []


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    """Run an HTTP server until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if sink.status < 400:
                sink.bodies.append(json.loads(body))
            self.send_response(sink.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink = HttpSink(server.server_address[1])
    with _served(server):
        yield sink


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    """Run an SMTP server (RFC 5321, as much as a client needs) until the block ends."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 sink")
            for line in self.rfile:
                word = line.split()[0].upper() if line.split() else b""
                if word in (b"MAIL", b"RCPT") and sink.refuses:
                    self._say("550 refused")
                elif word == b"DATA":
                    self._say("354 go on")
                    self._take()
                    self._say("250 taken")
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 sink")

        def _take(self) -> None:
            lines = []
            for line in self.rfile:
                if line.rstrip(b"\r\n") == b".":
                    break
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            sink.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    sink = MailSink(server.server_address[1])
    with _served(server):
        yield sink


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
