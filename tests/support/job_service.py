"""In the place of Beam's job server for Flink: notes what is submitted, and hands another job to the cluster in its stead."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from apache_beam.portability.api import beam_job_api_pb2 as api
from apache_beam.portability.api import beam_job_api_pb2_grpc
from google.protobuf.json_format import MessageToDict

_KIND = api.PipelineOptionType
OPTIONS = {
    "flink_master": _KIND.STRING,
    "parallelism": _KIND.INTEGER,
    "max_parallelism": _KIND.INTEGER,
    "checkpointing_interval": _KIND.INTEGER,
    "checkpoint_timeout_millis": _KIND.INTEGER,
    "min_pause_between_checkpoints": _KIND.INTEGER,
    "finish_bundle_before_checkpointing": _KIND.BOOLEAN,
    "number_of_execution_retries": _KIND.INTEGER,
    "execution_retry_delay": _KIND.INTEGER,
    "state_backend": _KIND.STRING,
    "state_backend_storage_path": _KIND.STRING,
    "externalized_checkpoints_enabled": _KIND.BOOLEAN,
    "retain_externalized_checkpoints_on_cancellation": _KIND.BOOLEAN,
    "savepoint_path": _KIND.STRING,
    "shutdown_sources_after_idle_ms": _KIND.INTEGER,
}
"""The options that a job server for Flink describes, as far as they are used here: names and types of FlinkPipelineOptions."""


class JobService(beam_job_api_pb2_grpc.JobServiceServicer):
    """Answers as far as Python's portable runner asks."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run, self._ended = run, threading.Event()
        self.port = 0
        self.prepared: list[Any] = []
        """What was submitted: pipeline and options."""

    def options(self, number: int = -1) -> dict[str, Any]:
        """The options of one submission, by their short names."""
        told = MessageToDict(self.prepared[number].pipeline_options)
        return {name.removeprefix("beam:option:").removesuffix(":v1"): value for name, value in told.items()}

    def end(self) -> None:
        """Lets go of who waits for a job."""
        self._ended.set()

    def DescribePipelineOptions(self, request: Any, context: Any) -> Any:  # noqa: N802
        described = [api.PipelineOptionDescriptor(name=name, type=kind) for name, kind in OPTIONS.items()]
        return api.DescribePipelineOptionsResponse(options=described)

    def Prepare(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.prepared.append(request)
        return api.PrepareJobResponse(preparation_id=str(len(self.prepared)))

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._run(self.options()["job_name"])
        return api.RunJobResponse(job_id=request.preparation_id)

    def GetStateStream(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        yield api.JobStateEvent(state=api.JobState.RUNNING)
        while context.is_active() and not self._ended.wait(0.2):
            pass

    def GetMessageStream(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        while context.is_active() and not self._ended.wait(0.2):
            pass
        yield from ()


@contextmanager
def job_service(run: Callable[[str], None]) -> Iterator[JobService]:
    """Serves on a loopback port; `run` is told the name of each job."""
    service = JobService(run)
    server = grpc.server(ThreadPoolExecutor(8))
    beam_job_api_pb2_grpc.add_JobServiceServicer_to_server(service, server)
    service.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield service
    finally:
        service.end()
        server.stop(None).wait()
