"""The graph of a stream as a portable runner gets it: nothing that Flink's translator lacks, and labels that stay."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.record.store import Store
from pipelines.stream.stream import Stream, StreamSettings
from tests.support.graph import GROUP, NATIVE, PARDO, STEPS, coder_names, payload, state_coders, state_of, steps

WINDOWS = {"beam:window_fn:global_windows:v1", "beam:window_fn:session_windows:v1"}
FUSED = {PARDO, "beam:transform:window_into:v1"}
"""What the SDK runs in such a stage."""
STEPS_ON_FLINK = """\
ReadSubscription/Shards/Impulse
ReadSubscription/Shards/FlatMap(<lambda at core.py>)
ReadSubscription/Shards/MaybeReshuffle/Reshuffle
ReadSubscription/Shards/Map(decode)
ReadSubscription/ReadMessages/ParDo(ReadMessages): restriction
KeepRejects/Write
CorrectRecord/KeyByScaleSet/SplitByGroup
CorrectRecord/JoinSessions/OpenSessions
CorrectRecord/JoinSessions/PutInReach
CorrectRecord/JoinSessions/MergeSessions: groups
CorrectRecord/JoinSessions/ConcatPanes
CorrectRecord/JoinSessions/CloseSessions
CorrectRecord/EnterEvents
CorrectRecord/EnterRecalled
CorrectRecord/KeepLedger/Keep/ParDo(Keep): end events notes standing, ts-grid_end
GatherChanges/Key
GatherChanges/Hold
GatherChanges/Group: groups
GatherChanges/Newest
PublishCells/Publish
KeepLate/Write
"""
"""All steps in their order, and the state that each keeps. Where that changes, a savepoint is of no use to the program."""


@cache
def graph(root: str, journal: bool) -> Any:
    settings = StreamSettings("projects/p/subscriptions/s", root, runner="PrismRunner" if journal else "FlinkRunner")
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    Stream(settings, Store(root), "some name" if journal else None, journal).build(pipeline)
    return pipeline.to_runner_api()


def proto(tmp_path: Path, journal: bool = False) -> Any:
    return graph(str(tmp_path), journal)


@pytest.mark.parametrize("journal", [False, True], ids=["Flink", "Prism"])
def test_windows_are_those_that_every_runner_knows(tmp_path: Path, journal: bool) -> None:
    strategies = proto(tmp_path, journal).components.windowing_strategies.values()
    assert {strategy.window_fn.urn for strategy in strategies} <= WINDOWS
    assert any(strategy.trigger.HasField("repeat") for strategy in strategies) != journal


@pytest.mark.parametrize("journal", [False, True], ids=["Flink", "Prism"])
def test_labels_are_those_to_which_state_belongs(tmp_path: Path, journal: bool) -> None:
    names = {transform.unique_name for transform in proto(tmp_path, journal).components.transforms.values()}
    own = {"WriteJournal"} if journal else {"GatherChanges"}
    assert {name for name in names if name and "/" not in name and not name.startswith("ref_")} == STEPS | own
    assert "CorrectRecord/KeepLedger/Keep" in names
    assert ("CorrectRecord/JoinSessions/MergeSessions" in names) != journal


@pytest.mark.parametrize("journal", [False, True], ids=["Flink", "Prism"])
def test_state_is_of_the_kinds_that_every_runner_serves(tmp_path: Path, journal: bool) -> None:
    specs = [spec for step in steps(proto(tmp_path, journal)) if step.spec.urn == PARDO for spec in all_specs(step)]
    assert {spec.WhichOneof("spec") for spec in specs} == {"bag_spec", "read_modify_write_spec"}


def all_specs(step: Any) -> list[Any]:
    return list(payload(step).state_specs.values())


def test_flinks_translator_knows_every_step(tmp_path: Path) -> None:
    assert {step.spec.urn for step in steps(proto(tmp_path))} <= NATIVE | FUSED


def test_steps_have_names_of_their_own(tmp_path: Path) -> None:
    names = [step.unique_name for step in steps(proto(tmp_path))]
    assert len(set(names)) == len(names)


def test_steps_and_their_state_are_those_of_earlier_savepoints(tmp_path: Path) -> None:
    lines = [": ".join(filter(None, [step.unique_name, state_of(step)])) for step in steps(proto(tmp_path))]
    assert [re.sub(r"(core\.py):\d+", r"\1", line) for line in lines] == STEPS_ON_FLINK.splitlines()


def test_no_state_and_no_timer_lies_in_windows_that_merge(tmp_path: Path) -> None:
    parts = proto(tmp_path).components
    for step in steps(proto(tmp_path)):
        if step.spec.urn == PARDO and (payload(step).state_specs or payload(step).timer_family_specs):
            strategies = [parts.pcollections[each].windowing_strategy_id for each in step.inputs.values()]
            urns = {parts.windowing_strategies[each].window_fn.urn for each in strategies}
            assert urns == {"beam:window_fn:global_windows:v1"}


def test_what_a_step_with_state_gives_is_taken_by_another_stage(tmp_path: Path) -> None:
    """Its operator has another id at each submission otherwise, and a savepoint is lost on it."""
    found = steps(proto(tmp_path))
    keeping = [step for step in found if step.spec.urn == PARDO and state_of(step)]
    assert len(keeping) == 2
    for step in keeping:
        assert GROUP in urns_behind(found, step)


def urns_behind(found: list[Any], step: Any) -> set[str]:
    """All that comes behind a step until something has state again."""
    urns, waiting = set(), [step]
    while waiting:
        given = set(waiting.pop().outputs.values())
        for taker in found:
            if given & set(taker.inputs.values()):
                urns.add(taker.spec.urn)
                waiting += [taker] if state_of(taker) is None else []
    return urns


def test_state_is_coded_by_coders_that_stay(tmp_path: Path) -> None:
    """Pickled elements would be tied to a version of Python and of this program."""
    parts = proto(tmp_path).components
    coders = [coder for step in steps(proto(tmp_path)) for coder in state_coders(step)]
    assert coders
    assert {name for coder in coders for name in coder_names(parts, coder)} <= {
        "beam:coder:kv:v1",
        "beam:coder:varint:v1",
        "RecordBatchCoder",
        "ShardPositionCoder",
        "NotesCoder",
        "StandingCoder",
        "TimestampCoder",
    }
