"""Tables of a truth and of a record as the arrays that a score is made of."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.policy import EFFECTS, Policy
from schemas.tables.truth import TRUTHS
from schemas.time import to_micros
from transforms.core.columns.arrow import Ints
from transforms.core.columns.kernel import NEVER, Bools
from transforms.core.score.availability import TIMES, class_times
from transforms.core.score.blame import COUNTED, EXCUSED, OUTAGE, REMOVED, UP, Verdicts
from transforms.core.score.excusable import ALL, NAMED, REPORTED, UNNAMED, Faults, OperationWindows, Truth
from transforms.core.score.score import States, Times

_TARGETS: Final = {"named": NAMED, "all": ALL, "unnamed": UNNAMED}
_BEFORE_LIMIT: Final = {"explained": EXCUSED, "overrun": EXCUSED, "presumed_removed": EXCUSED, "removed": REMOVED}
_BAD: Final = ("Degraded", "Unavailable")
_AFTER_LIMIT: Final = {"presumed_removed": REMOVED, "removed": REMOVED}


class Codes:
    """Numbers for texts, in order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, *columns: list[Any]) -> Ints:
        """The numbers of rows of texts."""
        rows = zip(*columns, strict=True)
        return np.array([self._numbers.setdefault(row, len(self._numbers)) for row in rows], np.int64)


def micros_of(table: pa.Table, name: str) -> Ints:
    """A column of moments as microseconds; null is NEVER."""
    numbers: Ints = table[name].cast(pa.int64()).fill_null(NEVER).to_numpy()
    return numbers


def truth_of(instances: pa.Table, sets: Codes, machines: Codes) -> Truth:
    """The rows of the truth, by (instance, start)."""
    ids = instances["scale_set_id"].to_pylist()
    causes = Codes().of(instances["cause"].to_pylist())
    columns = [
        machines.of(ids, instances["instance_id"].to_pylist()),
        sets.of(ids),
        micros_of(instances, "start"),
        micros_of(instances, "end"),
        _index_in(instances["truth"], TRUTHS),
        causes,
        _index_in(instances["reported"], REPORTED),
    ]
    order = np.lexsort((columns[2], columns[0]))
    return Truth(*(column[order] for column in columns))


def _index_in(column: pa.ChunkedArray, names: tuple[str, ...]) -> Ints:
    places: Ints = pc.index_in(column, pa.array(names)).fill_null(-1).to_numpy().astype(np.int64)
    return places


def windows_of(operations: pa.Table, policy: Policy, sets: Codes, machines: Codes) -> OperationWindows:
    """The operations; one whose end is late is two: as it was begun, and what the records then tell of its end."""
    told = [row for row in operations.to_pylist() if row["verb"] in policy.verbs]
    rows = [part for row in told for part in _parts(row, policy)]
    of_set = sets.of([row["scale_set_id"] for row in rows])
    start = np.array([row["start"] for row in rows], np.int64)
    order = np.lexsort((start, of_set))
    rows = [rows[at] for at in order]
    names = [machines.of([row["scale_set_id"]] * len(row["instance_ids"]), row["instance_ids"]) for row in rows]
    columns: dict[str, Any] = {
        **{name: np.array([row[name] for row in rows], np.int64) for name in ("start", "begin", "limit")},
        **{name: np.array([row[name] for row in rows], np.bool_) for name in ("excuses", "refused", "late")},
        "set": of_set[order],
        "effect": np.array([EFFECTS.index(policy.verbs[row["verb"]].effect) for row in rows], np.int64),
        "adds": _adding(rows, policy),
        "target": np.array([_TARGETS[row["target"]] for row in rows], np.int64),
        "names_from": np.concatenate([[0], np.cumsum([len(each) for each in names])]).astype(np.int64),
        "names": np.concatenate([np.zeros(0, np.int64), *names]),
    }
    return OperationWindows(**columns)


def _parts(row: dict[str, Any], policy: Policy) -> Iterator[dict[str, Any]]:
    """An operation as its records tell it, times as numbers; late: it is merely the end of a request."""
    start, end = to_micros(row["start"]), None if row["end"] is None else to_micros(row["end"])
    deadline, settle = start + policy.verbs[row["verb"]].deadline, policy.settle
    refused = (
        row["outcome"] == "failed" and row["opened"] and not row["accepted"] and end is not None and end - start <= policy.skew
    )
    same = {
        **row,
        "start": start,
        "begin": start if row["opened"] else start - policy.unseen,
        "excuses": row["initiator"] in policy.excused_initiators or row["verb"] in policy.always_excused,
        "refused": refused,
        "late": False,
    }
    if end is None or end > deadline:
        yield {**same, "limit": deadline + settle}
    if end is not None and end > deadline:
        yield {**same, "start": end, "begin": end - policy.unseen, "limit": end + settle, "late": True}
    elif end is not None:
        yield {**same, "limit": end + (min(policy.skew, settle) if refused else settle)}


def _adding(rows: list[dict[str, Any]], policy: Policy) -> Bools:
    """Which operations add instances, so that they touch none that was there before."""
    unnamed = [row for row in rows if row["target"] == "unnamed"]
    out, inward = (_starts(unnamed, verb) for verb in ("scale_out", "scale_in"))
    return np.array([row["target"] == "unnamed" and _adds(row, out, inward, policy) for row in rows], np.bool_)


def _starts(rows: list[dict[str, Any]], verb: str) -> dict[str, Ints]:
    """When such operations of each scale set start, in order."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row["verb"] == verb and not (verb == "scale_out" and row["refused"]):
            found.setdefault(row["scale_set_id"], []).append(row["start"])
    return {name: np.sort(np.array(starts, np.int64)) for name, starts in found.items()}


def _adds(row: dict[str, Any], out: dict[str, Ints], inward: dict[str, Ints], policy: Policy) -> bool:
    if row["verb"] in ("create", "scale_out"):
        return True
    carries = row["excuses"] and policy.verbs[row["verb"]].effect == "may_remove"
    near = [_near(starts.get(row["scale_set_id"]), row["start"], policy.skew) for starts in (out, inward)]
    return bool(carries and near[0] and not near[1])


def _near(starts: Ints | None, moment: int, skew: int) -> bool:
    if starts is None:
        return False
    first, last = np.searchsorted(starts, [moment - skew, moment + skew + 1])
    return bool(first < last)


def faults_of(faults: pa.Table, machines: Codes) -> Faults:
    """The annotations of faults, by (instance, time)."""
    instance = machines.of(faults["scale_set_id"].to_pylist(), faults["instance_id"].to_pylist())
    time = micros_of(faults, "time")
    order = np.lexsort((time, instance))
    return Faults(instance[order], time[order])


def verdicts_of(told: pa.Table, machines: Codes) -> Verdicts:
    """The attributions of instances, cut to the covered time, in two parts each: before the limit, and from there on."""
    instance = machines.of(*(told[name].cast(pa.string()).to_pylist() for name in ("scale_set_id", "instance_id")))
    start, end, row = micros_of(told, "start"), micros_of(told, "end"), np.arange(len(told))
    verdicts = told["verdict"].cast(pa.string()).to_pylist()
    before = np.array([_BEFORE_LIMIT.get(verdict, COUNTED) for verdict in verdicts], np.int64)
    after = np.array([_AFTER_LIMIT.get(verdict, COUNTED) for verdict in verdicts], np.int64)
    turn = np.clip(micros_of(told, "limit"), start, end)
    parts = (instance, instance), (start, turn), (turn, end), (before, after), (row, row)
    both = [np.concatenate(part) for part in parts]
    some = both[1] < both[2]
    return Verdicts(*(column[some] for column in both))


def times_of(instances: pa.Table, series: pa.Table) -> Times:
    """Sums of the scale sets, in one order."""
    length = micros_of(instances, "end") - micros_of(instances, "start")
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


def states_of(series: pa.Table, sets: Codes) -> States:
    """How the sets were called, as reported and as corrected."""
    called = [
        np.isin(series[name].cast(pa.string()).to_numpy(zero_copy_only=False), _BAD) for name in ("reported_state", "state")
    ]
    ids = sets.of(series["scale_set_id"].cast(pa.string()).to_pylist())
    return States(ids, micros_of(series, "start"), micros_of(series, "end"), called[0] + 2 * called[1])
