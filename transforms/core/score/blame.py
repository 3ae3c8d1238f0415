"""What is wrong with a verdict, and which rows of the record it is wrong of (contract: trueup score)."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.tables.truth import TRUTHS
from transforms.core.columns.kernel import NEVER, Ints
from transforms.core.score.excusable import REPORTED
from transforms.core.score.overlay import CodedSpells, lay

NONE, EXCUSED, REMOVED, COUNTED = VERDICTS = range(4)
"""What the record says of an instance at a moment; NONE: nothing, so it is up, or absent."""
UP, PLANNED, OUTAGE, GONE = range(len(TRUTHS))
OVERSTAYED: Final = len(TRUTHS)
"""An outage that follows an operation's doing: the instance did not come back from it."""
BAD: Final = [REPORTED.index("Degraded"), REPORTED.index("Unavailable")]
KINDS, TELLS, STATES = len(TRUTHS) + 1, 4, len(REPORTED) + 1
_EXCUSABLE: Final = (1, 3)
"""Of what a rule can tell: it looks like an operation's doing."""

RIGHT: Final = "right"
WRONGS: Final = (RIGHT, "false_up", "false_planned", "false_gone", "hidden_tellable", "hidden_coincident", "hidden_overstayed")
"""What can be said of a moment; false: counted although the instance was up, in an operation's hands, or gone; hidden: a real
outage that is not counted although a rule can tell it, because it began while an operation might have the instance in hand, or
because an operation is given longer than it should take."""


class Verdicts(NamedTuple):
    """What the record says of instances, one entry an interval; no two of an instance overlap. Microseconds."""

    instance: Ints
    start: Ints
    end: Ints
    verdict: Ints
    """EXCUSED, REMOVED or COUNTED."""
    row: Ints
    """Number of the row of the record that says so."""


def wrong(verdict: int, kind: int, tell: int, state: int) -> str:
    """What is said of a moment; one of WRONGS."""
    bad = state in BAD
    if verdict == COUNTED:
        return {UP: "false_up", PLANNED: "false_planned", GONE: "false_gone"}.get(kind, RIGHT) if bad else RIGHT
    if kind not in (OUTAGE, OVERSTAYED) or not (bad or verdict == REMOVED):
        return RIGHT
    alike = tell in _EXCUSABLE if verdict == EXCUSED else tell > 0
    return ("hidden_coincident" if kind == OUTAGE else "hidden_overstayed") if alike else "hidden_tellable"


_SHAPE: Final = (len(VERDICTS), KINDS, TELLS, STATES)
WRONG: Final[npt.NDArray[Any]] = np.array([WRONGS.index(wrong(*map(int, place))) for place in np.ndindex(_SHAPE)]).reshape(_SHAPE)
"""Place in WRONGS by verdict, truth (or OVERSTAYED), what a rule can tell, and reported state."""


def blame(verdicts: Verdicts, truth: CodedSpells, rows: int) -> Ints:
    """Which rows of the record are wrong, for how long.

    Where the record says nothing of an instance, the last row before that is to blame: it ended too soon.

    Args:
        verdicts: what the record says.
        truth: what is true, as codes 1 + (kind * TELLS + tell) * STATES + state.
        rows: how many rows the record has.

    Returns:
        Microseconds, of shape (rows, len(WRONGS)).
    """
    every, found = _with_gaps(verdicts), np.zeros((rows, len(WRONGS)), np.int64)
    for verdict in VERDICTS:
        own = every.verdict == verdict
        said = CodedSpells(every.instance[own], every.start[own], every.end[own], every.row[own] + 1)
        code = WRONG[verdict].ravel()[truth.code - 1]
        some = code > 0
        other = CodedSpells(truth.key[some], truth.start[some], truth.end[some], code[some])
        found += lay(said, other, (rows + 1, len(WRONGS)))[1:]
    found[:, 0] = 0
    return found


def _with_gaps(verdicts: Verdicts) -> Verdicts:
    """The verdicts, and NONE from where each ends to where the instance's next one begins."""
    order = np.lexsort((verdicts.start, verdicts.instance))
    ordered = Verdicts(*(column[order] for column in verdicts))
    same = np.append(ordered.instance[1:] == ordered.instance[:-1], False)
    until = np.where(same, np.append(ordered.start[1:], NEVER), NEVER)
    gaps = Verdicts(ordered.instance, ordered.end, until, np.full(len(until), NONE), ordered.row)
    some = np.concatenate([ordered.end > ordered.start, until > ordered.end])
    return Verdicts(*(np.concatenate(both)[some] for both in zip(ordered, gaps, strict=True)))
