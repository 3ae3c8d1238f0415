"""The worker pool beside each TaskManager: starts the Python processes that run this program's steps.

Beam's own launcher listens on all interfaces, though it starts processes for whoever asks, and starts whichever `python` comes
first in PATH. This one listens on the loopback interface, and starts workers in its own environment.
"""

import os
import signal
import sys
from pathlib import Path

import click
import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer, kill_process_gracefully
from apache_beam.utils import thread_pool_executor

from pipelines.failures import RunError


class WorkerPool:
    """A pool that listens at an address, and whose workers keep so many bytes of state each.

    Raises:
        RunError: another program listens there.
    """

    def __init__(self, host: str, port: int, cache: int) -> None:
        executable = Path(sys.executable)
        if executable.name != "python" and not executable.with_name("python").exists():
            raise RunError(
                f"{executable}: an environment whose program is called python is required, since workers are started by it."
            )
        os.environ["PATH"] = f"{executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        # A port that another program has must not be shared with it: each would get a part of the requests.
        self._server = grpc.server(thread_pool_executor.shared_unbounded_instance(), options=[("grpc.so_reuseport", 0)])
        self._servicer = BeamFnExternalWorkerPoolServicer(use_process=True, state_cache_size=cache)
        beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(self._servicer, self._server)
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError:
            raise RunError(f"{host}:{port}: a free address is required for the worker pool, and it is not free.") from None
        self._server.start()

    def wait(self) -> None:
        """Serves until the process is told to end."""
        self._server.wait_for_termination()

    def end(self) -> None:
        """Serves no more, and ends the workers."""
        self._server.stop(None)
        for process in self._servicer._worker_processes.values():
            kill_process_gracefully(process)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Another than the loopback only behind a firewall.")
@click.option("--port", default=50000, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option(
    "--state-cache",
    default=100,
    show_default=True,
    type=click.IntRange(0, 65536),
    metavar="MB",
    help="State that each worker keeps, so that it asks Flink for it once.",
)
def main(host: str, port: int, state_cache: int) -> None:
    """Starts the Python workers of the TaskManager on this machine, or in this pod."""
    try:
        pool = WorkerPool(host, port, state_cache << 20)
    except RunError as error:
        raise click.ClickException(str(error)) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    click.echo(f"worker pool at {host}:{pool.port}", err=True)
    try:
        pool.wait()
    finally:
        pool.end()


if __name__ == "__main__":
    main()
