"""What a stream, or a backfill, hands to Dataflow beside the user's own options."""

from collections.abc import Sequence
from typing import Final

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    TestOptions,
    WorkerOptions,
)

from pipelines.failures import UsageError
from runners.engines.dataflow.package import packed
from transforms.files.filesystems import is_local, joined_path

FLAGS: Final = (
    # Beam would pickle what is in the program's main module, and every worker would have to make sense of it.
    "--no_save_main_session",
)
"""Always set."""
STREAM_FLAGS: Final = ("--streaming", "--enable_streaming_engine")
HINT: Final = "min_ram=4GB"
"""What a worker's process needs: the compiled kernels and Arrow 400 MB, the rest for the scale sets of one bundle."""
_GCS: Final = "gs://"


def dataflow_options(given: Sequence[str], name: str, output: str, folder: str, streaming: bool) -> list[str]:
    """The user's options and those that a job needs beside them.

    Args:
        given: the user's.
        name: of the job, where the user gives none.
        output: the folder of the tables.
        folder: a temporary one, in which the workers' package lies until it is staged.
        streaming: whether the job is a stream.

    Raises:
        UsageError: something is missing, or an option would send this program's session to the workers.
    """
    known = PipelineOptions(list(given))
    cloud, setup = known.view_as(GoogleCloudOptions), known.view_as(SetupOptions)
    check_options(given, output)
    if not streaming and is_cut_off(given):
        raise UsageError("DataflowRunner: a job that runs is required of a backfill, got --template_location or --dry_run.")
    own = [] if cloud.job_name else [f"--job_name={name.strip('-')}"]
    if cloud.temp_location is None:
        own.append(f"--temp_location={_temporary(output)}")
    if not known.view_as(StandardOptions).resource_hints:
        own.append(f"--resource_hint={HINT}")
    if known.view_as(WorkerOptions).sdk_container_image:
        own.append("--sdk_location=container")
    elif not any("trueup" in package for package in setup.extra_packages or ()):
        own.append(f"--extra_package={packed(folder)}")
    return [*given, *own, *FLAGS, *(STREAM_FLAGS if streaming else ())]


def is_cut_off(given: Sequence[str]) -> bool:
    """Whether no job comes of it: a template is written, or the graph is only built and checked."""
    known = PipelineOptions(list(given))
    return bool(known.view_as(GoogleCloudOptions).template_location or known.view_as(TestOptions).dry_run)


def check_options(given: Sequence[str], output: str) -> None:
    """Looks at what must be said before anything is written.

    Raises:
        UsageError: the workers could not reach the output, no project or region is named, or a session would be sent.
    """
    known = PipelineOptions(list(given))
    cloud, setup = known.view_as(GoogleCloudOptions), known.view_as(SetupOptions)
    if is_local(output):
        raise UsageError(f"--output: a place that workers elsewhere reach is required (gs://BUCKET/...), got {output}.")
    for name in ("project", "region"):
        if not getattr(cloud, name):
            raise UsageError(f"DataflowRunner: a {name} is required (-- --{name}=NAME), got none.")
    if setup.save_main_session:
        raise UsageError("--save_main_session: no session of this program is required by the workers, got the flag.")


def _temporary(output: str) -> str:
    if not output.startswith(_GCS):
        raise UsageError(
            f"DataflowRunner: a place for its own files is required (-- --temp_location={_GCS}BUCKET/...), got none."
        )
    return joined_path(output, "_trueup/dataflow")
