"""Prints an explanation as plain text, wrapped at the width of the terminal, or as JSON."""

import json
from collections.abc import Iterable
from textwrap import wrap
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from runners.explain.parts import Teller
from runners.explain.story import answer, history_lines, introduction, neighbours, state_lines, stretch_lines, verdict_line
from runners.explain.words import TIED, Clock, length, name
from runners.words.names import harmless, isolated
from schemas.time import SECOND, format_time
from transforms.core.explain.explanation import Part, Stretch
from transforms.core.explain.moment import Explanation, Moment

_STYLES: Final = {"expected": "green", "real": "yellow", "partly real": "yellow"}
_INDENT: Final = 2
_NARROWEST: Final = 40
_MOST_PARTS: Final = 20
"""Of a moment with more the rest is counted; JSON has all."""


def print_explanation(told: Explanation, label: str, zone: ZoneInfo, hint: str) -> None:
    """Prints an explanation.

    Args:
        told: the explanation.
        label: the name of the scale set as people see it.
        zone: the time zone of the times shown.
        hint: the command that explains a moment, up to the moment itself.
    """
    page, clock = _Page(), Clock(zone)
    page.text(introduction(told, name(label), clock))
    if told.moment is None:
        _print_stretches(page, told, clock, hint)
    else:
        _print_moment(page, told, told.moment, clock)


class _Page:
    """Writes text wrapped at the width of the terminal (80 columns where there is none), without trailing blanks."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)

    def text(self, text: str, style: str = "", indent: int = 0, behind: int | None = None) -> None:
        """Writes a paragraph; its lines after the first one are indented by `behind`."""
        after = " " * (indent if behind is None else behind)
        width = max(self._console.width, _NARROWEST)
        for line in wrap(text, width, initial_indent=" " * indent, subsequent_indent=after, break_on_hyphens=False):
            self._console.print(Text(line.replace(TIED, " "), style), soft_wrap=True)

    def line(self, text: str = "") -> None:
        """Writes a line unchanged."""
        self._console.print(Text(text.replace(TIED, " ")), soft_wrap=True)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Writes names and values in two columns."""
        found = list(pairs)
        width = max((len(key) for key, _ in found), default=0) + _INDENT
        for key, value in found:
            self.text(f"{key.replace(' ', TIED):{width - _INDENT}}".replace(" ", TIED) + f"{TIED}{value}", "", _INDENT, width + 1)


def _print_stretches(page: _Page, told: Explanation, clock: Clock, hint: str) -> None:
    page.line()
    if not told.stretches:
        page.text("No trouble in all that is published of it.")
        return
    which = "The latest stretches of trouble" if told.earlier else "All stretches of trouble"
    page.text(f"{which}, the last one at the end{'; --last N tells more' * told.earlier}.")
    for stretch in told.stretches:
        verdict = verdict_line(stretch)
        page.line()
        page.text(f"{_span(stretch, clock)}: {verdict}", _STYLES[verdict])
        for sentence in stretch_lines(stretch):
            page.text(sentence, indent=_INDENT)
    first = told.stretches[-1].start + SECOND - 1
    page.line()
    page.text("What was it, at any moment? For example:")
    page.line(f"  {hint} --at {clock.moment(first).replace(TIED, 'T')}{'Z' * (clock.zone.key == 'UTC')}")


def _span(stretch: Stretch, clock: Clock) -> str:
    if stretch.open:
        return f"{clock.moment(stretch.start)}, still {'away' if stretch.away else 'open'}"
    return f"{clock.span(stretch.start, stretch.end)} ({length(stretch.end - stretch.start)})"


def _print_moment(page: _Page, told: Explanation, moment: Moment, clock: Clock) -> None:
    page.line()
    page.text(f"At {clock.moment(moment.at)}: {' '.join(answer(moment, clock))}", "bold")
    page.line()
    page.pairs(state_lines(moment.state, clock))
    teller = Teller(told, moment, clock)
    for part in moment.parts[:_MOST_PARTS]:
        page.line()
        page.text(teller.paragraph(part))
        page.pairs((key, isolated(harmless(value))) for key, value in teller.evidence(part))
    page.line()
    if len(moment.parts) > _MOST_PARTS:
        page.text(f"{len(moment.parts) - _MOST_PARTS:,} more operations took part; --as json tells them all.")
        page.line()
    for sentence in neighbours(moment, clock):
        page.text(sentence, behind=_INDENT)
    page.line()
    page.text("How this answer came about:")
    page.pairs(history_lines(moment, clock))
    if moment.history and moment.history[0].revision:
        page.text("What was published before that is no longer kept.", indent=_INDENT)


def json_text(told: Explanation) -> str:
    """One JSON object; times in RFC 3339."""
    moment = told.moment
    plain = {
        "scale_set_id": told.scale_set_id,
        "known_since": format_time(told.known[0]),
        "known_until": format_time(told.known[1]),
        "stretches": [_stretch(one) for one in told.stretches],
        "earlier": told.earlier,
        "moment": None if moment is None else _moment(moment),
    }
    return json.dumps(plain, ensure_ascii=True)


def _moment(moment: Moment) -> dict[str, Any]:
    state = moment.state
    return {
        "at": format_time(moment.at),
        "answer": " ".join(answer(moment, Clock(ZoneInfo("UTC")))).replace(TIED, " "),
        "reported_state": state.reported,
        "state": state.corrected,
        **state.raw,
        **state.classes,
        "attributions": [_part(part) for part in moment.parts],
        **{name: _or_none(getattr(moment, name)) for name in ("stretch", "before", "after")},
        "history": [
            {
                "as_of": format_time(one.as_of),
                "causes": list(one.causes),
                "revision": one.revision,
                "reported_state": one.states[0],
                "state": one.states[1],
                "bad": one.bad,
                "same": one.same,
                "changes": [
                    {"own": c.own, "instance_ids": list(c.instances), "before": _told(c.before), "after": _told(c.after)}
                    for c in one.changes
                ],
            }
            for one in moment.history
        ],
    }


def _told(told: Any) -> dict[str, Any] | None:
    return None if told is None else {**told._asdict(), "end": _time(told.end), "limit": _time(told.limit)}


def _or_none(stretch: Stretch | None) -> dict[str, Any] | None:
    return None if stretch is None else _stretch(stretch)


def _stretch(stretch: Stretch) -> dict[str, Any]:
    return {
        "start": format_time(stretch.start),
        "end": None if stretch.open else format_time(stretch.end),
        "verdict": verdict_line(stretch),
        "attributions": [_part(part) for part in stretch.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    cause = part.cause
    return {
        "own": part.own,
        "instance_ids": list(part.instances),
        "verdict": part.verdict,
        "operation": None if cause is None else {**cause._asdict(), "start": _time(cause.start), "end": _time(cause.end)},
        "worst_state": part.worst,
        "onset": _pair(part.onset),
        "end": None if part.end is None else _pair(part.end),
        "open": part.open,
        "limit": None if part.limit is None else _pair(part.limit),
        "lag_seconds": part.lag,
        "candidates": part.candidates,
        "excused_seconds": part.excused,
        "counted_seconds": part.counted,
        "signal_event_ids": list(part.signals),
    }


def _pair(times: tuple[int, int]) -> list[str | None]:
    return [_time(one) for one in times]


def _time(micros: int | None) -> str | None:
    return None if micros is None else format_time(micros)
