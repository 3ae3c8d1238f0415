"""The embedded runner, pinned by class: DirectRunner would choose among three engines by what is in the graph."""

from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner

IN_MEMORY = "in-memory"


def runner_named(name: str) -> PipelineRunner | str:
    """The embedded runner, or the name of another one for Beam to make."""
    return FnApiRunner() if name == IN_MEMORY else name


def execute(build: Callable[[beam.Pipeline], object], runner: str = IN_MEMORY, options: Sequence[str] = ()) -> PipelineResult:
    """Builds a graph, runs it and waits for its end."""
    pipeline = beam.Pipeline(runner=runner_named(runner), options=PipelineOptions(list(options)))
    build(pipeline)
    result = pipeline.run()
    result.wait_until_finish()
    return result
