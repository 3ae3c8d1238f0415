"""The answers of the queries of `pipelines.views`, computed the slow and obvious way from the rows of a folder."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.tables.report import COUNTED
from schemas.time import SECOND, from_micros
from tests.support.build import rows
from tests.support.files import current, table
from tests.support.plain_report import BAD, COUNTS, Row

CLASSES = COUNTS[4:]
WORST = ["Available", "Unknown", "Degraded", "Unavailable"]
Answer = list[tuple[Any, ...]]


class Tables:
    """The rows of a folder as dicts, times in microseconds: the current ones, those of a moment, and all."""

    def __init__(self, folder: Path, moment: int) -> None:
        now = current(folder)
        self.availability, self.attributions, self.operations = now["availability"], now["attributions"], now["operations"]
        self.availability_as_of = rows_as_of(folder, "availability", moment)
        self.revisions = rows(table(folder, "revisions"))
        self.versions_of_attributions = published_rows(folder, "attributions")
        self.rejects = rows(table(folder, "rejects"))

    def known(self, scale_set_id: str) -> int:
        """Where the record of a scale set ends."""
        return max(int(row["end"]) for row in self.availability if row["scale_set_id"] == scale_set_id)


def published_rows(folder: Path, name: str) -> list[Row]:
    """The rows of every version that was ever published, superseded ones too."""
    versions = {_version(row) for row in table(folder, "revisions").to_pylist()}
    found = table(folder, name)
    return [row for row, stamp in zip(rows(found), found.to_pylist(), strict=True) if _version(stamp) in versions]


def rows_as_of(folder: Path, name: str, moment: int) -> list[Row]:
    """The rows of the versions that were the latest at a moment, in microseconds."""
    latest: dict[tuple[str, datetime], datetime] = {}
    for row in table(folder, "revisions").to_pylist():
        set_, cell, as_of = _version(row)
        if as_of <= from_micros(moment):
            latest[set_, cell] = max(as_of, latest.get((set_, cell), as_of))
    found = table(folder, name)
    current_ = {(*key, as_of) for key, as_of in latest.items()}
    return [row for row, stamp in zip(rows(found), found.to_pylist(), strict=True) if _version(stamp) in current_]


def _version(row: Row) -> tuple[str, datetime, datetime]:
    return row["scale_set_id"], row["cell"], row["as_of"]


def seconds(row: Row) -> float:
    return float(row["end"] - row["start"]) / SECOND


def day(row: Row, column: str = "start") -> str:
    return from_micros(row[column]).isoformat()[:10]


def month(row: Row) -> str:
    return day(row)[:7]


def groups(found: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    parts = defaultdict(list)
    for row in found:
        parts[key(row)].append(row)
    return parts


def time_of(found: list[Row], *names: str) -> float:
    return sum(row[name] * seconds(row) for row in found for name in names)


def share(found: list[Row], good: str, bad: tuple[str, ...]) -> float | None:
    whole = time_of(found, good, *bad)
    return time_of(found, good) / whole if whole else None


def total(found: list[Row], name: str) -> float:
    return sum(row[name] or 0 for row in found)


def availability_by_set_and_month(tables: Tables) -> Answer:
    parts = groups(tables.availability, lambda row: (row["scale_set_id"], month(row)))
    raw = ("raw_degraded", "raw_unavailable")
    return [(*key, share(parts[key], "raw_available", raw), share(parts[key], "up", BAD)) for key in sorted(parts)]


def worst_sets(tables: Tables) -> Answer:
    parts = groups(tables.availability, lambda row: row["scale_set_id"])
    told = [(key, share(part, "up", BAD), time_of(part, *BAD)) for key, part in parts.items()]
    return sorted((row for row in told if row[1] is not None), key=lambda row: (row[1], row[0]))[:20]


def seconds_by_class_and_day(tables: Tables) -> Answer:
    return [(key, *(time_of(part, name) for name in CLASSES)) for key, part in sorted(groups(tables.availability, day).items())]


def error_budget(tables: Tables) -> Answer:
    told = []
    for key, part in groups(tables.availability, lambda row: (row["scale_set_id"], month(row))).items():
        bad, budget = time_of(part, *BAD), time_of(part, "up", *BAD) / 1000
        told.append((*key, bad, bad / budget if budget else None))
    return sorted(told, key=lambda row: (row[3] is None, -(row[3] or 0), row[0], row[1]))


def causes(tables: Tables) -> Answer:
    mine = [row for row in tables.attributions if row["verb"] is not None and row["instance_id"] is not None]
    told = [
        (*key, sum(row["start"] == row["onset"] for row in part), total(part, "excused_seconds"), total(part, "counted_seconds"))
        for key, part in groups(mine, lambda row: (row["verb"], row["initiator"], row["verdict"])).items()
    ]
    return sorted(told, key=lambda row: (-row[4], *row[:3]))


def overruns(tables: Tables) -> Answer:
    told = []
    for part in _episodes(row for row in tables.attributions if row["verdict"] == "overrun"):
        first = part[0]
        key = (first["scale_set_id"], first["instance_id"], first["onset"], first["limit"])
        seconds_of = (total(part, "excused_seconds"), total(part, "counted_seconds"))
        told.append((*key, first["verb"], first["initiator"], _open(part), *seconds_of, first["operation_key"]))
    return sorted(told, key=lambda row: (-row[6], -row[8], row[0], row[2], row[1] or ""))


def unexplained_longest_first(tables: Tables) -> Answer:
    told = []
    for part in _episodes(row for row in tables.attributions if row["verdict"] in ("unexplained", "fault")):
        first, worst = part[0], max((row["worst_state"] for row in part), key=WORST.index)
        end = None if _open(part) else max(row["end"] for row in part)
        key = (first["scale_set_id"], first["instance_id"], first["onset"])
        told.append((*key, worst, end, _open(part), total(part, "counted_seconds")))
    return sorted(told, key=lambda row: (-row[5], -row[6], row[0], row[2], row[1] or ""))


def _episodes(found: Iterable[Row]) -> list[list[Row]]:
    return list(groups(found, lambda row: (row["scale_set_id"], row["instance_id"], row["onset"])).values())


def _open(part: list[Row]) -> int:
    return int(any(row["end"] is None for row in part))


def longest_outages(tables: Tables) -> Answer:
    told = []
    for part in _episodes(row for row in tables.attributions if row["verdict"] in COUNTED):
        first, worst = part[0], max((row["worst_state"] for row in part), key=WORST.index)
        begun = first["limit"] if first["verdict"] == "overrun" else first["onset"]
        end = None if _open(part) else max(row["end"] for row in part)
        length = ((tables.known(first["scale_set_id"]) if end is None else end) - begun) / SECOND
        key = (first["scale_set_id"], first["instance_id"], first["verdict"], first["verb"], worst)
        told.append((*key, begun, end, _open(part), float(length)))
    return sorted((row for row in told if row[8] > 0), key=lambda row: (-row[8], row[0], row[5], row[1] or ""))[:10]


def costliest_operations(tables: Tables) -> Answer:
    told = []
    mine = [row for row in tables.attributions if row["verb"] is not None and row["instance_id"] is not None]
    key_of = ("scale_set_id", "verb", "initiator", "operation_start", "operation_key")
    for key, part in groups(mine, lambda row: tuple(row[name] for name in key_of)).items():
        episodes = [*groups(part, lambda row: (row["instance_id"], row["onset"], row["verdict"])).values()]
        counted = sum(_counted(tables, episode) for episode in episodes)
        instances, still_open = len({row["instance_id"] for row in part}), sum(map(_open, episodes))
        told.append((*key[:4], instances, still_open, counted, total(part, "excused_seconds"), key[4]))
    return sorted(told, key=lambda row: (-row[6], -row[7], row[0], row[3], row[1]))[:10]


def _counted(tables: Tables, part: list[Row]) -> float:
    """Seconds of one episode that count; of one that is still open, to where the record of its set ends."""
    if not _open(part):
        return total(part, "counted_seconds")
    begun = {"overrun": "limit", "unexcused": "onset"}.get(part[0]["verdict"])
    return 0.0 if begun is None else max(0.0, (tables.known(part[0]["scale_set_id"]) - part[0][begun]) / SECOND)


def presumptions(tables: Tables) -> Answer:
    now = {(row["scale_set_id"], row["instance_id"], row["start"]): row["verdict"] for row in tables.attributions}
    told = {
        (row["scale_set_id"], row["instance_id"], row["onset"], row["operation_key"],
         now.get((row["scale_set_id"], row["instance_id"], row["start"])))
        for row in tables.versions_of_attributions if row["verdict"] == "presumed_removed"
    }  # fmt: skip
    return sorted(told, key=lambda row: (row[0], row[2], row[1]))


def late_revisions(tables: Tables) -> Answer:
    parts = groups(tables.revisions, lambda row: (day(row, "cell"), row["cause"]))
    return [
        (*key, len(part), len({row["scale_set_id"] for row in part}), max(row["revision"] for row in part))
        for key, part in sorted(parts.items())
    ]


def rejects_by_reason(tables: Tables) -> Answer:
    told = [
        (
            reason,
            len(part),
            *(chosen(row["arrived"] for row in part) for chosen in (min, max)),
            min(row["detail"] for row in part),
        )
        for reason, part in groups(tables.rejects, lambda row: row["reason"]).items()
    ]
    return sorted(told, key=lambda row: (-row[1], row[0]))


def mean_time_to_repair(tables: Tables) -> Answer:
    took = defaultdict(list)
    for part in _episodes(row for row in tables.attributions if row["instance_id"] is not None and row["verdict"] in COUNTED):
        if not _open(part) and total(part, "counted_seconds"):
            took[part[0]["scale_set_id"]].append(total(part, "counted_seconds"))
    return sorted(((key, len(part), sum(part) / len(part)) for key, part in took.items()), key=lambda row: (-row[2], row[0]))


def changed_since_as_of(tables: Tables) -> Answer:
    then, now = (
        {key: share(part, "up", BAD) for key, part in groups(found, lambda row: (row["scale_set_id"], day(row))).items()}
        for found in (tables.availability_as_of, tables.availability)
    )
    told = [(*key, then.get(key), now.get(key)) for key in sorted({*then, *now})]
    return [row for row in told if row[2] != row[3]]


ANSWERS: dict[str, Callable[[Tables], Answer]] = {
    "01_availability_by_set_and_month": availability_by_set_and_month,
    "02_worst_sets": worst_sets,
    "03_seconds_by_class_and_day": seconds_by_class_and_day,
    "04_error_budget": error_budget,
    "05_causes": causes,
    "06_overruns": overruns,
    "07_unexplained_longest_first": unexplained_longest_first,
    "08_presumptions": presumptions,
    "09_late_revisions": late_revisions,
    "10_rejects_by_reason": rejects_by_reason,
    "11_mean_time_to_repair": mean_time_to_repair,
    "12_changed_since_as_of": changed_since_as_of,
    "13_longest_outages": longest_outages,
    "14_costliest_operations": costliest_operations,
}
