"""Prism as a process: waited for until it answers, listened to for as long as a stream runs, and gone with its block."""

import sys
from pathlib import Path

import psutil
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions, WorkerOptions

from pipelines.failures import RunError
from runners.engines.prism import prism

LISTEN = """
import socket, sys, time
port = next(int(given.split("=")[1]) for given in sys.argv if given.startswith("--job_port="))
time.sleep(0.3)
with socket.create_server(("127.0.0.1", port)) as server:
    while True:
        server.accept()
"""


@pytest.fixture
def binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of Prism."""
    path = tmp_path / "prism"
    monkeypatch.setenv("TRUEUP_PRISM", str(path))
    return path


def write(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)


def test_a_job_is_listened_to_for_years_and_prism_is_gone_with_its_block(binary: Path, tmp_path: Path) -> None:
    write(binary, LISTEN)
    before = set(psutil.Process().children())
    with prism(str(tmp_path), ()) as options:
        (started,) = set(psutil.Process().children()) - before
        given = PipelineOptions(options).view_as(PortableOptions)
        assert given.job_server_timeout > 365 * 24 * 3600
        assert int(given.job_endpoint.split(":")[1]) in {at.laddr.port for at in started.net_connections()}
    assert not started.is_running()


def test_what_the_user_says_of_it_counts(binary: Path, tmp_path: Path) -> None:
    write(binary, LISTEN)
    with prism(str(tmp_path), ("--job_server_timeout=7",)) as options:
        assert PipelineOptions(options).view_as(PortableOptions).job_server_timeout == 7


def test_workers_of_prism_keep_no_state(binary: Path, tmp_path: Path) -> None:
    write(binary, LISTEN)
    with prism(str(tmp_path), ()) as options:
        assert PipelineOptions(options).view_as(WorkerOptions).max_cache_memory_usage_mb == 0


def test_a_prism_that_does_not_start_is_one_sentence(binary: Path, tmp_path: Path) -> None:
    write(binary, "import sys; sys.exit(3)")
    with pytest.raises(RunError, match="a prism that answers is required, it ended with status 3"), prism(str(tmp_path), ()):
        pass
