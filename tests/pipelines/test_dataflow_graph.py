"""The graph of a stream as Dataflow gets it: its own source, names and coders that stay, and no element that is pickled."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2 as api

from pipelines.correction.settings import SettingsError
from pipelines.record.store import Store
from pipelines.stream.backfilled import BackfilledSets
from pipelines.stream.stream import Stream, StreamSettings
from tests.support.graph import PARDO, STEPS, as_released, coder_names, payload, state_coders, state_of, steps
from transforms.subscription.recalled import NothingRecalled

RELEASED = Path(__file__).parents[1] / "golden" / "dataflow_steps.txt"
"""The steps of the last release: what `--update` goes by. Only a release may change it, and then says so in the CHANGELOG."""
ROOT = "gs://bucket/record"
SUBSCRIPTION = "projects/project/subscriptions/sub"
PICKLED = "FastPrimitivesCoder"


@cache
def graph(**more: Any) -> Any:
    settings = StreamSettings(SUBSCRIPTION, ROOT, runner="DataflowRunner", **more)
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    known = BackfilledSets(ROOT, settings.policy.hash, settings.policy.grid, settings.groups, "")
    Stream(settings, Store(ROOT), recalled=known if settings.resume else NothingRecalled()).build(pipeline)
    return pipeline.to_runner_api()


def whole() -> Any:
    return graph(dead_letter="projects/project/topics/dead")


def source(proto: Any) -> Any:
    (found,) = (step for step in steps(proto) if step.spec.urn == "beam:transform:pubsub_read:v1")
    return api.PubSubReadPayload.FromString(found.spec.payload)


def test_steps_state_and_coders_are_those_of_the_last_release() -> None:
    found = "\n".join(as_released(whole())) + "\n"
    if os.environ.get("TRUEUP_UPDATE_GOLDEN"):
        RELEASED.write_text(found)
    assert found == RELEASED.read_text()


def test_the_source_is_dataflows_own_and_gets_all_attributes() -> None:
    read = source(whole())
    assert (read.subscription, read.with_attributes) == (SUBSCRIPTION, True)
    assert (read.id_attribute, read.timestamp_attribute) == ("", "")
    named = source(graph(id_attribute="id", time_attribute="time"))
    assert (named.id_attribute, named.timestamp_attribute) == ("id", "time")


def test_a_job_that_goes_on_from_backfills_has_the_same_steps_as_one_that_does_not() -> None:
    assert as_released(graph(resume=True)) == as_released(graph())


def test_without_a_topic_for_dead_letters_the_other_steps_are_the_same() -> None:
    own = {step.unique_name for step in steps(graph())}
    assert own == {step.unique_name for step in steps(whole()) if not step.unique_name.startswith("PublishDead/")}


def test_names_are_told_once_and_belong_to_the_steps_that_runners_know() -> None:
    names = [step.unique_name for step in steps(whole())]
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == STEPS | {"GatherChanges", "PublishDead"}


def test_no_element_and_no_state_is_pickled() -> None:
    parts = graph().components  # what Beam's step that publishes gives, which is nothing, it would pickle
    coders = [each.coder_id for each in parts.pcollections.values()]
    coders += [coder for step in steps(graph()) for coder in state_coders(step)]
    assert {"PubsubMessageCoder", "StandingCoder"} <= {name for coder in coders for name in coder_names(parts, coder)}
    assert PICKLED not in {name for coder in coders for name in coder_names(parts, coder)}


def test_windows_are_standard_ones_and_state_and_timers_lie_in_the_global_one() -> None:
    parts = whole().components
    known = {"beam:window_fn:global_windows:v1", "beam:window_fn:session_windows:v1"}
    assert {each.window_fn.urn for each in parts.windowing_strategies.values()} == known
    keeping = [step for step in steps(whole()) if step.spec.urn == PARDO and payload(step).state_specs]
    assert [state_of(step) for step in keeping] == ["end events notes standing, ts-grid_end"]
    strategies = {parts.pcollections[name].windowing_strategy_id for name in keeping[0].inputs.values()}
    assert {parts.windowing_strategies[name].window_fn.urn for name in strategies} == {"beam:window_fn:global_windows:v1"}


def test_timers_are_of_event_time_alone() -> None:
    specs = [spec for step in steps(whole()) if step.spec.urn == PARDO for spec in payload(step).timer_family_specs.values()]
    assert {spec.time_domain for spec in specs} == {api.TimeDomain.EVENT_TIME}


@pytest.mark.parametrize("name", ["dead_letter", "id_attribute", "time_attribute"])
def test_what_only_its_source_can_do_is_refused_elsewhere(name: str) -> None:
    given: dict[str, Any] = {name: "projects/p/topics/t"}
    with pytest.raises(SettingsError, match=f"--{name.replace('_', '-')}: DataflowRunner is required, got FlinkRunner"):
        StreamSettings(SUBSCRIPTION, ROOT, runner="FlinkRunner", **given)


def test_a_name_of_no_topic_gets_no_dead_letters() -> None:
    with pytest.raises(SettingsError, match="--dead-letter: a name like projects/P/topics/T is required, got 'dead'"):
        StreamSettings(SUBSCRIPTION, ROOT, runner="DataflowRunner", dead_letter="dead")
