"""Elements travel as Arrow, whole and small, and never as pickles."""

import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.coders import Coder
from apache_beam.runners.pipeline_context import PipelineContext
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipelines.correction.graph import BoundedInput, CorrectRecord
from pipelines.correction.published import PublishedCells
from pipelines.record.standing_files import NOTHING
from schemas.event import empty_events
from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.build import at, signal, to_batch
from tests.support.graph import Keeping, coder_names, ledger_settings
from transforms.coders import ChangesCoder, GlanceCoder, LedgerInputCoder, NotesCoder, RecordBatchCoder, StandingCoder
from transforms.core.columns.arrow import no_rows
from transforms.core.decode import DecodeSettings
from transforms.core.ledger.changes import PUBLISHED, Changes
from transforms.core.ledger.decisions import LedgerInput, Notes
from transforms.decode import DecodeRecords
from transforms.facts import GatherFacts
from transforms.files.shards import Shard
from transforms.publish import KeepRejects, PublishCells
from transforms.subscription.restriction import ShardPositionCoder

ROOT = Path(__file__).parents[2]
EVENTS = to_batch([signal(number, str(number), "Available") for number in range(1_000)])


@pytest.mark.parametrize(
    "batch", [EVENTS, EVENTS.slice(5, 7), empty_events(), no_rows(PUBLISHED)], ids=["all", "slice", "empty", "other"]
)
def test_a_batch_comes_back_as_it_was(batch: pa.RecordBatch) -> None:
    back = RecordBatchCoder().decode(RecordBatchCoder().encode(batch))
    assert back.schema == batch.schema
    assert back.to_pylist() == batch.to_pylist()


def test_what_was_decoded_has_the_same_bytes_again() -> None:
    coder = RecordBatchCoder()
    once = coder.encode(EVENTS.slice(3, 11))
    assert coder.encode(coder.decode(once)) == once


@pytest.mark.parametrize("end", [None, 0, at(0)])
def test_an_entry_comes_back_with_its_end(end: int | None) -> None:
    entry = LedgerInput(end, EVENTS.slice(1, 2), no_rows(PUBLISHED))
    back = LedgerInputCoder().decode(LedgerInputCoder().encode(entry))
    assert (back.end, back.events.to_pylist(), back.published.to_pylist()) == (end, entry.events.to_pylist(), [])


@pytest.mark.parametrize("fired", [None, 0, at(0)])
def test_notes_come_back_as_they_were(fired: int | None) -> None:
    notes = Notes(EVENTS.slice(3, 2), EVENTS.slice(5, 3), fired, taken=7)
    back = NotesCoder().decode(NotesCoder().encode(notes))
    assert [table.to_pylist() for table in back[:2]] == [table.to_pylist() for table in notes[:2]]
    assert back[2:] == notes[2:]


def test_changes_come_back_as_they_were() -> None:
    changes = Changes(*(EVENTS.slice(number, 1) for number in range(4)))
    assert ChangesCoder().decode(ChangesCoder().encode(changes)) == changes


CODERS: list[Coder] = [
    RecordBatchCoder(),
    LedgerInputCoder(),
    StandingCoder(),
    NotesCoder(),
    ChangesCoder(),
    GlanceCoder(),
    ShardPositionCoder(),
]
_WORKER = """
import sys
from apache_beam.coders import Coder
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.pipeline_context import PipelineContext
for given in sys.stdin.read().split():
    print(type(Coder.from_runner_api(beam_runner_api_pb2.Coder.FromString(bytes.fromhex(given)), PipelineContext())).__name__)
"""


@pytest.mark.parametrize("coder", CODERS)
def test_equal_elements_have_equal_bytes(coder: Coder) -> None:
    assert coder.is_deterministic()
    assert coder == type(coder)()


def test_a_worker_that_has_imported_nothing_but_beam_knows_the_coders() -> None:
    """It reads them before the first step. A name of our own would be registered only where the program has been imported."""
    protos = [coder.to_runner_api(PipelineContext()).SerializeToString().hex() for coder in CODERS]
    command = [sys.executable, "-c", _WORKER]
    known = subprocess.run(command, cwd=ROOT, input=" ".join(protos), capture_output=True, text=True, check=True)
    assert known.stdout.split() == [type(coder).__name__ for coder in CODERS]


def test_a_size_is_known_without_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecordBatchCoder, "encode", None)
    assert RecordBatchCoder().estimate_size(EVENTS) == EVENTS.nbytes


def graph() -> beam.Pipeline:
    """The whole graph of a backfill, not run."""
    policy, sink = Policy(), Keeping()
    pipeline = beam.Pipeline(runner=FnApiRunner())
    shards = pipeline | "Shards" >> beam.Create([Shard("x", "text", 0, 1, 1)]).with_output_types(Shard)
    decoded = shards | "DecodeRecords" >> DecodeRecords(DecodeSettings(policy, at(0)))
    facts = decoded.events | "GatherFacts" >> GatherFacts(at(0))
    known = PublishedCells("out", None, None, at(0), HOUR, policy.max_excuse, False)
    kept = decoded.events | "CorrectRecord" >> CorrectRecord(
        ledger_settings(at(0)), 2, BoundedInput(facts, known, NOTHING, "scratch")
    )
    kept.changes | "PublishCells" >> PublishCells(sink)
    (decoded.rejects, kept.late) | "AllRejects" >> beam.Flatten() | "KeepRejects" >> KeepRejects(sink)
    return pipeline


def test_no_batch_of_the_graph_is_pickled() -> None:
    proto = graph().to_runner_api()
    parts, own = proto.components, {type(coder).__name__ for coder in CODERS}
    pickled = {
        name
        for name, collection in parts.pcollections.items()
        if any(not coder.startswith("beam:coder:") and coder not in own for coder in coder_names(parts, collection.coder_id))
    }
    of = {
        name: transform.unique_name
        for transform in proto.components.transforms.values()
        for name in transform.outputs.values()
        if name in pickled
    }
    assert {label for label in of.values() if not label.startswith("Shards")} == set()


def test_labels_are_the_names_of_the_steps() -> None:
    names = {transform.unique_name for transform in graph().to_runner_api().components.transforms.values()}
    steps = {
        "DecodeRecords",
        "CorrectRecord/KeyByScaleSet",
        "CorrectRecord/JoinSessions",
        "CorrectRecord/KeepLedger",
        "PublishCells",
    }
    assert steps <= names
