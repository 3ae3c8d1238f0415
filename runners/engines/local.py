"""Beam's embedded runner, named by its class: DirectRunner would choose one of three engines by what is in the graph."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, create_runner

from pipelines.correction.settings import IN_MEMORY, BackfillSettings
from pipelines.failures import UsageError
from pipelines.record.folder import absolute, discard
from pipelines.record.standing_files import run_name
from runners.process.ending import temporary_folder
from transforms.files.filesystems import joined_path
from transforms.passing import passing_by_reference


class ViewedOnce(PipelineOptions):
    """Options whose views are kept: Beam asks for one at each step of a graph, 300 times a run, and makes each by a new parser of
    arguments. All views of some options have their values in common, so that a kept one is never out of date."""

    def view_as(self, cls: type[PipelineOptions]) -> PipelineOptions:
        """The options as those of a class."""
        views = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]


def runner_named(name: str) -> PipelineRunner:
    """The embedded runner, or another one that Beam knows.

    Raises:
        UsageError: Beam knows none of that name.
    """
    if name == IN_MEMORY:
        return FnApiRunner()
    try:
        return create_runner(name)
    except (ValueError, ImportError, AttributeError):
        known = f"{IN_MEMORY}, PrismRunner, FlinkRunner or DataflowRunner"
        raise UsageError(f"--runner: {known} is required, got {name}.") from None


@contextmanager
def room_of(settings: BackfillSettings) -> Iterator[tuple[BackfillSettings, str]]:
    """The settings as workers must have them, and a folder for the run alone that they reach; it is gone afterwards.

    The embedded runner has its workers in this process. Those of another one may be anywhere: they find whole paths alone, and
    what is left in the output folder.
    """
    with temporary_folder() as scratch:
        if settings.runner == IN_MEMORY:
            yield settings, scratch
            return
        output, inputs = absolute(settings.output), tuple(map(absolute, settings.inputs))
        folder = joined_path(output, f"_trueup/runs/{run_name(settings.now)}")
        try:
            yield replace(settings, output=output, inputs=inputs), folder
        finally:
            discard(folder)


@contextmanager
def options_of(settings: BackfillSettings) -> Iterator[Sequence[str]]:
    """The options of the runner while the block does, and what must run beside it.

    Raises:
        TrueupError: no cluster is named, it does not answer, or an option is wrong.
    """
    given, name = settings.runner_options, f"trueup-backfill-{settings.now}"
    if settings.runner == "FlinkRunner":
        from runners.engines.flink.batch import flink_batch

        with temporary_folder() as folder, flink_batch(given, name, folder) as options:
            yield options
    elif settings.runner == "DataflowRunner":
        from runners.engines.dataflow.options import dataflow_options

        with temporary_folder() as folder:
            yield dataflow_options(given, name, settings.output, folder, streaming=False)
    else:
        yield given


def execute(
    build: Callable[[beam.Pipeline], object], runner: PipelineRunner | None = None, options: Sequence[str] = ()
) -> PipelineResult:
    """Builds a graph, runs it and waits for its end. The embedded runner has its workers in this process."""
    runner = runner or FnApiRunner()
    pipeline = beam.Pipeline(runner=runner, options=ViewedOnce(list(options)))
    build(pipeline)
    own = pipeline.options.view_as(DirectOptions).direct_running_mode == "in_memory"
    with passing_by_reference() if isinstance(runner, FnApiRunner) and own else nullcontext():
        result = pipeline.run()
        result.wait_until_finish()
    return result
