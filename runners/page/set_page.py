"""The page of one scale set: its timeline with all evidence, its machines, every episode and every operation."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
from markupsafe import Markup

from runners.page.cards import when
from runners.report.sections import length
from runners.words.names import harmless

_KINDS = ("excused_seconds", "removed_seconds", "counted_seconds")


class SetRows(NamedTuple):
    """Table rows of a scale set, as HTML."""

    machines: Markup
    episodes: Markup
    episodes_number: str
    operations: Markup
    operations_number: str


def by_set(rows: pa.Table, order: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each scale set, in some order."""
    found: dict[str, list[dict[str, Any]]] = {}
    ordered = rows.sort_by([(name, "ascending") for name in ["scale_set_id", *order]])
    for row in ordered.to_pylist():
        found.setdefault(row["scale_set_id"], []).append(row)
    return found


def set_rows(spells: list[dict[str, Any]], operations: list[dict[str, Any]], zone: ZoneInfo) -> SetRows:
    """The tables of a scale set.

    Args:
        spells: its attributions in the period, as `spells_in` makes them, by start.
        operations: rows of table `operations` that meet the period, by start.
        zone: on whose clocks times are told.
    """
    episodes = list(_whole(spells))
    return SetRows(
        machines=_lines(((_machine_cells(*one), one[1][-1] > 0) for one in _machines(episodes)), numbers=5),
        episodes=_lines(((_episode(row, zone), row["counted_seconds"] > 0) for row in episodes), numbers=3),
        episodes_number=f"{len(episodes):,}",
        operations=_lines(((_operation(row, zone), False) for row in operations), numbers=1),
        operations_number=f"{len(operations):,}",
    )


def _whole(spells: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Episodes: rows that continue an earlier one are put together with it (contract: Attributions).

    Time until a removal is presumed is of class excused; here it is told with what was taken away.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in spells:
        key = row["instance_id"], row["onset"], row["verdict"]
        earlier = found.get(key)
        if earlier is None:
            found[key] = dict(row)
        else:
            earlier["end"] = row["end"]
            for kind in _KINDS:
                earlier[kind] += row[kind]
    for row in found.values():
        if row["verdict"] == "presumed_removed":
            row["removed_seconds"], row["excused_seconds"] = row["removed_seconds"] + row["excused_seconds"], 0.0
        yield row


def _machines(episodes: list[dict[str, Any]]) -> list[tuple[str | None, list[Any]]]:
    """By machine the number of its episodes, of those that count, and the seconds of _KINDS; the most counted time first."""
    found: dict[str | None, list[Any]] = {}
    for row in episodes:
        sums = found.setdefault(row["instance_id"], [0, 0, 0.0, 0.0, 0.0])
        sums[0] += 1
        sums[1] += row["counted_seconds"] > 0
        for place, kind in enumerate(_KINDS):
            sums[2 + place] += row[kind]
    return sorted(found.items(), key=lambda item: (-item[1][4], -item[1][2], item[0] or ""))


def _machine_cells(name: str | None, sums: list[Any]) -> list[str]:
    return [_machine(name), f"{sums[0]:,}", f"{sums[1]:,}" if sums[1] else "-", *(length(sum_) for sum_ in sums[2:])]


def _machine(name: str | None) -> str:
    return "the set itself" if name is None else harmless(name)


def _episode(row: dict[str, Any], zone: ZoneInfo) -> list[str]:
    operation = "-" if row["verb"] is None else f"{row['verb']} by {row['initiator']}, {when(row['operation_start'], zone)}"
    end = "it goes on" if row["end"] is None else when(row["end"], zone)
    limit = "-" if row["limit"] is None else when(row["limit"], zone)
    texts = [when(row["onset"], zone), end, _machine(row["instance_id"]), row["worst_state"], row["verdict"], operation, limit]
    return [harmless(text) for text in texts] + [length(row[kind]) for kind in _KINDS]


def _operation(row: dict[str, Any], zone: ZoneInfo) -> list[str]:
    end = "no end was seen" if row["end"] is None else when(row["end"], zone)
    until = when(row["limit"], zone) if row["excuses"] else "nothing"
    texts = [when(row["start"], zone), end, f"{row['verb']} by {row['initiator']}", row["outcome"], row["target"], until]
    return [harmless(text) for text in [*texts, row["operation_key"]]] + [f"{row['episodes']:,}" if row["episodes"] else "-"]


def _lines(rows: Iterable[tuple[list[str], bool]], numbers: int) -> Markup:
    """Table rows as short as possible, since there may be thousands; the last cells are numbers. With each, whether it counts."""
    return Markup("\n".join(_line(row, len(row) - numbers, counts) for row, counts in rows))


def _line(row: list[str], first: int, counts: bool) -> str:
    texts = "".join(f"<td>{escape(text)}" for text in row[1:first])
    begin = '<tr class="bad">' if counts else "<tr>"
    return f'{begin}<th scope="row">{escape(row[0])}{texts}' + "".join(f'<td class="n">{text}' for text in row[first:])
