"""Beam's job server for Flink: a Java process of its own that takes a pipeline, and ends with this program."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer

from pipelines.failures import RunError
from runners.process.children import ending_with_parent, wait_for_port
from schemas.wording import first_line

_STARTED: Final = 120.0
"""Seconds in which it must answer."""


@contextmanager
def job_server(options: Sequence[str], folder: str) -> Iterator[list[str]]:
    """Runs a job server while the block does; gives the options with which a pipeline finds it.

    Beam would start one by itself, which outlives this program when that is killed, or when the temporary folder is gone before
    Beam's exit hook looks for it, and ends at Ctrl-C, before the job has its savepoint.

    Args:
        options: those of the job; where `--job_endpoint` is among them, there is one already.
        folder: where its log goes.

    Raises:
        RunError: there is no jar or no Java, none can be fetched, or it does not start.
    """
    if any(option.startswith("--job_endpoint=") for option in options):
        yield list(options)
        return
    command, endpoint = _command(options)
    with open(os.path.join(folder, "job-server.log"), "wb") as log:
        process = subprocess.Popen(ending_with_parent(command), stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for_port(process, int(endpoint.rsplit(":", 1)[1]), "FlinkRunner: a job server", _STARTED)
        yield [*options, f"--job_endpoint={endpoint}"]
    finally:
        process.kill()
        process.wait()


def _command(options: Sequence[str]) -> tuple[list[str], str]:
    try:
        command, endpoint = FlinkJarJobServer(PipelineOptions(list(options))).subprocess_cmd_and_endpoint()
    except Exception as error:
        raise RunError(
            "FlinkRunner: Beam's job server is required, and could not be fetched "
            f"(-- --flink_job_server_jar=FILE names one): {first_line(error)}."
        ) from error
    return [str(part) for part in command], str(endpoint)
