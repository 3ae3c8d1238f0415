"""Object stores on loopback, by one name each, and a proxy before them that has faults."""

import gc
import itertools
import os
import socket
import subprocess
import sys
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import unquote

from runners.process.children import ending_with_parent, wait_for_port
from tests.support.azurite import ACCOUNT, azurite
from tests.support.emulator import missing
from tests.support.gcs import BUCKET, cloud_storage
from transforms.files.remote import matching_files, read_file
from transforms.files.stores import forget_stores

CONTAINER = "trueup-tests"


class RunningStore(NamedTuple):
    """A running store, and where it is told to be."""

    base: str
    """A path below which tests write."""
    variable: str
    """The variable of the environment that names its address."""
    port: int

    def room(self) -> str:
        """A place of its own."""
        return f"{self.base}/{uuid.uuid4().hex}"


@contextmanager
def object_store(kind: str, folder: Path) -> Iterator[RunningStore]:
    """Runs a store; the environment names it meanwhile, and its client, in this process, asks again at once.

    Args:
        kind: gs, azfs or s3.
        folder: where it may write.
    """
    _forget()
    try:
        if kind == "gs":
            waits = "google.api_core.retry.retry_unary.exponential_sleep_generator"
            with cloud_storage(folder), mock.patch(waits, return_value=itertools.repeat(0.05)):
                port = int(os.environ["STORAGE_EMULATOR_HOST"].rpartition(":")[2])
                yield RunningStore(f"gs://{BUCKET}", "STORAGE_EMULATOR_HOST", port)
        elif kind == "s3":
            with _amazon(folder) as port:
                yield RunningStore(f"s3://{CONTAINER}", "AWS_ENDPOINT_URL_S3", port)
        else:
            from azure.storage.blob import BlobServiceClient, ExponentialRetry

            with azurite(folder) as running, mock.patch.object(ExponentialRetry, "get_backoff_time", return_value=0.05):
                BlobServiceClient.from_connection_string(running.connection).create_container(CONTAINER)
                yield RunningStore(f"azfs://{ACCOUNT}/{CONTAINER}", "AZURE_STORAGE_CONNECTION_STRING", running.blob_port)
    finally:
        _forget()


@contextmanager
def _amazon(folder: Path) -> Iterator[int]:
    """Moto's server of S3 with an empty bucket, as a process of its own; gives its port."""
    try:
        import boto3
        import moto.server  # noqa: F401 - only whether it is there
    except ImportError:
        missing("S3: `pip install --group aws`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    told = {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}", "AWS_DEFAULT_REGION": "eu-central-1"}
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "of-the-tests")
    with (
        open(folder / "s3.log", "wb") as log,
        subprocess.Popen(ending_with_parent(command), stdout=log, stderr=subprocess.STDOUT) as process,
        mock.patch.dict(os.environ, told | keys),
    ):
        try:
            wait_for_port(process, port, "moto", 60.0)
            client = boto3.client("s3")
            client.create_bucket(Bucket=CONTAINER, CreateBucketConfiguration={"LocationConstraint": told["AWS_DEFAULT_REGION"]})
            client.close()
            yield port
        finally:
            process.kill()


def _forget() -> None:
    """Lets the next path connect anew. Google's client leaves the connections of what was answered with 503 to the collector,
    which would tell a later test of them."""
    forget_stores()
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def fetched(root: str, folder: Path) -> Path:
    """A copy of all that lies below a place, as files of this machine."""
    for found in matching_files(f"{root}/**"):
        path = folder / found.path.removeprefix(f"{root}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(read_file(found.path))
    return folder


class Request(NamedTuple):
    """What a client has asked for."""

    method: str
    path: str
    body: bytes

    @property
    def lists(self) -> bool:
        """Whether it is for a list of objects."""
        return self.method == "GET" and "prefix=" in self.path

    @property
    def puts(self) -> bool:
        """Whether it writes an object."""
        return self.method in ("PUT", "POST") and b"\n--batch_" not in self.body

    def names(self, part: str) -> bool:
        """Whether an object with such a part in its name is meant."""
        return part in unquote(self.path) or part.encode() in self.body[:2000]


Fault = Callable[[Request], str]
"""What happens to a request: "" nothing; "cut" in the middle of its body; "lost" the answer; "stale" the last answer that the
proxy remembers of it; a number: that status."""


class Faulty:
    """A proxy before a store."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.fault: Fault = lambda request: ""
        self.happened: list[str] = []
        self.remembers = True
        self._answers: dict[str, tuple[int, list[tuple[str, str]], bytes]] = {}

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Hands one request on, or does what is to happen to it."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        request = Request(handler.command, handler.path, body)
        what = self.fault(request)
        if what:
            self.happened.append(what)
        if what.isdigit():
            _answer(handler, int(what), [], b"")
        elif what == "stale" and request.path in self._answers:
            _answer(handler, *self._answers[request.path])
        else:
            self._hand_on(handler, request, what)

    def _hand_on(self, handler: BaseHTTPRequestHandler, request: Request, what: str) -> None:
        server = HTTPConnection("127.0.0.1", self.port, timeout=60)
        server.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        server.putheader("Host", f"127.0.0.1:{self.port}")
        for name, value in handler.headers.items():
            if name.lower() not in ("host", "connection", "expect"):
                server.putheader(name, value)
        server.endheaders(request.body[: len(request.body) // 2] if what == "cut" else request.body)
        handler.close_connection = True
        if what != "cut":
            answer = _answer_of(server.getresponse())
            if request.lists and self.remembers:
                self._answers[request.path] = answer
            if what != "lost":
                handler.close_connection = False
                _answer(handler, *answer)
        server.close()


def _answer_of(answer: HTTPResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status, answer.getheaders(), answer.read()


def _answer(handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    handler.send_response_only(status)
    own = {"connection", "transfer-encoding"} | (set() if handler.command == "HEAD" else {"content-length"})
    for name, value in headers:
        if name.lower() not in own:
            handler.send_header(name, value)
    if handler.command != "HEAD":
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def faulty(store: RunningStore) -> Iterator[Faulty]:
    """A proxy before a store, which the environment names instead meanwhile."""
    proxy = Faulty(store.port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def __getattr__(self, name: str) -> Callable[[], None]:
            if not name.startswith("do_"):
                raise AttributeError(name)
            return partial(proxy.handle, self)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        through = os.environ[store.variable].replace(f":{store.port}", f":{server.server_port}")
        with mock.patch.dict(os.environ, {store.variable: through}):
            _forget()
            try:
                yield proxy
            finally:
                server.shutdown()
                _forget()
