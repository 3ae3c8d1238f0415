"""Score: the record of a simulated fleet beside its truth (contract.md `trueup score`)."""

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.current import current_rows
from pipelines.failures import RunError
from pipelines.folder import files, read, read_all
from schemas.policy import EFFECTS, Policy, Verb
from schemas.truth import TRUE_FAULTS, TRUE_INSTANCES, TRUE_OPERATIONS, TRUTHS
from transforms.core.availability import TIMES, class_times
from transforms.core.columns import Ints
from transforms.core.excusable import ALL, NAMED, REPORTED, UNNAMED, Faults, Spans, Truth, Windows, bounds
from transforms.core.kernel import NEVER
from transforms.core.score import COUNTED, EXCUSED, OUTAGE, REMOVED, UP, Score, States, Times, Verdicts, score

_TARGETS: Final = {"named": NAMED, "all": ALL, "unnamed": UNNAMED}
_BEFORE_LIMIT: Final = {"explained": EXCUSED, "overrun": EXCUSED, "presumed_removed": EXCUSED, "removed": REMOVED}
_BAD: Final = ("Degraded", "Unavailable")
_AFTER_LIMIT: Final = {"presumed_removed": REMOVED, "removed": REMOVED}


@dataclass(frozen=True)
class Scored:
    """A score, and what it is of. Times in microseconds."""

    score: Score
    scale_sets: int
    without_rows: int
    """Scale sets of the truth of which the record holds nothing."""
    instances: int
    since: int
    until: int
    policy: str
    operations: int


class _Codes:
    """Numbers for texts, in order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, *columns: list[Any]) -> Ints:
        """The numbers of rows of texts."""
        rows = zip(*columns, strict=True)
        return np.array([self._numbers.setdefault(row, len(self._numbers)) for row in rows], np.int64)


def score_folder(data: str, truth: str) -> Scored:
    """Scores the current rows of a folder.

    Args:
        data: what `trueup backfill` or `stream` has written over a simulated fleet.
        truth: the folder `truth` of that fleet.

    Raises:
        RunError: one of the folders does not hold what it should, or they are of different fleets.
    """
    instances, operations, faults = (_true(truth, name, schema) for name, schema in _TABLES.items())
    series, attributions = current_rows(data, "availability"), current_rows(data, "attributions")
    if series is None:
        raise RunError(f"--data: a folder that trueup has written is required, got {data}.")
    covered = _covered(series, instances)
    if not len(covered):
        raise RunError(f"--data: a record of the scale sets that {truth} tells of is required, and {data} holds none of them.")
    instances, series = _clipped(instances, covered), _clipped(series, covered)
    policy_hash, policy = _policy(data, series)
    sets, machines = _Codes(), _Codes()
    rows = _truth(instances, sets, machines)
    windows, annotated = _windows(operations, policy, sets, machines), _faults(faults, machines)
    spans = Spans(policy.skew, policy.possible_excuse, policy.max_excuse)
    verdicts = _verdicts(attributions, covered, machines)
    figures = score(rows, bounds(rows, windows, annotated, spans), verdicts, _times(instances, series), _states(series, sets))
    return Scored(
        figures,
        len(covered),
        len(pc.unique(_true(truth, "instances", TRUE_INSTANCES)["scale_set_id"])) - len(covered),
        len(np.unique(rows.instance)),
        int(rows.start.min()),
        int(rows.end.max()),
        policy_hash,
        len(operations),
    )


_TABLES: Final = {"instances": TRUE_INSTANCES, "operations": TRUE_OPERATIONS, "faults": TRUE_FAULTS}


def _true(root: str, name: str, schema: pa.Schema) -> pa.Table:
    found = files(root, f"{name}.parquet")
    if not found:
        raise RunError(f"--truth: the folder truth of a simulated fleet is required, and {root} holds no {name}.parquet.")
    with read(found[0]) as source:
        table = pq.ParquetFile(source).read()
    if not set(schema.names) <= set(table.column_names):
        raise RunError(f"--truth: {found[0]} must hold the columns {', '.join(schema.names)}.")
    return table.select(schema.names).cast(schema)


def _covered(series: pa.Table, instances: pa.Table) -> pa.Table:
    """Of each scale set that both tell of: the time that both cover, as columns scale_set_id, since, until."""
    told = [_extent(table.select(["scale_set_id", "start", "end"])) for table in (series, instances)]
    both = told[0].join(told[1], "scale_set_id", join_type="inner", left_suffix="_said", right_suffix="_true")
    since = pc.max_element_wise(both["start_min_said"], both["start_min_true"])
    until = pc.min_element_wise(both["end_max_said"], both["end_max_true"])
    return pa.table({"scale_set_id": both["scale_set_id"], "since": since, "until": until}).filter(pc.less(since, until))


def _extent(table: pa.Table) -> pa.Table:
    plain = table.set_column(0, "scale_set_id", table["scale_set_id"].cast(pa.string()))
    plain = plain.cast(pa.schema([("scale_set_id", pa.string()), ("start", pa.int64()), ("end", pa.int64())]))
    return plain.group_by("scale_set_id").aggregate([("start", "min"), ("end", "max")])


def _clipped(table: pa.Table, covered: pa.Table) -> pa.Table:
    """The rows of the covered sets, cut to the covered time; start and end as numbers."""
    at = _places(table, covered)
    kept = np.flatnonzero(at >= 0)
    table, since, until = table.take(pa.array(kept)), *(covered[name].to_numpy()[at[kept]] for name in ("since", "until"))
    start = np.clip(_micros(table, "start"), since, until)
    end = np.clip(_micros(table, "end"), since, until)
    for name, values in (("start", start), ("end", end)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table.filter(pa.array(end > start))


def _places(table: pa.Table, covered: pa.Table) -> Ints:
    """Of each row, the place of its scale set among the covered ones; -1 where it is not among them."""
    found = pc.index_in(table["scale_set_id"].cast(pa.string()), covered["scale_set_id"].combine_chunks())
    places: Ints = found.fill_null(-1).to_numpy().astype(np.int64)
    return places


def _micros(table: pa.Table, name: str) -> Ints:
    numbers: Ints = table[name].cast(pa.int64()).fill_null(NEVER).to_numpy()
    return numbers


def _truth(instances: pa.Table, sets: _Codes, machines: _Codes) -> Truth:
    ids = instances["scale_set_id"].to_pylist()
    causes = _Codes().of(instances["cause"].to_pylist())
    columns = [
        machines.of(ids, instances["instance_id"].to_pylist()),
        sets.of(ids),
        _micros(instances, "start"),
        _micros(instances, "end"),
        _index_in(instances["truth"], TRUTHS),
        causes,
        _index_in(instances["reported"], REPORTED),
    ]
    order = np.lexsort((columns[2], columns[0]))
    return Truth(*(column[order] for column in columns))


def _index_in(column: pa.ChunkedArray, names: tuple[str, ...]) -> Ints:
    places: Ints = pc.index_in(column, pa.array(names)).fill_null(-1).to_numpy().astype(np.int64)
    return places


def _windows(operations: pa.Table, policy: Policy, sets: _Codes, machines: _Codes) -> Windows:
    rows = [row for row in operations.to_pylist() if row["verb"] in policy.verbs]
    start = np.array([_number(row["start"]) for row in rows], np.int64)
    end = np.array([NEVER if row["end"] is None else _number(row["end"]) for row in rows], np.int64)
    verbs = [policy.verbs[row["verb"]] for row in rows]
    deadline = np.array([verb.deadline for verb in verbs], np.int64)
    of_set = sets.of([row["scale_set_id"] for row in rows])
    order = np.lexsort((start, of_set))
    names = [machines.of([rows[at]["scale_set_id"]] * len(rows[at]["instance_ids"]), rows[at]["instance_ids"]) for at in order]
    excuses = [row["initiator"] in policy.excused_initiators or row["verb"] in policy.always_excused for row in rows]
    return Windows(
        of_set[order],
        start[order],
        np.where([row["opened"] for row in rows], start, start - policy.unseen)[order],
        (np.where(end < NEVER, end, start + deadline) + policy.settle)[order],
        np.array([EFFECTS.index(verb.effect) for verb in verbs], np.int64)[order],
        np.array(excuses, np.bool_)[order],
        np.array([_TARGETS[row["target"]] for row in rows], np.int64)[order],
        np.concatenate([[0], np.cumsum([len(each) for each in names])]).astype(np.int64),
        np.concatenate([np.zeros(0, np.int64), *names]),
    )


def _number(moment: Any) -> int:
    from schemas.time import to_micros

    return to_micros(moment)


def _faults(faults: pa.Table, machines: _Codes) -> Faults:
    instance = machines.of(faults["scale_set_id"].to_pylist(), faults["instance_id"].to_pylist())
    time = _micros(faults, "time")
    order = np.lexsort((time, instance))
    return Faults(instance[order], time[order])


def _verdicts(attributions: pa.Table | None, covered: pa.Table, machines: _Codes) -> Verdicts:
    """The attributions of instances in two parts each: before the limit, and from there on."""
    if attributions is None:
        nothing = np.zeros(0, np.int64)
        return Verdicts(nothing, nothing, nothing, nothing)
    own = attributions.filter(pc.is_valid(attributions["instance_id"]))
    limit = _micros(own, "limit")
    rows = _clipped(own.set_column(own.column_names.index("limit"), "limit", pa.array(limit)), covered)
    instance = machines.of(*(rows[name].cast(pa.string()).to_pylist() for name in ("scale_set_id", "instance_id")))
    start, end = _micros(rows, "start"), _micros(rows, "end")
    verdicts = rows["verdict"].cast(pa.string()).to_pylist()
    before = np.array([_BEFORE_LIMIT.get(verdict, COUNTED) for verdict in verdicts], np.int64)
    after = np.array([_AFTER_LIMIT.get(verdict, COUNTED) for verdict in verdicts], np.int64)
    turn = np.clip(_micros(rows, "limit"), start, end)
    both = np.concatenate([instance, instance]), np.concatenate([start, turn]), np.concatenate([turn, end])
    some = both[1] < both[2]
    return Verdicts(*(column[some] for column in (*both, np.concatenate([before, after]))))


def _times(instances: pa.Table, series: pa.Table) -> Times:
    """Sums of the scale sets, in one order."""
    length = _micros(instances, "end") - _micros(instances, "start")
    truth = _index_in(instances["truth"], TRUTHS)
    columns = {"up": np.where(truth == UP, length, 0), "out": np.where(truth == OUTAGE, length, 0)}
    true = pa.table({"scale_set_id": instances["scale_set_id"], **columns}).group_by("scale_set_id")
    said = class_times(series).rename_columns(["scale_set_id", *(f"said_{name}" for name in TIMES)])
    both = true.aggregate([("up", "sum"), ("out", "sum")]).join(said, "scale_set_id", join_type="inner").sort_by("scale_set_id")
    of = {name: both[name].to_numpy() for name in both.column_names if name != "scale_set_id"}
    return Times(
        of["up_sum"],
        of["out_sum"],
        of["said_raw_available"],
        of["said_raw_degraded"] + of["said_raw_unavailable"],
        of["said_up"],
        of["said_degraded"] + of["said_unavailable"] + of["said_overrun"],
    )


def _states(series: pa.Table, sets: _Codes) -> States:
    called = [
        np.isin(series[name].cast(pa.string()).to_numpy(zero_copy_only=False), _BAD) for name in ("reported_state", "state")
    ]
    ids = sets.of(series["scale_set_id"].cast(pa.string()).to_pylist())
    return States(ids, _micros(series, "start"), _micros(series, "end"), called[0] + 2 * called[1])


def _policy(data: str, series: pa.Table) -> tuple[str, Policy]:
    """The policy with which most of the rows were made; the default one if the folder does not hold it."""
    counts = pc.value_counts(series["policy"].cast(pa.string())).to_pylist()
    name = max(counts, key=lambda each: each["counts"])["values"]
    for content in read_all(data, f"_trueup/policies/{name}.json"):
        values = json.loads(content)
        verbs = {verb: Verb.model_construct(**its) for verb, its in values["verbs"].items()}
        return name, Policy.model_construct(**{**values, "verbs": verbs})
    return name, Policy()
