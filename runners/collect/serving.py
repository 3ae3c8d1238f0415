"""An application behind a server on a port, until it is stopped."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from pipelines.failures import RunError

_AT_ONCE: Final = 256
"""Connections that are served at the same time; more are answered with 503, and Event Grid comes again."""
_PATIENCE: Final = 10
"""Seconds that deliveries have to end when the server is stopped."""


@contextmanager
def serving(application: Any, host: str, port: int) -> Iterator[str]:
    """Serves an application in a thread; gives its address. What is being delivered at the end is answered first.

    Raises:
        RunError: the port is taken, or not allowed.
    """
    listening = _listening(host, port)
    config = uvicorn.Config(
        application,
        access_log=False,  # requests have the secret in their query
        log_config=None,
        lifespan="off",
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=_PATIENCE,
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="webhook", daemon=True)
    thread.start()
    try:
        yield "http://{}:{}".format(*listening.getsockname()[:2])
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_AT_ONCE)
    except OSError as error:
        listening.close()
        raise RunError(f"--port: a port of {host} that is free is required, got {port}: {error.strerror}.") from None
    return listening
