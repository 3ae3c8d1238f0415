"""Azurite, Microsoft's emulator of Azure Storage, as processes of their own on loopback ports."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from runners.process.children import ending_with_parent
from tests.support.emulator import missing

ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that every Azurite has, and that stands in its documentation."""


class Azurite(NamedTuple):
    """Two running services, and what AZURE_STORAGE_CONNECTION_STRING says of them."""

    blob_port: int
    queue_port: int

    @property
    def connection(self) -> str:
        """The connection string."""
        ends = {"BlobEndpoint": self.blob_port, "QueueEndpoint": self.queue_port}
        told = ";".join(f"{name}=http://127.0.0.1:{port}/{ACCOUNT}" for name, port in ends.items())
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={_KEY};{told};"


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """Runs both services; AZURE_STORAGE_CONNECTION_STRING names them meanwhile."""
    ports = {service: _free_port() for service in ("blob", "queue")}
    running = Azurite(ports["blob"], ports["queue"])
    with ExitStack() as stack:
        for service, port in ports.items():
            program = shutil.which(f"azurite-{service}")
            if program is None:
                missing("Azurite: `npm install --global azurite`")
            command = [
                program,
                f"--{service}Host",
                "127.0.0.1",
                f"--{service}Port",
                str(port),
                "--location",
                str(folder / service),
            ]
            command += ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
            log = stack.enter_context(open(folder / f"{service}.log", "wb"))
            process = stack.enter_context(subprocess.Popen(ending_with_parent(command), stdout=log, stderr=subprocess.STDOUT))
            stack.callback(process.kill)
        for port in ports.values():
            _answers(port)
        stack.enter_context(mock.patch.dict(os.environ, {"AZURE_STORAGE_CONNECTION_STRING": running.connection}))
        yield running


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
