"""How an answer changed as more became known: what each published version told of a moment (contract: Current rows)."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa

from transforms.core.explain.explanation import covering, micros_or_none

_BAD: Final = ("degraded", "unavailable", "overrun")


class InstanceAnswer(NamedTuple):
    """What a version said of one instance, or of the scale set itself; times in microseconds."""

    verdict: str
    verb: str | None
    initiator: str | None
    end: int | None
    limit: int | None
    key: str | None = None
    """Of the operation."""


class Change(NamedTuple):
    """A change of the answer, for all instances whose answers changed in the same way."""

    own: bool
    instances: tuple[str, ...]
    before: InstanceAnswer | None
    """None: nothing was told of them."""
    after: InstanceAnswer | None


class AnswerRevision(NamedTuple):
    """A publication that changed the answer."""

    as_of: int
    causes: tuple[str, ...]
    """The causes of the versions published then (schemas.tables.revision.CAUSES)."""
    revision: int
    """The number of the moment's own cell's version."""
    states: tuple[str | None, str]
    """The reported and the corrected state."""
    bad: int
    """Instances that count as bad."""
    changes: tuple[Change, ...]
    same: int
    """Publications after it that did not change the answer."""


def history(versions: pa.Table, series: pa.Table, attributions: pa.Table, cell: int, at: int) -> tuple[AnswerRevision, ...]:
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
    answers = ((as_of, _answer(as_of, known, states, rows, cell)) for as_of in moments)
    return tuple(_changes(answers, known))


class _SetAnswer(NamedTuple):
    """The answer for a scale set as it stood at a moment of publication."""

    revision: int
    states: tuple[str | None, str]
    bad: int
    told: dict[str | None, InstanceAnswer]


def _answer(
    as_of: int, known: list[dict[str, Any]], states: dict[int, dict[str, Any]], rows: list[dict[str, Any]], cell: int
) -> _SetAnswer:
    current: dict[int, tuple[int, int]] = {}
    for row in known:
        start, published = _micros(row["cell"]), _micros(row["as_of"])
        if published <= as_of:
            current[start] = max(current.get(start, (published, row["revision"])), (published, row["revision"]))
    latest, revision = current[cell]
    told = {
        row["instance_id"]: _told(row) for row in rows if current.get(_micros(row["cell"]), (-1,))[0] == _micros(row["as_of"])
    }
    state = states.get(latest)
    if state is None:
        return _SetAnswer(revision, (None, "Idle"), 0, told)
    return _SetAnswer(revision, (state["reported_state"], state["state"]), sum(state[name] for name in _BAD), told)


def _changes(answers: Iterable[tuple[int, _SetAnswer]], known: list[dict[str, Any]]) -> Iterator[AnswerRevision]:
    last: AnswerRevision | None = None
    before: _SetAnswer | None = None
    for as_of, now in answers:
        if last is not None and before is not None and before[1:] == now[1:]:
            last = last._replace(same=last.same + 1)
            continue
        if last is not None:
            yield last
        causes = tuple(sorted({row["cause"] for row in known if _micros(row["as_of"]) == as_of}))
        changes = tuple(_grouped({} if before is None else before.told, now.told))
        last, before = AnswerRevision(as_of, causes, now.revision, now.states, now.bad, changes, 0), now
    if last is not None:
        yield last


def _grouped(before: dict[str | None, InstanceAnswer], now: dict[str | None, InstanceAnswer]) -> Iterator[Change]:
    groups: dict[tuple[bool, InstanceAnswer | None, InstanceAnswer | None], list[str]] = {}
    for instance in sorted({*before, *now}, key=lambda instance: (instance is None, instance or "")):
        pair = before.get(instance), now.get(instance)
        if pair[0] != pair[1]:
            groups.setdefault((instance is None, *pair), []).extend([] if instance is None else [instance])
    for (own, was, is_), instances in groups.items():
        yield Change(own, tuple(instances), was, is_)


def _told(row: dict[str, Any]) -> InstanceAnswer:
    end, limit = (micros_or_none(row[name]) for name in ("end", "limit"))
    return InstanceAnswer(row["verdict"], row["verb"], row["initiator"], end, limit, row["operation_key"])


def _micros(time: Any) -> int:
    return micros_or_none(time) or 0
