"""What an output folder holds, in lines and in JSON (contract: trueup status)."""

from collections.abc import Iterator
from typing import Any, Final

from pipelines.reading.contents import MANY, Contents, FinishedRun, TableSize
from runners.words.notices import paragraph
from runners.words.quantity import quantity
from schemas.time import DAY, SECOND, format_time

_UNITS: Final = ("B", "KB", "MB", "GB", "TB")
_SHOWN: Final = 5


def content_lines(held: Contents) -> Iterator[str]:
    """What a folder holds, line by line."""
    if held.known is None:
        yield "Nothing is published yet."
    else:
        begin, end = map(format_time, held.known)
        yield from paragraph(f"{quantity(held.scale_sets, 'scale set')}, {begin} to {end}, in cells of {held.grid}.")
    if held.newest is not None:
        yield f"Last published at {format_time(held.newest // SECOND * SECOND)}."
    yield from _unpublished(held)
    for run in held.runs:
        yield from _run(run)
    if held.rejects:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in held.rejects.most_common())
        yield from paragraph(f"{quantity(held.rejects.total(), 'record')} rejected so far: {reasons}.")
    yield from _sizes(held)


def contents_json(held: Contents) -> dict[str, Any]:
    """The same as one JSON object."""
    known = (None, None) if held.known is None else tuple(map(format_time, held.known))
    return {
        "grid": held.grid,
        "scale_sets": held.scale_sets,
        "since": known[0],
        "until": known[1],
        "newest": None if held.newest is None else format_time(held.newest),
        "unpublished": [{"from": format_time(first * DAY), "to": format_time(end * DAY)} for first, end in held.unpublished],
        "runs": [{"started": format_time(run.started), **run.facts} for run in held.runs],
        "rejects": dict(sorted(held.rejects.items())),
        "tables": {table: size._asdict() for table, size in held.tables.items()},
        "compaction_due": held.compaction_due,
    }


def size_text(size: float) -> str:
    """Bytes as one reads them.

    >>> size_text(999), size_text(12_340_000)
    ('999 B', '12.3 MB')
    """
    for unit in _UNITS[:-1]:
        if size < 1_000:
            return f"{size:,.3g} {unit}"
        size /= 1_000
    return f"{size:,.3g} {_UNITS[-1]}"


def _unpublished(held: Contents) -> Iterator[str]:
    for first, end in held.unpublished[:_SHOWN]:
        days = format_time(first * DAY)[:10] + ("" if end == first + 1 else f" to {format_time((end - 1) * DAY)[:10]}")
        yield from paragraph(f"Nothing is published of {days}.")
    if len(held.unpublished) > _SHOWN:
        yield f"  Nor of {quantity(len(held.unpublished) - _SHOWN, 'other gap')}."


def _run(run: FinishedRun) -> Iterator[str]:
    facts, records = run.facts, run.facts["records"]
    rejected, started = sum(records["rejected"].values()), format_time(run.started // SECOND * SECOND)
    yield from paragraph(
        f"Run of {started}: until {facts['until']}, {quantity(records['in'], 'record')} read, "
        f"{records['used']:,} used, {rejected:,} rejected, {quantity(facts['cells']['written'], 'cell')} written."
    )
    for gap in facts["gaps"]:
        yield from paragraph(f"Nothing at all happened from {gap['from']} to {gap['to']}.", 2)
    if facts["left_out_scale_sets"]:
        yield from paragraph(f"Left out: {quantity(len(facts['left_out_scale_sets']), 'scale set')}.", 2)


def _sizes(held: Contents) -> Iterator[str]:
    files = sum(size.files for size in held.tables.values())
    yield f"{quantity(files, 'file')}, {size_text(sum(size.bytes for size in held.tables.values()))}: " + _by_table(held.tables)
    if held.compaction_due:
        most = max(size.most for size in held.tables.values())
        yield from paragraph(
            f"Compaction is due: of one day there are {most:,} files of a table, more than {MANY}; trueup compact makes them one."
        )
    else:
        yield "Compaction is not due."


def _by_table(tables: dict[str, TableSize]) -> str:
    return ", ".join(f"{table} {size_text(size.bytes)}" for table, size in tables.items() if size.files) + "."
