"""Shards decoded by some processes are those that one decodes, in their order."""

from pathlib import Path

import apache_beam as beam
import pytest

from runners.engines.local import execute
from schemas.policy import Policy
from tests.support.files import at, table, trueup, two_days, write_events
from tests.support.graph import Keeping
from transforms.core.decode import DecodeSettings
from transforms.counters import counted
from transforms.decode import DecodeRecords
from transforms.files.pool import DecodePool
from transforms.files.shards import InputError, Shard, plan_shards, read_shard
from transforms.publish import KeepRejects

SETTINGS = DecodeSettings(Policy(), at(10 * 86_400))


def folder_of_files(tmp_path: Path) -> tuple[Shard, ...]:
    for number in range(5):
        write_events(tmp_path / f"{number}.jsonl", two_days("abcde"[number]), extra=["{broken"])
    return plan_shards([str(tmp_path)]).shards


def test_a_crew_gives_what_one_process_gives_in_the_same_order(tmp_path: Path) -> None:
    shards = folder_of_files(tmp_path)
    pool = DecodePool(SETTINGS, 2)
    found = [piece for shard in shards for piece in pool.decode(shard)] + list(pool.rest())
    pool.leave()
    alone = [piece for shard in shards for piece in read_shard(shard, SETTINGS)]
    assert [piece.events.to_pylist() for piece in found] == [piece.events.to_pylist() for piece in alone]
    assert [piece.rejects.column("location").to_pylist() for piece in found] == [
        piece.rejects.column("location").to_pylist() for piece in alone
    ]


def test_a_crew_says_which_file_cannot_be_read(tmp_path: Path) -> None:
    pool = DecodePool(SETTINGS, 2)
    with pytest.raises(InputError, match="gone"):
        list(pool.decode(Shard(str(tmp_path / "gone.jsonl"), "text", 0, 1, 1))) + list(pool.rest())
    pool.leave()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_step_gives_events_and_rejects_and_counts_records(processes: int, tmp_path: Path) -> None:
    shards, sink = folder_of_files(tmp_path), Keeping()

    def build(pipeline: beam.Pipeline) -> None:
        decoded = pipeline | beam.Create(shards).with_output_types(Shard) | DecodeRecords(SETTINGS, processes)
        decoded.rejects | KeepRejects(sink)
        decoded.events | beam.Map(len) | beam.CombineGlobally(sum)

    counts = counted(execute(build))
    assert (counts["in"], counts["rejected/not_json"], len(sink.rejected)) == (5 * 14, 5, 5)


def test_a_large_input_is_decoded_by_a_crew_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of_files(tmp_path / "in")
    trueup("backfill", "--input", tmp_path / "in", "--output", tmp_path / "alone")
    monkeypatch.setattr("pipelines.backfill.memory.MUCH_TEXT", 0)
    trueup("backfill", "--input", tmp_path / "in", "--output", tmp_path / "pool")
    without = ["as_of"]
    alone, pool = (table(tmp_path / name, "availability").drop_columns(without).to_pylist() for name in ("alone", "pool"))
    assert sorted(pool, key=repr) == sorted(alone, key=repr)
    assert len(alone) > 100
