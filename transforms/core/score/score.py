"""The score of a corrected record: its verdicts laid over the truth, second by second (contract: trueup score).

Everything is a sum over instance time, in microseconds; a moment of an instance has one truth, one report and one verdict.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from transforms.core.columns.kernel import Ints
from transforms.core.score.blame import (
    BAD,
    COUNTED,
    EXCUSED,
    GONE,
    KINDS,
    NONE,
    OUTAGE,
    OVERSTAYED,
    PLANNED,
    REMOVED,
    STATES,
    TELLS,
    VERDICTS,
    WRONG,
    WRONGS,
    Verdicts,
    blame,
)  # fmt: skip
from transforms.core.score.excusable import REPORTED, Bounds, Truth
from transforms.core.score.overlay import CodedSpells, lay, union

AVAILABLE, UNKNOWN = REPORTED.index("Available"), REPORTED.index("Unknown")


class Times(NamedTuple):
    """Instance time of each scale set, one entry each, in microseconds."""

    up: Ints
    """It really served."""
    out: Ints
    """It really was out."""
    raw_up: Ints
    raw_bad: Ints
    corrected_up: Ints
    corrected_bad: Ints


@dataclass(frozen=True)
class Score:
    """All figures of a score; times in microseconds, ratios None where there is nothing to divide by."""

    true_availability: float | None
    raw_availability: float | None
    corrected_availability: float | None
    raw_error: float | None
    """Mean over the scale sets of how far raw availability is from the true one."""
    corrected_error: float | None
    """The same of the corrected one."""
    forgiven: int
    """Time in which trouble is reported of an instance that is there, but not counted: excused, removed, absent."""
    forgiven_rightly: int
    """Of it, what was an operation's doing."""
    precision: float | None
    """Share of the forgiven time that was an operation's doing."""
    recall: float | None
    """Share of the reported trouble that was an operation's doing which is forgiven."""
    outage: int
    """Time in which instances really were out."""
    found: int
    """Of it, what the record counts."""
    hidden_tellable: int
    """What the record forgives although a caused, bounded rule can tell it: none, or something is wrong."""
    hidden_coincident: int
    """What it forgives because the outage began while an operation might have the instance in hand."""
    hidden_overstayed: int
    """What it forgives because an operation had taken the instance down, and is given longer than it should take."""
    unknown: int
    """What the platform reported as Unknown."""
    unreported: int
    """What the platform reported as Available, or had not reported at all yet."""
    false_bad: int
    """Time that the record counts although no instance was out."""
    false_planned: int
    """Of it, while an operation had the instance in hand."""
    false_gone: int
    """Of it, after the instance was gone."""
    raw_false_planned: int
    """Time in which trouble was reported while an operation had the instance in hand."""
    raw_false_gone: int
    """Time in which trouble was reported of what was gone: until the end of the record, since nobody takes it back."""
    sets_out: int
    """Time of scale sets in which at least one of their instances was really out."""
    sets_raw_false: int
    """Time in which a set was reported as Degraded or Unavailable though none of its instances was out."""
    sets_corrected_false: int
    """The same after correction: false alarms left."""
    sets_raw_found: int
    """Time in which a set was reported as Degraded or Unavailable, and an instance was out."""
    sets_corrected_found: int
    """The same after correction."""


def instance_times(truth: Truth, bounds: Bounds, verdicts: Verdicts) -> Ints:
    """Instance time by verdict, truth, what a rule can tell, and reported state.

    Returns:
        Microseconds, of shape (4, 5, 4, 5): verdict; place in TRUTHS, or OVERSTAYED; 1 if it looks like an operation's doing + 2
        if it looks taken away; place in REPORTED (4: none). Only time at which there is a truth is counted.
    """
    said = CodedSpells(verdicts.instance, verdicts.start, verdicts.end, verdicts.verdict)
    sums = lay(said, _cut(truth, bounds), (len(VERDICTS), 1 + KINDS * TELLS * STATES))
    return sums[:, 1:].reshape(len(VERDICTS), KINDS, TELLS, STATES)


def _cut(truth: Truth, bounds: Bounds) -> CodedSpells:
    """The truth, each interval cut where what a rule can tell changes; codes from 1 on."""
    edges = np.stack([truth.start, bounds.excused, bounds.removed, truth.end])
    edges = np.sort(np.clip(edges, truth.start, truth.end), axis=0)
    start, end = edges[:-1].ravel(), edges[1:].ravel()
    row = np.tile(np.arange(len(truth.start)), 3)
    tell = (start < bounds.excused[row]) + 2 * (start < bounds.removed[row])
    reported = np.where(truth.reported < 0, len(REPORTED), truth.reported)[row]
    code = 1 + (kinds(truth)[row] * TELLS + tell) * STATES + reported
    some = end > start
    return CodedSpells(truth.instance[row][some], start[some], end[some], code[some])


def kinds(truth: Truth) -> Ints:
    """The truth of each interval, where an outage that follows an operation's doing without a break is OVERSTAYED."""
    found = truth.truth.copy()
    for row in np.flatnonzero(found == OUTAGE).tolist():
        before = row - 1
        touches = row > 0 and truth.instance[before] == truth.instance[row] and truth.end[before] == truth.start[row]
        if touches and found[before] in (PLANNED, OVERSTAYED):
            found[row] = OVERSTAYED
    return found


def wrong_rows(truth: Truth, bounds: Bounds, verdicts: Verdicts, rows: int) -> Ints:
    """For how long each row of the record is wrong, and how: microseconds, of shape (rows, len(WRONGS))."""
    return blame(verdicts, _cut(truth, bounds), rows)


class States(NamedTuple):
    """Rows of the series of scale sets, one entry an interval; no two of a set overlap. Microseconds."""

    set: Ints
    start: Ints
    end: Ints
    called: Ints
    """1: reported as Degraded or Unavailable; 2: Degraded or Unavailable after correction; 3: both; 0: neither."""


def score(truth: Truth, bounds: Bounds, verdicts: Verdicts, times: Times, states: States) -> Score:
    """The figures of a record.

    Args:
        truth: of the time that the record covers, sorted by (instance, start).
        bounds: what a rule can tell of it.
        verdicts: what the record says of the same instances.
        times: sums of each scale set, by the truth and by the series.
        states: the series itself.
    """
    sums = instance_times(truth, bounds, verdicts)
    called = lay(CodedSpells(*states[:3], states.called + 1), _when_out(truth), (5, 2))[1:]
    return Score(**_availabilities(times), **_forgiven(sums), **_outages(sums), **_false(sums), **_sets(called))


def _when_out(truth: Truth) -> CodedSpells:
    """When at least one instance of a scale set is really out; keys are sets."""
    out = truth.truth == OUTAGE
    return union(truth.set[out], truth.start[out], truth.end[out])


def _sets(called: Ints) -> dict[str, int]:
    """Of the time of scale sets by how it was called and whether an instance was out."""
    raw, corrected = called[[1, 3]].sum(axis=0), called[[2, 3]].sum(axis=0)
    return {
        "sets_out": int(called[:, 1].sum()),
        "sets_raw_false": int(raw[0]),
        "sets_corrected_false": int(corrected[0]),
        "sets_raw_found": int(raw[1]),
        "sets_corrected_found": int(corrected[1]),
    }


def _availabilities(times: Times) -> dict[str, Any]:
    true, raw = (times.up, times.out), (times.raw_up, times.raw_bad)
    corrected = times.corrected_up, times.corrected_bad
    return {
        "true_availability": _ratio(*true),
        "raw_availability": _ratio(*raw),
        "corrected_availability": _ratio(*corrected),
        "raw_error": _mean_error(raw, true),
        "corrected_error": _mean_error(corrected, true),
    }


def _forgiven(sums: Ints) -> dict[str, Any]:
    """Of the time in which trouble is reported of an instance that is there."""
    trouble = sums[..., BAD].sum(axis=(2, 3))
    forgiven = trouble[[NONE, EXCUSED, REMOVED]].sum(axis=0)
    there, right = int(np.delete(forgiven, GONE).sum()), int(forgiven[PLANNED])
    return {
        "forgiven": there,
        "forgiven_rightly": right,
        "precision": _share(right, there),
        "recall": _share(right, right + int(trouble[COUNTED, PLANNED])),
    }


def _outages(sums: Ints) -> dict[str, int]:
    out = sums[:, [OUTAGE, OVERSTAYED]]
    there = out[[NONE, EXCUSED, COUNTED]]
    return {
        "outage": int(out.sum()),
        "found": int(out[COUNTED][..., BAD].sum()),
        "unknown": int(there[..., UNKNOWN].sum()),
        "unreported": int(there[..., [AVAILABLE, len(REPORTED)]].sum()),
        **{name: _said(sums, name) for name in WRONGS if name.startswith("hidden")},
    }


def _false(sums: Ints) -> dict[str, int]:
    reported = sums[..., BAD].sum(axis=(0, 2, 3))
    false = {name: _said(sums, name) for name in WRONGS if name.startswith("false")}
    return {
        "false_bad": sum(false.values()),
        "false_planned": false["false_planned"],
        "false_gone": false["false_gone"],
        "raw_false_planned": int(reported[PLANNED]),
        "raw_false_gone": int(reported[GONE]),
    }


def _said(sums: Ints, name: str) -> int:
    return int(sums[WRONGS.index(name) == WRONG].sum())


def _ratio(up: Ints, bad: Ints) -> float | None:
    return _share(int(up.sum()), int(up.sum() + bad.sum()))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean_error(said: tuple[Ints, Ints], true: tuple[Ints, Ints]) -> float | None:
    """Mean absolute error over the scale sets in which both are known."""
    wholes = said[0] + said[1], true[0] + true[1]
    known = (wholes[0] > 0) & (wholes[1] > 0)
    if not known.any():
        return None
    return float(np.abs(said[0][known] / wholes[0][known] - true[0][known] / wholes[1][known]).mean())
