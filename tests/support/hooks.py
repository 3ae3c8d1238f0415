"""A webhook on loopback, which answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler, int], None]
"""Answers a request; is told how many came before."""


@contextmanager
def server(answers: Answer) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback, and what it was sent."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answers(self, len(received) - 1)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?token=secret", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def status(status: int, headers: dict[str, str] | None = None) -> Answer:
    """An answer with a status."""

    def answer(handler: BaseHTTPRequestHandler, before: int) -> None:
        handler.send_response(status)
        for name, value in {"content-length": "0", **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer
