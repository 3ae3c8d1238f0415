"""Operations that a standing keeps for others' sake: what they hand on, and whether an update adds
(rules: Targets handed on, Adds, Standing)."""

import numpy as np

from transforms.core.columns.kernel import Bools, Ints
from transforms.core.rules.life import Rules
from transforms.core.rules.operations import MAY_REMOVE, UNFINISHED, Operations, is_verb
from transforms.core.rules.targets import NONE, UNNAMED, count_beside


def with_related(keep: Bools, ops: Operations, verb_names: list[str], keep_from: Ints, rules: Rules) -> Bools:
    """The operations to keep, and those without which they, or an end that is still to come, would be folded otherwise.

    Args:
        keep: Which operations decide something themselves.
        ops: All of them, in order of (scale set, start).
        verb_names: The texts of the verb codes.
        keep_from: Of each set, the moment from which on everything is kept.
        rules: The policy.
    """
    before, after = _neighbours(ops)
    unfinished, unnamed = ops.outcome == UNFINISHED, ops.target == UNNAMED
    hands_on = unfinished & ~unnamed & (after == NONE) & (ops.start >= keep_from[ops.set] - rules.presume_after)
    updates = unnamed & (ops.effect == MAY_REMOVE)
    scales = np.flatnonzero(unnamed & (is_verb("scale_out", ops, verb_names) | is_verb("scale_in", ops, verb_names)))
    keep = keep | hands_on
    while True:
        more = keep.copy()
        more[ops.handed_by[keep & (ops.handed_by != NONE)]] = True
        more |= (before != NONE) & (keep & unfinished)[before]  # or the one behind would have its targets from this one
        more[scales[count_beside(scales, ops.set, ops.start, (keep & updates)[None], rules.skew)[0] > 0]] = True
        if (more == keep).all():
            return keep
        keep = more


def _neighbours(ops: Operations) -> tuple[Ints, Ints]:
    """Of each operation the one before it and the one after it under the same key and verb, -1 where there is none."""
    order = np.lexsort((ops.start, ops.verb, ops.key, ops.set))
    first, second = order[:-1], order[1:]
    same = (ops.set[first] == ops.set[second]) & (ops.key[first] == ops.key[second]) & (ops.verb[first] == ops.verb[second])
    before, after = np.full(len(order), NONE), np.full(len(order), NONE)
    before[second[same]], after[first[same]] = first[same], second[same]
    return before, after
