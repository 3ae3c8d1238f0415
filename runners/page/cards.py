"""Cards: the evidence about an operation, or about trouble without one, in words, and its mark on the timeline."""

from collections import defaultdict
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from runners.page.charts import BAD, GOOD, Mark
from runners.report.sections import length
from runners.words.names import harmless, shortened
from runners.words.quantity import quantity
from schemas.time import SECOND, to_micros
from transforms.core.report.request import ReportRequest

PRINTED: Final = 3
"""Cards of a scale set that are printed: those with the most time."""
_NAMES: Final = 4
"""Machines that are named."""
_WORDS: Final = 18
"""Letters of the name that stands beside a mark."""


class Card(NamedTuple):
    """An operation or a trouble, and what is known of it."""

    link: str
    """Its name in the page."""
    kind: str
    """bad: time counts because of it; good: it excuses; else neither."""
    title: str
    rows: list[tuple[str, str]]
    told: str
    """All of it in one sentence."""
    mark: Mark
    minor: bool
    """Whether print leaves it out."""
    of: int
    """How many the scale set has."""


def cards_of(marks: pa.Table, request: ReportRequest, zone: ZoneInfo) -> dict[str, list[Card]]:
    """Cards by scale set, each by start.

    Args:
        marks: MARKS of `transforms.core.report.charts.marks`.
        request: of the report.
        zone: on whose clocks times are told.
    """
    found: dict[str, list[Card]] = defaultdict(list)
    for row in marks.to_pylist():
        found[row["scale_set_id"]].append(_card(row, request, zone))
    return {one: _ranked(cards) for one, cards in found.items()}


def link_of(row: dict[str, Any]) -> str:
    """The name of a card in any page: the same wherever the same operation or trouble of a period is told."""
    told = [row[name] for name in ("scale_set_id", "operation_key", "verb", "start", "verdict")]
    return f"e{blake2b(repr(told).encode(), digest_size=5).hexdigest()}"


def _ranked(cards: list[Card]) -> list[Card]:
    weight = {"bad": 2, "good": 1, "none": 0}
    first = sorted(cards, key=lambda card: (-weight[card.kind], card.mark.start))[:PRINTED]
    major = {card.link for card in first}
    return [card._replace(minor=card.link not in major) for card in cards]


def _card(row: dict[str, Any], request: ReportRequest, zone: ZoneInfo) -> Card:
    own = row["verb"] is not None
    kind = "bad" if row["counted_seconds"] else "good" if row["excused_seconds"] or row["removed_seconds"] else "none"
    color = {"bad": BAD, "good": GOOD, "none": "var(--soft)"}[kind]
    start = when(row["start"], zone)
    what = f"{row['verb']} by {row['initiator']}" if own else _trouble(row)
    rows = _operation_rows(row, zone) if own else _trouble_rows(row, zone)
    rows += [(f"{name.capitalize()}", length(row[f"{name}_seconds"])) for name in _TIMES if row[f"{name}_seconds"]]
    rows += [("Operation key", row["operation_key"])] if own else []
    title = harmless(f"{start} {what}")
    said = "; ".join(f"{term} {text}" for term, text in rows if term != "Operation key")
    link, name = link_of(row), row["verb"] if own else row["verdict"]
    span = (request.until - request.since) / SECOND
    mark = Mark(
        link=link,
        label=shortened(harmless(name), _WORDS),
        start=_since(row["start"], request, 0.0),
        end=_since(row["end"] or (row["start"] if own else None), request, span),
        limit=_since(row["limit"] or row["end"], request, span),
        color=color,
        own=own,
    )
    return Card(
        link, kind, title, [(term, harmless(text)) for term, text in rows], harmless(f"{title}: {said}"), mark, False, row["of"]
    )


_TIMES: Final = ("excused", "removed", "counted")


def _trouble(row: dict[str, Any]) -> str:
    names = sorted(name for name in row["instances"] if name is not None)
    whose = f"machine {names[0]}" if len(names) == 1 else quantity(len(names), "machine") if names else "the scale set itself"
    return f"{whose} {row['worst_state']}"


def _trouble_rows(row: dict[str, Any], zone: ZoneInfo) -> list[tuple[str, str]]:
    why = {"fault": "the platform reported failing hardware", "unexplained": "no operation explains it: a real outage"}
    rows = [("Why", why[row["verdict"]]), ("Began", when(row["start"], zone)), ("Ended", _ended(row, "it lasts", zone))]
    spells = [("Spells", f"{row['episodes'][0]:,}")] if row["episodes"][0] > 1 else []
    return [*rows, *spells, *(_machines(row) if len(row["instances"]) > 1 else [])]


def _operation_rows(row: dict[str, Any], zone: ZoneInfo) -> list[tuple[str, str]]:
    outcome = row["outcome"] or "outcome not known"
    rows = [("Began", when(row["start"], zone)), ("Ended", f"{_ended(row, 'no end was seen', zone)} ({outcome})")]
    if row["excuses"] is False:
        rows.append(("Excuses", f"nothing: it is by {row['initiator']}"))
    elif row["limit"] is not None:
        rows.append(("Excuses until", when(row["limit"], zone)))
    if row["target"] is not None:
        rows.append(("On", {"named": "named machines", "all": "all machines"}.get(row["target"], "machines it does not name")))
    return [*rows, *_explained(row, zone)]


def _explained(row: dict[str, Any], zone: ZoneInfo) -> list[tuple[str, str]]:
    """Says how many spells of trouble an operation explains, when they were, and of which instances."""
    if row["verdicts"] is None:
        return [("Explains", "no trouble in this period")]
    spells = ", ".join(f"{number:,} {verdict}" for verdict, number in zip(row["verdicts"], row["episodes"], strict=True))
    last = "and goes on" if row["last"] is None else f"to {when(row['last'], zone)}"
    rows = [("Explains", spells), ("Trouble", f"{when(row['first'], zone)} {last}")]
    return [*rows, *_machines(row)]


def _machines(row: dict[str, Any]) -> list[tuple[str, str]]:
    names = sorted(name for name in row["instances"] if name is not None)
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return [("Machines", ", ".join(names[:_NAMES]) + more)] if names else []


def _ended(row: dict[str, Any], open_: str, zone: ZoneInfo) -> str:
    return open_ if row["end"] is None else when(row["end"], zone)


def when(time: datetime, zone: ZoneInfo) -> str:
    """A moment on the clocks of a zone, to the second."""
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _since(time: datetime | None, request: ReportRequest, otherwise: float) -> float:
    return otherwise if time is None else (to_micros(time) - request.since) / SECOND
