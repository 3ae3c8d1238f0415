"""A stream as a job of Dataflow: built, checked and staged here, and then the service's."""

from typing import Final

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.runner import PipelineState, create_runner

from pipelines.failures import RunError, UsageError
from pipelines.record.standing_files import find_standings
from pipelines.record.store import Store
from pipelines.stream.backfilled import BackfilledSets
from pipelines.stream.stream import Stream, StreamSettings
from runners.engines.dataflow.options import dataflow_options, is_cut_off
from runners.engines.runner_options import name_of
from runners.process.ending import temporary_folder
from runners.process.watching import stopping, watch
from schemas.wording import last_line
from transforms.subscription.recalled import NothingRecalled, Recalled

_TURN: Final = 1.0
_IN_ORDER: Final = frozenset({PipelineState.DONE, PipelineState.DRAINED, PipelineState.UPDATED, PipelineState.CANCELLED})
"""States in which somebody has ended a job on purpose."""


def run_on_dataflow(settings: StreamSettings, store: Store) -> None:
    """Hands a stream to Dataflow, or writes its template; unless detached, waits until it ends or a signal comes.

    Raises:
        UsageError: an option is missing or wrong.
        RunError: the service refuses, or the job has failed.
    """
    given, name = settings.runner_options, name_of(settings.runner_options, settings.subscription)
    with temporary_folder() as folder:
        options = dataflow_options(given, name, settings.output, folder, streaming=True)
        result = _pipeline(settings, store, options).run()
    told = PipelineOptions(list(options)).view_as(GoogleCloudOptions)
    if is_cut_off(given):
        made = f"the template {told.template_location} is written" if told.template_location else "the graph is built and checked"
        return click.echo(f"{made}; no job was started", err=True)
    job = result.job_id()
    click.echo(f"streaming from {settings.subscription}: job {job} ({told.job_name}) in {told.region}", err=True)
    return None if settings.detach else _wait(result, f"gcloud dataflow jobs drain {job} --region {told.region}")


def _pipeline(settings: StreamSettings, store: Store, options: list[str]) -> beam.Pipeline:
    try:
        pipeline = beam.Pipeline(runner=create_runner(settings.runner), options=PipelineOptions(options))
    except ValueError as error:
        raise UsageError(f"DataflowRunner: options that Beam takes are required: {last_line(error)}.") from None
    Stream(settings, store, recalled=_recalled(settings)).build(pipeline)
    return pipeline


def _recalled(settings: StreamSettings) -> Recalled:
    if not settings.resume:
        return NothingRecalled()
    find_standings(settings.output, settings.policy.hash)  # an error is told here rather than in a worker's log
    return BackfilledSets(settings.output, settings.policy.hash, settings.policy.grid, settings.groups, mark="")


def _wait(result: beam.runners.runner.PipelineResult, drain: str) -> None:
    with stopping() as stopped:
        ended = watch(result)
        while not stopped.wait(_TURN) and not ended:
            pass
    if not ended:
        return click.echo(f"the job runs on; {drain} ends it in order", err=True)
    if result.state not in _IN_ORDER:
        raise RunError(f"DataflowRunner: a job that runs is required, it is {result.state}: {ended[0]}.")
    return click.echo(f"the job is {result.state}", err=True)
