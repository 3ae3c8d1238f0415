"""What a report reads and how long it takes: one scale set of many in a year, and a month of all beside hand-written DuckDB.

    python -m tests.bench.report [FOLDER] [--scale-sets 2000] [--days 365] [--group ROWS] [--year]

Without a FOLDER that trueup has written it makes a record in a temporary one, through the writer that a backfill and `compact`
use: a file a day of each table, sorted; of each scale set 24 cells a day, every third cut by an operation that explains an
episode (40 rows a day; the simulated fleet has 85). --group makes row groups of so many rows, which shows what their size is
worth. Row groups and bytes are those of the columns that were read (compressed), beside all that the files hold. Seconds are
the wall's and the processors': where others use the machine, the latter tell more. Answers are asserted: for a day of a record
that was made here, and for the month against DuckDB's.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from pipelines.reading.report import ReportSettings
from pipelines.reading.report import report as run
from pipelines.record import tables
from pipelines.record.selection import Selection
from pipelines.record.tables import Rows, write_files
from schemas.policy import Policy
from schemas.tables.attribution import ATTRIBUTIONS
from schemas.tables.availability import AVAILABILITY
from schemas.tables.operation import OPERATIONS
from schemas.tables.revision import REVISIONS
from schemas.time import DAY, HOUR, MINUTE, format_time
from transforms.allocator import keep_freed_memory
from transforms.core.columns.arrow import Ints, one_batch

RUN = "import sys; from runners.cli import main; sys.exit(main())"
PREFIX = "/subscriptions/bench/resourcegroups/rg/providers/microsoft.compute/virtualmachinescalesets/vmss-"
FIRST = 20_454
"""2026-01-01, in days since the epoch."""
SIZE, DOWN = 10, 5 * MINUTE
POLICY = Policy()


class Asked(NamedTuple):
    """A report that is measured."""

    name: str
    settings: ReportSettings


def make_record(root: str, sets: int, days: int) -> None:
    """Writes the tables, a file each a day, as a backfill leaves them."""
    folder = Path(root) / "_trueup" / "policies"
    folder.mkdir(parents=True)
    (folder.parent / "grid.json").write_text(json.dumps({"grid": "1h"}))
    (folder / f"{POLICY.hash}.json").write_text(json.dumps(POLICY.model_dump()))
    names = pa.array([f"{PREFIX}{number:05}" for number in range(sets)])
    for day in range(FIRST, FIRST + days):
        write_files(root, list(_tables(names, day)))


def _tables(names: pa.StringArray, day: int) -> Iterator[Rows]:
    cell = np.tile(np.arange(24) * HOUR + day * DAY, len(names))
    code = np.repeat(np.arange(len(names), dtype=np.int32), 24)
    hit = (code + cell // HOUR) % 3 == 0
    begin = cell + 10 * MINUTE + code * 1_009
    yield Rows("availability", [_availability(names, code, cell, hit, begin)], "start")
    yield Rows("attributions", [_attributions(names, code[hit], cell[hit], begin[hit])], "start")
    yield Rows("operations", [_operations(names, code[hit], cell[hit], begin[hit])], "start")
    counts = {"availability_rows": 1 + 2 * hit, "attribution_rows": hit * 1, "operation_rows": hit * 1}
    values = {"cell": cell, "as_of": cell + DAY, "revision": 0, "cause": "first", "digest": "0" * 16, **counts}
    yield Rows("revisions", [_batch(REVISIONS, names, code, values)], "cell")


def _availability(names: pa.StringArray, code: Ints, cell: Ints, hit: np.ndarray, begin: Ints) -> pa.RecordBatch:
    """A cell is one row, or three where an instance is excused in between."""
    times = np.where(hit, 3, 1)
    row = np.repeat(np.arange(len(cell)), times)
    place = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    cut = hit[row]
    start = np.where(place == 0, cell[row], np.where(place == 1, begin[row], begin[row] + DOWN))
    end = np.where(~cut | (place == 2), cell[row] + HOUR, np.where(place == 0, begin[row], begin[row] + DOWN))
    away = (cut & (place == 1)).astype(np.int32)
    counts = {"raw_available": SIZE - away, "raw_unavailable": away, "up": SIZE - away, "excused": away}
    values = {"start": start, "end": end, "reported_state": "Available", "state": "Available", **counts}
    return _batch(AVAILABILITY, names, code[row], values | {"cell": cell[row], "as_of": cell[row] + DAY})


def _attributions(names: pa.StringArray, code: Ints, cell: Ints, begin: Ints) -> pa.RecordBatch:
    times = {"start": begin, "end": begin + DOWN, "onset": begin, "operation_start": begin - 10_000_000}
    times |= {"operation_end": begin + DOWN, "limit": begin + DOWN + 15 * MINUTE, "cell": cell, "as_of": cell + DAY}
    texts = {"instance_id": "3", "worst_state": "Unavailable", "verdict": "explained", "verb": "restart", "initiator": "customer"}
    numbers = {"lag_seconds": 10.0, "candidates": 1, "excused_seconds": DOWN / 1e6, "counted_seconds": 0.0}
    return _batch(ATTRIBUTIONS, names, code, {**times, **texts, **numbers, "operation_key": "k", "signal_event_id": "e"})


def _operations(names: pa.StringArray, code: Ints, cell: Ints, begin: Ints) -> pa.RecordBatch:
    texts = {"operation_key": "k", "verb": "restart", "effect": "renews", "initiator": "customer", "target": "named"}
    times = {"start": begin - 10_000_000, "end": begin + DOWN, "limit": begin + DOWN + 15 * MINUTE}
    more = {"outcome": "succeeded", "excuses": True, "episodes": 1, "instance_ids": ["3"], "cell": cell, "as_of": cell + DAY}
    return _batch(OPERATIONS, names, code, {**texts, **times, **more})


def _batch(schema: pa.Schema, names: pa.StringArray, code: Ints, values: dict[str, Any]) -> pa.RecordBatch:
    """Rows of a table: an array a column, or one value for all rows; what is not given is 0."""
    values = {"scale_set_id": pa.DictionaryArray.from_arrays(pa.array(code), names), "policy": POLICY.hash, **values}
    columns = [_column(values.get(field.name, 0), field.type, len(code)) for field in schema]
    return one_batch([pa.RecordBatch.from_arrays(columns, schema=schema)], schema)


def _column(value: Any, kind: pa.DataType, rows: int) -> pa.Array:
    if isinstance(value, pa.Array):
        return value
    if isinstance(value, np.ndarray):
        return pa.array(value).cast(kind)
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows)).cast(kind.index_type), pa.array([value]))
    return pa.array([value], kind).take(pa.array(np.zeros(rows, np.int64)))


def measure(root: str, asked: Asked) -> None:
    """Prints one line a table that was read, and one of the whole."""
    selection = Selection(root, asked.settings.scale_sets)
    began, used = time.perf_counter(), time.process_time()
    made = run(asked.settings, selection)
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    for table, opened in selection.opened.items():
        groups, of = sum(one.row_groups for one in opened), sum(one.of_row_groups for one in opened)
        files = list(Path(root).glob(f"{table.rpartition(' ')[2]}/day=*/*.parquet"))
        size, read = sum(path.stat().st_size for path in files), sum(one.bytes for one in opened)
        told = f"{groups:,} of {of:,} in {len(opened):,} of {len(files):,} files | {read / 1e6:,.1f} of {size / 1e6:,.1f}"
        print(f"| {asked.name} | {table} | {told} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    spent = f"{seconds:.2f} s, of processors {processor:.2f} s"
    print(f"| {asked.name} | all, {len(made.sets):,} sets: {spent} | | peak so far {peak:.2f} GiB |", flush=True)


def whole(root: str, *more: str) -> float:
    """Seconds of the whole command, its start included."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", RUN, "report", "--data", root, *more], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def check(root: str, sets: int) -> None:
    """The answer for one day of the record that was made here."""
    since, spells = FIRST * DAY, sets * 8
    fleet = run(ReportSettings(root, since=since, until=since + DAY)).fleet.to_pylist()[0]
    assert fleet["excused_seconds"] == spells * DOWN / 1e6
    assert fleet["up_seconds"] == sets * SIZE * 86_400 - spells * DOWN / 1e6


MONTH = """
WITH latest AS (SELECT scale_set_id, cell, max(as_of) AS as_of FROM {revisions} WHERE day >= DATE '{first}' GROUP BY ALL)
SELECT scale_set_id, day, sum(raw_available * us), sum((raw_degraded + raw_unavailable) * us), sum(up * us),
  sum((degraded + unavailable + overrun) * us)::HUGEINT AS bad, sum(excused * us)
FROM (SELECT a.*, epoch_us("end") - epoch_us(start) AS us FROM {availability} a JOIN latest USING (scale_set_id, cell, as_of)
  WHERE day >= DATE '{first}')
GROUP BY ALL"""


def by_hand(root: str, since: int) -> None:
    """The same month in DuckDB: instance time of both availabilities by scale set and day, and no more."""
    places = {
        name: f"read_parquet('{root}/{name}/day=*/*.parquet', hive_partitioning = true, hive_types = {{'day': DATE}})"
        for name in ("revisions", "availability")
    }
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        began, used = time.perf_counter(), time.process_time()
        rows = connection.execute(MONTH.format(first=format_time(since)[:10], **places)).fetchall()
        seconds, processor = time.perf_counter() - began, time.process_time() - used
    spent = f"{seconds:.2f} s, of processors {processor:.2f} s"
    print(f"| all sets, 30 days | sums by hand in DuckDB, {len(rows):,} rows: {spent} | | |")
    up, bad = (sum(int(row[place]) for row in rows) for place in (4, 5))
    fleet = run(ReportSettings(root, since=since, by="day")).fleet.to_pylist()[0]
    assert abs(fleet["availability"] - up / (up + bad)) < 1e-12


def main() -> None:
    """Prints a table of what was read, and one of whole commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--scale-sets", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--group", type=int, help="rows of a row group, instead of what the writer chooses")
    parser.add_argument("--year", action="store_true", help="also all sets over everything")
    args = parser.parse_args()
    keep_freed_memory()  # as the command does
    if args.group:
        tables.row_group_size = lambda _: args.group
    with tempfile.TemporaryDirectory() as scratch:
        if args.folder is None:
            make_record(scratch, args.scale_sets, args.days)
            check(scratch, args.scale_sets)
        tell(args.folder or scratch, args.year)


def tell(root: str, year: bool) -> None:
    """Measures a record: first what is compiled or loaded once, which the whole commands below pay for."""
    last = Selection(root).last_cell()
    assert last is not None
    ids = run(ReportSettings(root, since=last, until=last + HOUR)).sets["scale_set_id"].to_pylist()
    one, month = sorted(ids)[len(ids) // 2].rpartition("/")[2], (last + HOUR - 30 * DAY) // DAY * DAY
    print("| report | table | row groups opened | MB read |\n|---|---|---|---|")
    measure(root, Asked("one set, everything", ReportSettings(root, scale_sets=(one,))))
    measure(root, Asked("all sets, 30 days", ReportSettings(root, since=month, by="day")))
    by_hand(root, month)
    print("\n| whole command | s |\n|---|---|")
    print(f"| one set, everything | {whole(root, '--scale-set', one):.1f} |")
    print(f"| all sets, 30 days | {whole(root, '--since', format_time(month), '--by', 'day'):.1f} |\n", flush=True)
    if year:
        measure(root, Asked("all sets, everything", ReportSettings(root)))


if __name__ == "__main__":
    main()
