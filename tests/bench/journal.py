"""Benchmark of the journal of a stream: `python -m tests.bench.journal --help` tells the options.

Bundles are appended from memory, one commit each, as fast as it goes; then checkpoints come that cover everything. What counts is
the CPU an event, and how long a bundle waits for its commit.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pyarrow as pa

from pipelines.stream import journal as journals
from pipelines.stream.journal import Checkpoint, Journal
from schemas.policy import Policy
from schemas.time import HOUR
from tests.support.fleet import fleet
from transforms.core.columns.groups import split_by_group
from transforms.core.decode import DecodeSettings
from transforms.core.decode.messages import decode_messages
from transforms.subscription.source import present


class Load(NamedTuple):
    """What is measured."""

    events: int
    bundle: int
    sets: int
    groups: int | None
    standing: int


def bundles(load: Load) -> list[pa.RecordBatch]:
    """Events as the source decodes them."""
    settings = DecodeSettings(Policy(), present())
    bodies = list(enumerate(fleet(load.sets).events(settings.now - HOUR, settings.now, load.events)))
    parts = [bodies[start : start + load.bundle] for start in range(0, len(bodies), load.bundle)]
    return [decode_messages([(str(number), body) for number, body in part], "", settings).events for part in parts]


def measured(load: Load, folder: Path) -> None:
    """Prints a line for the events, and one for the checkpoints."""
    events, took = bundles(load), list[float]()
    journal = Journal(str(folder), "projects/p/subscriptions/s", "p", load.groups)
    cpu, began = time.process_time(), time.monotonic()
    for batch in events:
        start = time.monotonic()
        journal.settle()
        journal.append([batch])
        journal.turn()
        took.append(time.monotonic() - start)
    spent, wall, size = time.process_time() - cpu, time.monotonic() - began, journal.path.stat().st_size
    commits = f"a commit p50 {statistics.median(took) * 1e3:.1f} ms, p99 {sorted(took)[len(took) * 99 // 100] * 1e3:.1f} ms"
    rate = f"{spent / load.events * 1e6:.2f} us CPU an event, {load.events / wall:,.0f} events/s"
    print(f"bundles of {load.bundle:,}: {rate}; {commits}; {size / 2**20:.1f} MiB")
    keys = {key for batch in events for key, _ in split_by_group(batch, load.groups)}
    checkpoints = {key: Checkpoint(load.events, os.urandom(load.standing * load.sets // len(keys))) for key in keys}
    cpu, began = time.process_time(), time.monotonic()
    with mock.patch.object(journals, "_PART", 0.0):
        journal.turn()
    journal.settle()
    journal.store(checkpoints)
    spent, wall = time.process_time() - cpu, time.monotonic() - began
    left = journal._do("SELECT count(*) FROM events").fetchone()[0]
    print(f"checkpoints of {len(keys)} keys: {spent:.3f} s CPU, {wall:.3f} s; bundles that are left: {left}", flush=True)
    journal.close()


def main() -> None:
    """Prints two lines for each size of bundles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--groups", type=int, default=64)
    parser.add_argument("--standing", type=int, default=4_000, help="bytes of a scale set's standing")
    parser.add_argument("--bundles", type=int, nargs="*", default=[200, 1_000])
    args = parser.parse_args()
    for size in args.bundles:
        with tempfile.TemporaryDirectory(dir=".") as name:
            measured(Load(args.events, size, args.sets, args.groups or None, args.standing), Path(name))


if __name__ == "__main__":
    main()
