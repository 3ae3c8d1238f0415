"""The graph of a stream as a portable runner gets it: nothing that Flink's translator lacks, and labels that stay."""

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.journal import Journal
from pipelines.store import Store
from pipelines.stream import Stream, StreamSettings

WINDOWS = {"beam:window_fn:global_windows:v1", "beam:window_fn:session_windows:v1"}
STEPS = {"ReadSubscription", "DecodeMessages", "KeepRejects", "CorrectRecord", "PublishCells", "KeepLate"}


def proto(tmp_path: Path, journal: bool) -> Any:
    settings = StreamSettings("projects/p/subscriptions/s", str(tmp_path))
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))
    kept = Journal(str(tmp_path), settings.subscription) if journal else None
    Stream(settings, Store(str(tmp_path)), kept, journal).build(pipeline)
    return pipeline.to_runner_api()


@pytest.mark.parametrize("journal", [False, True], ids=["Flink", "Prism"])
def test_windows_are_those_that_every_runner_knows(tmp_path: Path, journal: bool) -> None:
    strategies = proto(tmp_path, journal).components.windowing_strategies.values()
    assert {strategy.window_fn.urn for strategy in strategies} <= WINDOWS
    assert any(strategy.trigger.HasField("repeat") for strategy in strategies) != journal


@pytest.mark.parametrize("journal", [False, True], ids=["Flink", "Prism"])
def test_labels_are_those_to_which_state_belongs(tmp_path: Path, journal: bool) -> None:
    names = {transform.unique_name for transform in proto(tmp_path, journal).components.transforms.values()}
    own = {"WriteJournal"} if journal else {"ShareOut"}
    assert {name for name in names if name and "/" not in name and not name.startswith("ref_")} == STEPS | own
    assert "CorrectRecord/KeepLedger/Keep" in names
    assert ("CorrectRecord/JoinSessions/MergeSessions" in names) != journal


@pytest.mark.parametrize("journal", [False, True], ids=["Flink", "Prism"])
def test_state_is_of_the_kinds_that_every_runner_serves(tmp_path: Path, journal: bool) -> None:
    from apache_beam.portability.api import beam_runner_api_pb2

    urns = set()
    for transform in proto(tmp_path, journal).components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
            urns |= {spec.WhichOneof("spec") for spec in payload.state_specs.values()}
    assert urns == {"bag_spec", "read_modify_write_spec"}
