"""A server of Google Cloud Storage's interface (fake-gcs-server) as a process of its own on a loopback port."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from runners.process.children import ending_with_parent, wait_for_port
from tests.support.emulator import missing

BUCKET = "trueup-tests"


@contextmanager
def cloud_storage(folder: Path) -> Iterator[Any]:
    """Runs a server with an empty bucket; STORAGE_EMULATOR_HOST names it meanwhile, and Beam asks for no credentials."""
    try:
        from apache_beam.internal.gcp import auth
        from google.cloud import storage
    except ImportError:
        missing("Beam's extra gcp: `pip install --group gcp`")
    program = shutil.which("fake-gcs-server") or str(Path.home() / "go/bin/fake-gcs-server")
    if not os.access(program, os.X_OK):
        missing("fake-gcs-server: `go install` it (.ci/tools does)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [program, "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    command += ["-external-url", address, "-public-host", f"127.0.0.1:{port}"]
    with (
        open(folder / "gcs.log", "wb") as log,
        subprocess.Popen(ending_with_parent(command), stdout=log, stderr=subprocess.STDOUT) as process,
        mock.patch.dict(os.environ, {"STORAGE_EMULATOR_HOST": address}),
        pytest.MonkeyPatch.context() as patched,
    ):
        # Found once a process: none, which would take half a minute to find out.
        patched.setattr(auth._Credentials, "_credentials_init", True)
        patched.setattr(auth._Credentials, "_credentials", None)
        try:
            wait_for_port(process, port, "fake-gcs-server", 30.0)
            client = storage.Client.create_anonymous_client()
            client.create_bucket(BUCKET)
            yield client
        finally:
            process.kill()
