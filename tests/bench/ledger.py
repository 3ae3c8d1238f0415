"""The ledger alone, fed from memory through its own step: events a second of CPU, and the round at a full hour.

    python -m tests.bench.ledger INPUT --scale-sets 5000 --hours 6 [--groups 64] [--batch 20000] [--profile FILE]

INPUT is a folder of events, for instance one that `trueup simulate --flexible-share 0` has written. Its scale sets are told
again under other names until there are as many as are asked for. State is kept as bytes, as a runner keeps it: each bundle
decodes what it reads and encodes what it writes. A batch is what comes together; then time passes up to where the next one
begins. Nothing is published: the changes are counted. The first hour warms up, and is not in the figures.
"""

import argparse
import cProfile
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.coders import Coder
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.timestamp import Timestamp

from schemas.policy import Policy
from schemas.time import HOUR, SECOND
from tests.support.graph import ledger_settings
from transforms.coders import NotesCoder, RecordBatchCoder, StandingCoder
from transforms.core.columns.arrow import micros
from transforms.core.columns.batches import compact, concat
from transforms.core.decode import DecodeSettings
from transforms.core.ledger.decisions import input_of_events
from transforms.files.shards import plan_shards, read_shard
from transforms.ledger import Keep
from transforms.sessions import keyed_slices


class Kept:
    """State of one cell as a runner keeps it: bytes, which each bundle decodes, and encodes at its end if it has changed."""

    def __init__(self, coder: Coder, single: bool) -> None:
        self._coder, self._single, self._bytes, self._added, self._cleared = coder, single, list[bytes](), list[Any](), False

    def read(self) -> Any:
        kept = [] if self._cleared else [self._coder.decode(each) for each in self._bytes]
        values = [*kept, *self._added]
        return (values[0] if values else None) if self._single else values

    def add(self, value: Any) -> None:
        self._added.append(value)

    def write(self, value: Any) -> None:
        self.clear()
        self.add(value)

    def clear(self) -> None:
        self._added, self._cleared = [], True

    def commit(self) -> None:
        self._bytes = ([] if self._cleared else self._bytes) + [self._coder.encode(each) for each in self._added]
        self._added, self._cleared = [], False

    def size(self) -> int:
        return sum(map(len, self._bytes))


class Key:
    """What a runner keeps of one key."""

    def __init__(self) -> None:
        self.due: int | None = None
        self.cells = {
            "events": Kept(RecordBatchCoder(), single=False),
            "standing": Kept(StandingCoder(), single=True),
            "notes": Kept(NotesCoder(), single=True),
            "end": Kept(RecordBatchCoder(), single=True),
        }

    def set(self, moment: Timestamp) -> None:
        self.due = moment.micros


class Runner:
    """Feeds the step, and counts."""

    def __init__(self, policy: Policy, now: int, groups: int) -> None:
        self._keep, self._groups, self._keys = Keep(ledger_settings(now, policy, emit_checkpoints=True)), groups, defaultdict(Key)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        """CPU of each bundle, by what it did."""
        self.cells = 0

    def take(self, events: pa.RecordBatch) -> None:
        for key, own in keyed_slices(events, self._groups):
            state = self._keys[key]
            self._bundle(
                "looks",
                state,
                lambda: self._keep.process((key, input_of_events(own, None)), timer=state, **state.cells),  # noqa: B023
            )

    def advance(self, watermark: int) -> None:
        while due := [(state.due, key) for key, state in self._keys.items() if state.due is not None and state.due <= watermark]:
            moment, key = min(due)
            state = self._keys[key]
            state.due = None
            at = Timestamp(micros=moment)
            self._bundle("grid ends", state, lambda: self._keep.at_grid_end(key, at, timer=state, **state.cells))  # noqa: B023

    def sizes(self) -> dict[str, int]:
        return {name: sum(state.cells[name].size() for state in self._keys.values()) for name in ("events", "standing", "notes")}

    def _bundle(self, name: str, state: Key, work: Any) -> None:
        began = time.process_time()
        self._keep.start_bundle()
        self._count(work())
        for cell in state.cells.values():
            cell.commit()
        self.seconds[name].append(time.process_time() - began)

    def _count(self, given: Iterable[Any]) -> None:
        for each in given:
            if not isinstance(each, TaggedOutput):
                self.cells += len(each.revisions)


def told_again(events: pa.RecordBatch, scale_sets: int) -> pa.RecordBatch:
    """The events of a fleet, under other names again and again until there are so many scale sets; in order of time."""
    ids, place = events.column("scale_set_id"), events.schema.get_field_index("scale_set_id")
    pieces: list[pa.RecordBatch] = []
    number = -(-scale_sets // len(ids.dictionary))
    for copy in range(number):
        names = pa.array([f"{name}~{copy}" for name in ids.dictionary.to_pylist()])
        pieces.append(events.set_column(place, events.schema.field(place), pa.DictionaryArray.from_arrays(ids.indices, names)))
    joined = concat(pieces)
    few = joined.filter(pa.array(joined.column("scale_set_id").indices.to_numpy() < scale_sets))
    return compact(few.take(pa.array(np.argsort(micros(few, "time"), kind="stable"))))


def decoded(folder: str, hours: float) -> pa.RecordBatch:
    """The events of the first hours of a folder."""
    settings = DecodeSettings(policy=Policy(), now=int(time.time() * SECOND))
    events = concat([piece.events for shard in plan_shards([folder]).shards for piece in read_shard(shard, settings)])
    moments = micros(events, "time")
    return compact(events.filter(pa.array(moments < beginning(events) + hours * HOUR)))


def beginning(events: pa.RecordBatch) -> int:
    """The hour in which most events begin: a few are told of long before."""
    return int(np.quantile(micros(events, "time"), 0.01)) // HOUR * HOUR


def batches(events: pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(events), size):
        yield compact(events.slice(start, size))


def measured(events: pa.RecordBatch, groups: int, size: int, warm: int) -> dict[str, Any]:
    """Feeds the events; the figures are of those from the moment `warm` on."""
    runner = Runner(Policy(), int(micros(events, "time").max()) + HOUR, groups)
    began, wall, number = 0.0, 0.0, 0
    for batch in batches(events, size):
        first = int(micros(batch, "time").min())
        if not began and first >= warm:
            runner.seconds.clear()
            runner.cells, began, wall = 0, time.process_time(), time.perf_counter()
        number += len(batch) if began else 0
        runner.advance(first)
        runner.take(batch)
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    last = int(micros(events, "time").max()) // HOUR * HOUR + HOUR
    parts = {name: {"bundles": len(spent), "cpu_s": round(sum(spent), 2)} for name, spent in runner.seconds.items()}
    runner.seconds.clear()
    started = time.perf_counter()
    runner.advance(last)
    spent = runner.seconds["grid ends"]
    return {
        "events": number,
        "scale_sets": len(events.column("scale_set_id").dictionary),
        "groups": groups,
        "events_per_cpu_second": round(number / cpu),
        "cpu_s": round(cpu, 2),
        "wall_s": round(wall, 2),
        "parts": parts,
        "cells": runner.cells,
        "round": {
            "cpu_s": round(sum(spent), 2),
            "wall_s": round(time.perf_counter() - started, 2),
            "bundles": len(spent),
            "longest_bundle_cpu_s": round(max(spent), 2),
        },
        "state_bytes": runner.sizes(),
    }


def main() -> None:
    """Prints figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("--scale-sets", type=int, default=5_000)
    parser.add_argument("--hours", type=float, default=3)
    parser.add_argument("--groups", type=int, default=64)
    parser.add_argument("--batch", type=int, default=20_000)
    parser.add_argument("--profile")
    args = parser.parse_args()
    events = decoded(args.input, args.hours)
    warm = beginning(events) + HOUR
    events = told_again(events, args.scale_sets)
    profile = cProfile.Profile()
    if args.profile:
        profile.enable()
    print(json.dumps(measured(events, args.groups, args.batch, warm), indent=1))
    if args.profile:
        profile.dump_stats(args.profile)


if __name__ == "__main__":
    main()
