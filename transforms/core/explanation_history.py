"""How an answer changed as more became known: what each published version told of a moment (contract.md "Current rows")."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms.core.explanation import covering, micros_or_none

_BAD: Final = ("degraded", "unavailable", "overrun")


class Told(NamedTuple):
    """What a version told of one instance, or of the scale set itself; times in microseconds."""

    verdict: str
    verb: str | None
    initiator: str | None
    end: int | None
    limit: int | None


class Change(NamedTuple):
    """What is told otherwise than before, of all instances of which the same was and is told."""

    own: bool
    instances: tuple[str, ...]
    before: Told | None
    """None: nothing was told of them."""
    after: Told | None


class Published(NamedTuple):
    """A publication that changed the answer."""

    as_of: int
    causes: tuple[str, ...]
    """The causes of the versions published then (schemas.revision.CAUSES)."""
    revision: int
    """The number of the moment's own cell's version."""
    states: tuple[str | None, str]
    """The reported and the corrected state."""
    bad: int
    """Instances that count as bad."""
    changes: tuple[Change, ...]
    same: int
    """Publications after it that did not change the answer."""


def history(versions: pa.Table, series: pa.Table, attributions: pa.Table, cell: int, at: int) -> tuple[Published, ...]:
    """What was told of a moment, publication by publication, from the first on that told it.

    Args:
        versions: rows of `revisions` of one scale set.
        series: rows of `availability` of the moment's cell, of every version.
        attributions: rows of `attributions` in the columns TOLD with cell and as_of, of every version.
        cell: start of the moment's cell, in microseconds.
        at: the moment.
    """
    rows = covering(attributions, at).to_pylist()
    states = {_micros(row["as_of"]): row for row in covering(series, at).to_pylist()}
    cells = {_micros(row["cell"]) for row in rows} | {cell}
    known = [row for row in versions.to_pylist() if _micros(row["cell"]) in cells]
    first = min(
        (_micros(row["as_of"]) for row in known if _micros(row["cell"]) == cell and _micros(row["as_of"]) in states), default=0
    )
    moments = sorted({_micros(row["as_of"]) for row in known if _micros(row["as_of"]) >= first})
    told = [(as_of, *_answer(as_of, known, states, rows, cell)) for as_of in moments]
    return tuple(_changes(told, known))


class _Answer(NamedTuple):
    revision: int
    states: tuple[str | None, str]
    bad: int
    told: dict[str | None, Told]


def _answer(
    as_of: int, known: list[dict[str, Any]], states: dict[int, dict[str, Any]], rows: list[dict[str, Any]], cell: int
) -> tuple[int, tuple[str | None, str], int, dict[str | None, Told]]:
    """As it stood at a moment of publication."""
    current: dict[int, tuple[int, int]] = {}
    for row in known:
        its, published = _micros(row["cell"]), _micros(row["as_of"])
        if published <= as_of:
            current[its] = max(current.get(its, (published, row["revision"])), (published, row["revision"]))
    latest, revision = current[cell]
    state = states.get(latest)
    told = {
        row["instance_id"]: _told(row) for row in rows if current.get(_micros(row["cell"]), (-1,))[0] == _micros(row["as_of"])
    }
    if state is None:
        return revision, (None, "Idle"), 0, told
    return revision, (state["reported_state"], state["state"]), sum(state[name] for name in _BAD), told


def _changes(
    told: Iterable[tuple[int, int, tuple[str | None, str], int, dict[str | None, Told]]], known: list[dict[str, Any]]
) -> Iterable[Published]:
    last: Published | None = None
    before: dict[str | None, Told] = {}
    for as_of, revision, states, bad, now in told:
        if last is not None and (states, bad, now) == (last.states, last.bad, before):
            last = last._replace(same=last.same + 1)
            continue
        if last is not None:
            yield last
        causes = tuple(sorted({row["cause"] for row in known if _micros(row["as_of"]) == as_of}))
        last = Published(as_of, causes, revision, states, bad, tuple(_grouped(before, now)), 0)
        before = now
    if last is not None:
        yield last


def _grouped(before: dict[str | None, Told], now: dict[str | None, Told]) -> Iterable[Change]:
    groups: dict[tuple[bool, Told | None, Told | None], list[str]] = {}
    for its in sorted({*before, *now}, key=lambda its: (its is None, its or "")):
        pair = before.get(its), now.get(its)
        if pair[0] != pair[1]:
            groups.setdefault((its is None, *pair), []).extend([] if its is None else [its])
    for (own, was, is_), instances in groups.items():
        yield Change(own, tuple(instances), was, is_)


def _told(row: dict[str, Any]) -> Told:
    return Told(row["verdict"], row["verb"], row["initiator"], micros_or_none(row["end"]), micros_or_none(row["limit"]))


def _micros(time: Any) -> int:
    return micros_or_none(time) or 0


def of_set(rows: pa.Table, scale_set_id: str) -> pa.Table:
    """The rows of one scale set."""
    return rows.filter(pc.equal(rows.column("scale_set_id").cast(pa.string()), scale_set_id))
