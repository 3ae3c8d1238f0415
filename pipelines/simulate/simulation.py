"""A simulation: the fleet's events, its inventory and the truth, as files (contract: trueup simulate)."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.failures import RunError
from pipelines.record.folder import files, is_local, put_over
from pipelines.simulate import truth
from pipelines.simulate.fleet.fleet import ScaleSet, draw_fleet, hosts_of
from pipelines.simulate.fleet.history import History
from pipelines.simulate.given.draws import Draws
from pipelines.simulate.given.settings import SimulationSettings
from pipelines.simulate.health.flapping import draw_flaps, with_flaps
from pipelines.simulate.health.health import Health, report, report_set
from pipelines.simulate.health.outages import Outage, draw_host_outages, draw_outages
from pipelines.simulate.operations.workload import run_life
from pipelines.simulate.records.delivery import Post
from pipelines.simulate.records.records import send_records, snapshot_rows
from pipelines.simulate.records.spool import Spool
from schemas.time import DAY, HOUR, NEVER, format_time

INVENTORY: Final = ("vm_id", "scale_set_id", "valid_from", "valid_to")
_KEPT: Final = DAY
"""How long after its end a machine stays in the inventory: its end is still to be reported."""


@dataclass
class Fleet:
    """What has been simulated so far."""

    spool: Spool
    snapshot: list[dict[str, Any]] = field(default_factory=list)
    inventory: list[dict[str, str]] = field(default_factory=list)
    instances: list[pa.Table] = field(default_factory=list)
    operations: list[pa.Table] = field(default_factory=list)
    faults: list[pa.Table] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def simulate(
    settings: SimulationSettings, output: str, scratch: str, advance: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Simulates a fleet into an empty folder; the same settings give the same bytes.

    Args:
        settings: what is asked for.
        output: a folder that is empty, or not there.
        scratch: an empty folder of this machine, for the run alone.
        advance: called once for each scale set, as it is done.

    Returns:
        The facts that stand in `truth/simulation.json`.

    Raises:
        RunError: the folder holds something.
    """
    _refuse(output)
    fleet, sets = Fleet(Spool(scratch)), draw_fleet(settings)
    outages = draw_host_outages(settings, sets)
    for scale_set in sets:
        _simulate_set(fleet, scale_set, settings, outages, hosts_of(sets))
        advance()
    return _write(fleet, settings, output)


def _refuse(output: str) -> None:
    is_file = is_local(output) and os.path.exists(output) and not os.path.isdir(output)
    if is_file or files(output, "**"):
        raise RunError(f"--output: a folder that is empty or not there is required, got {output}.")


def history_of(scale_set: ScaleSet, settings: SimulationSettings, hosts: int) -> History:
    """The history of a scale set, which depends on other sets only by the hosts that they share."""
    draws = Draws(settings.seed, "history", scale_set.number)
    history = History(scale_set, settings.start, settings.end, draws, hosts, settings)
    run_life(history)
    return history


def _simulate_set(
    fleet: Fleet, scale_set: ScaleSet, settings: SimulationSettings, outages: list[list[Outage]], hosts: int
) -> None:
    history = history_of(scale_set, settings, hosts)
    failing = draw_outages(history, settings, outages)
    machines = [report(history, machine, failing[machine.name]) for machine in history.machines if machine.born < history.end]
    own = report_set(history, machines)
    if scale_set.flaps and own:
        own = with_flaps(own, draw_flaps(Draws(settings.seed, "flaps", scale_set.number), history.start, history.end))
    post = Post(Draws(settings.seed, "post", scale_set.number), settings.duplicate_share)
    send_records(history, machines, own, post, Draws(settings.seed, "records", scale_set.number))
    fleet.spool.take(post.deliveries)
    fleet.snapshot += snapshot_rows(history, machines, own)
    fleet.inventory += _inventory_rows(scale_set, machines)
    fleet.instances.append(truth.instances(history, machines))
    fleet.operations.append(truth.operations(history))
    fleet.faults.append(truth.faults(history, machines))
    fleet.counts.update(post.counts, instances=len(machines))


def _inventory_rows(scale_set: ScaleSet, machines: list[Health]) -> Iterable[dict[str, str]]:
    for machine in (health.machine for health in machines if scale_set.flexible):
        end = "" if machine.gone == NEVER else format_time(machine.gone + _KEPT)
        row = (scale_set.machine_id(machine.name), scale_set.resource_id, format_time(machine.born - HOUR), end)
        yield dict(zip(INVENTORY, row, strict=True))


def _write(fleet: Fleet, settings: SimulationSettings, output: str) -> dict[str, Any]:
    for name, text in fleet.spool.files():
        _put(output, f"events/{name}", text.encode())
    _put(output, "events/resourcegraph/snapshot.json", _json(fleet.snapshot))
    _put(output, "inventory.csv", _as_csv(fleet.inventory).encode())
    for name, tables in (("instances", fleet.instances), ("operations", fleet.operations), ("faults", fleet.faults)):
        _put(output, f"truth/{name}.parquet", _parquet(pa.concat_tables(tables)))
    told = asdict(settings) | {"start": format_time(settings.start), "end": format_time(settings.end)}
    facts = {"settings": told, "snapshot": len(fleet.snapshot), **dict(sorted(fleet.counts.items()))}
    _put(output, "truth/simulation.json", _json(facts))
    return facts


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1).encode() + b"\n"


def _parquet(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, INVENTORY, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _put(root: str, path: str, content: pa.Buffer | bytes) -> None:
    """Writes a file directly, unlike `put`: nobody reads a fleet before it is finished."""
    if not is_local(root):
        put_over(root, path, content)
        return
    target = Path(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(memoryview(content))
