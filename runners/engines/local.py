"""Beam's embedded runner, named by its class: DirectRunner would choose one of three engines by what is in the graph."""

from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner, create_runner

from pipelines.failures import UsageError

IN_MEMORY = "in-memory"


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


def execute(
    build: Callable[[beam.Pipeline], object], runner: PipelineRunner | None = None, options: Sequence[str] = ()
) -> PipelineResult:
    """Builds a graph, runs it and waits for its end."""
    pipeline = beam.Pipeline(runner=runner or FnApiRunner(), options=PipelineOptions(list(options)))
    build(pipeline)
    result = pipeline.run()
    result.wait_until_finish()
    return result
