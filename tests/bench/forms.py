"""Records a second of each form of input, in CPU seconds of one core: reading the file and decoding, no Beam.

    python -m tests.bench.forms [--records 40000] [--repeat 3] [--against DIR]

Each form holds the same records; the best of some runs counts. DIR is another working tree: the ordinary exports are measured in
it too, by turns in the same run, so that what they have lost or won is seen whatever else the machine does.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.policy import Policy
from schemas.time import DAY, SECOND, format_time

Json = dict[str, Any]
ORDINARY = ("event grid lines", "export lines", "rest lines", "rest list")


def moment(number: int) -> str:
    """A time of its own for each record."""
    from tests.fixtures.native import AT_MICROS

    return format_time(AT_MICROS + number * SECOND)


def activity(number: int) -> Json:
    """An Activity Log record: two operations, one with a body, to one record of health."""
    from tests.fixtures.native import INSTANCE, OPERATIONS, health_record, rest

    own = {
        "eventDataId": f"00000000-0000-4000-8000-{number:012}",
        "eventTimestamp": moment(number),
        "correlationId": f"c-{number // 2}",
    }
    told = {
        "eventCategory": "Administrative",
        "entity": INSTANCE,
        "message": "Microsoft.Compute/virtualMachineScaleSets",
        "hierarchy": "h",
    }
    if number % 3 == 0:
        return health_record("Degraded", "", resourceId=f"{INSTANCE}{number % 50}") | own
    body = {"requestbody": f'{{"instanceIds":["{number % 50}"]}}'} if number % 3 == 1 else {}
    return rest(OPERATIONS + "restart/action", "Started" if number % 2 else "Succeeded", properties={**told, **body}) | own


def exported(record: Json) -> Json:
    """The same in export schema."""
    from tests.fixtures.native import export

    told = record["properties"]
    health = record["category"]["value"] == "ResourceHealth"
    return export(
        record["operationName"]["value"],
        record["status"]["value"],
        time=record["eventTimestamp"],
        resourceId=record["resourceId"].upper(),
        correlationId=record["correlationId"],
        identity={"claims": record["claims"]},
        properties={"eventCategory": "ResourceHealth", "eventProperties": told} if health else told,
    )


def grid(number: int) -> Json:
    """A health event."""
    from tests.fixtures.native import INSTANCE, state, status_event

    record = status_event(id=f"00000000-0000-4000-8000-{number:012}")
    record["data"]["resourceInfo"]["properties"] = state("Degraded", f"{INSTANCE}{number % 50}", occurredTime=moment(number))
    return record


def graph(number: int) -> Json:
    """A row of Resource Graph."""
    from tests.fixtures.native import INSTANCE, graph_row, state

    own = {"tenantId": "t", "kind": "", "location": "westeurope", "tags": None, "zones": None}
    return graph_row(state("Available", f"{INSTANCE}{number % 50}", occurredTime=moment(number)), **own)


def lines(records: list[Any]) -> bytes:
    """Records or texts, one a line."""
    from tests.fixtures.native import line

    return b"".join((record if isinstance(record, bytes) else line(record)) + b"\n" for record in records)


def forms(count: int) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """Endings and contents of the files, by form."""
    from tests.fixtures import forms as f
    from tests.fixtures.native import line

    logs, events, rows = [activity(n) for n in range(count)], [grid(n) for n in range(count)], [graph(n) for n in range(count)]
    return {
        "event grid lines": (".jsonl", lambda: lines(events)),
        "export lines": (".jsonl", lambda: lines([exported(r) for r in logs])),
        "rest lines": (".jsonl", lambda: lines(logs)),
        "rest list": (".json", lambda: line({"value": logs})),
        "log analytics lines": (
            ".jsonl",
            lambda: lines([f.log_row(r) | {"Properties": line(r["properties"]).decode()} for r in logs]),
        ),
        "log analytics parquet": (".parquet", lambda: f.parquet_of([f.log_row(r) for r in logs])),
        "log analytics csv": (".csv", lambda: f.csv_of([f.log_row(r) for r in logs])),
        "log analytics tables": (".json", lambda: line({"tables": [f.table_of([f.texts(f.log_row(r)) for r in logs])]})),
        "powershell": (".json", lambda: line([f.powershell(r) for r in logs])),
        "snake case": (".json", lambda: line([f.snake(r) for r in logs])),
        "resource graph answer": (".json", lambda: line({"data": rows})),
        "resource graph table": (".json", lambda: line({"data": f.table_of(rows)})),
        "resource graph csv": (".csv", lambda: f.csv_of(rows)),
        "resource graph flat": (".json", lambda: line([r["properties"] for r in rows])),
        "base64 lines": (".jsonl", lambda: lines([f.packed(r).encode() for r in events])),
        "queue messages": (".json", lambda: line([{"content": f.packed(r), "id": "m"} for r in events])),
        "event hubs capture": (".avro", lambda: f.avro_of(*[line({"records": list(some)}) for some in batched_of(logs, 10)])),
    }


def batched_of(records: list[Json], size: int) -> list[list[Json]]:
    """Records, so many together."""
    return [records[start : start + size] for start in range(0, len(records), size)]


def decoded(path: str) -> tuple[float, int]:
    """CPU seconds of reading a file, and how many records gave an event."""
    from tests.fixtures.native import AT_MICROS
    from transforms.core.decode import Counts, DecodeSettings
    from transforms.files.shards import plan_shards, read_shard

    settings, counts = DecodeSettings(Policy(), AT_MICROS + 30 * DAY), Counts()
    began = time.process_time()
    for shard in plan_shards([path]).shards:
        for piece in read_shard(shard, settings):
            counts += piece.counts
    return time.process_time() - began, counts.decoded.total()


def elsewhere(tree: str, path: str) -> float:
    """CPU seconds of the same in another working tree."""
    code = f"from tests.bench.forms import decoded; decoded({path!r}); print(min(decoded({path!r})[0] for _ in range(2)))"
    run = "import sys; sys.path.insert(0, sys.argv[1]); sys.path.append(sys.argv[2]); " + _LOADER + code
    found = subprocess.run([sys.executable, "-c", run, tree, os.getcwd()], capture_output=True, text=True, check=True, cwd=tree)
    return float(found.stdout.splitlines()[-1])


_LOADER = (
    "import importlib.util as u; s = u.spec_from_file_location('tests.bench.forms', sys.argv[2] + '/tests/bench/forms.py'); "
    "m = u.module_from_spec(s); import tests.bench; sys.modules['tests.bench.forms'] = m; s.loader.exec_module(m); "
)


def main() -> None:
    """Prints a table: a form a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--against", metavar="DIR")
    args = parser.parse_args()
    print("| form | bytes a record | records/s a core | MB/s a core | in the other tree |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for form, (ending, content) in forms(args.records).items():
            path = Path(folder) / (form.replace(" ", "-") + ending)
            path.write_bytes(content())
            other = [elsewhere(args.against, str(path))] if args.against and form in ORDINARY else []
            runs = [decoded(str(path)) for _ in range(args.repeat)]
            other += [elsewhere(args.against, str(path))] if other else []
            seconds, size = min(run[0] for run in runs), path.stat().st_size
            assert {run[1] for run in runs} == {args.records}, (form, runs)
            speed = f"{args.records / min(other):,.0f}" if other else ""
            print(
                f"| {form} | {size / args.records:,.0f} | {args.records / seconds:,.0f} | {size / seconds / 1e6:.0f} | {speed} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
