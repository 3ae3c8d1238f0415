"""Score: the record of a simulated fleet beside its truth (contract: trueup score)."""

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.failures import RunError
from pipelines.record.folder import files, read, read_all
from pipelines.record.selection import Selection
from pipelines.score.tables import Codes, faults_of, micros_of, states_of, times_of, truth_of, verdicts_of, windows_of
from pipelines.score.worst import TOLD, WorstRow, worst_rows
from schemas.policy import Policy, Verb
from schemas.tables.truth import TRUE_FAULTS, TRUE_INSTANCES, TRUE_OPERATIONS
from transforms.core.columns.arrow import Ints
from transforms.core.score.availability import TIMES
from transforms.core.score.excusable import Durations, bounds
from transforms.core.score.score import Score, score, wrong_rows


@dataclass(frozen=True)
class ScoreResult:
    """A score, and what it is of. Times in microseconds."""

    score: Score
    worst: list[WorstRow]
    """The rows of the record that are wrong for longest, of each kind some."""
    ids: list[str]
    """Of the scale sets."""
    scale_sets: int
    without_rows: int
    """Scale sets of the truth of which the record holds nothing."""
    instances: int
    since: int
    until: int
    policy: str
    operations: int


def score_folder(data: str, truth: str) -> ScoreResult:
    """Scores the current rows of a folder.

    Args:
        data: what `trueup backfill` or `stream` has written over a simulated fleet.
        truth: the folder `truth` of that fleet.

    Raises:
        RunError: one of the folders does not hold what it should, or they are of different fleets.
    """
    instances, operations, faults = (_true(truth, name, schema) for name, schema in _TABLES.items())
    selection = Selection(data)
    if not selection.days:
        raise RunError(f"--data: a folder that trueup has written is required, got {data}.")
    series, attributions = (selection.table(name, selection.days, columns) for name, columns in _READ.items())
    covered = _covered(series, instances)
    if not len(covered):
        raise RunError(f"--data: a record of the scale sets that {truth} tells of is required, and {data} holds none of them.")
    instances, series = _clipped(instances, covered), _clipped(series, covered)
    policy_hash, policy = _policy(data, series)
    sets, machines = Codes(), Codes()
    rows = truth_of(instances, sets, machines)
    spans = Durations(policy.skew, policy.possible_excuse, policy.max_excuse)
    tells = bounds(rows, windows_of(operations, policy, sets, machines), faults_of(faults, machines), spans)
    told = _clipped(attributions.filter(pc.is_valid(attributions["instance_id"])), covered)
    verdicts = verdicts_of(told, machines)
    return ScoreResult(
        score(rows, tells, verdicts, times_of(instances, series), states_of(series, sets)),
        worst_rows(told, wrong_rows(rows, tells, verdicts, len(told)), verdicts),
        covered["scale_set_id"].to_pylist(),
        len(covered),
        len(pc.unique(_true(truth, "instances", TRUE_INSTANCES)["scale_set_id"])) - len(covered),
        len(np.unique(rows.instance)),
        int(rows.start.min()),
        int(rows.end.max()),
        policy_hash,
        len(operations),
    )


_READ: Final = {
    "availability": ("scale_set_id", "start", "end", "reported_state", "state", "policy", *TIMES),
    "attributions": ("start", "end", "limit", *TOLD),
}
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
    start = np.clip(micros_of(table, "start"), since, until)
    end = np.clip(micros_of(table, "end"), since, until)
    for name, values in (("start", start), ("end", end)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table.filter(pa.array(end > start))


def _places(table: pa.Table, covered: pa.Table) -> Ints:
    """Of each row, the place of its scale set among the covered ones; -1 where it is not among them."""
    found = pc.index_in(table["scale_set_id"].cast(pa.string()), covered["scale_set_id"].combine_chunks())
    places: Ints = found.fill_null(-1).to_numpy().astype(np.int64)
    return places


def _policy(data: str, series: pa.Table) -> tuple[str, Policy]:
    """The policy with which most of the rows were made; the default one if the folder does not hold it."""
    counts = pc.value_counts(series["policy"].cast(pa.string())).to_pylist()
    name = max(counts, key=lambda each: each["counts"])["values"]
    for content in read_all(data, f"_trueup/policies/{name}.json"):
        values = json.loads(content)
        verbs = {verb: Verb.model_construct(**fields) for verb, fields in values["verbs"].items()}
        return name, Policy.model_construct(**{**values, "verbs": verbs})
    return name, Policy()
