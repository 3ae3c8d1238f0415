"""Alarms as CloudEvents, with the evidence from the tables (contract: trueup watch)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record.selection import Selection
from schemas.tables.report import COUNTED
from schemas.time import DAY, format_time
from transforms.core.alarms.decisions import Alarm, AlarmKey
from transforms.core.columns.kernel import NEVER

SOURCE: Final = "trueup"
TYPE: Final = "trueup.scaleset"
SPAN: Final = 8 * DAY
"""How far back it is looked for bad times, and for attributions that hold; an outage stays open for up to seven (`max_open`)."""
_EVIDENCE: Final = (
    "scale_set_id", "instance_id", "start", "end", "onset", "worst_state", "verdict", "operation_key", "verb", "initiator",
    "operation_start", "limit",
)  # fmt: skip
_MOST: Final = 100
"""Instances that one message tells of, at most."""


def days_until(since: int, now: int) -> range:
    """The days from a moment to those that a record may reach beyond the present (microseconds); counted since the epoch."""
    return range(since // DAY, now // DAY + 3)


def messages(root: str, alarms: Sequence[Alarm], found: Mapping[AlarmKey, int | None], now: int) -> Iterator[dict[str, Any]]:
    """One CloudEvents message (JSON format, version 1.0) an alarm.

    Args:
        root: the folder of the tables.
        alarms: what is to be said.
        found: the bad times of the record, and their ends in microseconds.
        now: the present, in microseconds.
    """
    told = _evidence(root, alarms, now)
    for alarm in alarms:
        end = found.get(alarm.key)
        yield message(alarm, root, _overlapping(told, alarm.key, now if end is None else end))


def message(alarm: Alarm, root: str, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The message of one alarm.

    Args:
        alarm: what is to be said.
        root: the folder, for the command that explains.
        rows: of the table `attributions`, those of the scale set in the time of the alarm; times in microseconds.
    """
    key, said = alarm.key, alarm.said
    instances = [_told(row) for row in rows]
    return {
        "specversion": "1.0",
        "id": alarm.id,
        "source": SOURCE,
        "type": f"{TYPE}.{said.saying}",
        "subject": key.scale_set_id,
        "time": format_time(alarm.moment),
        "datacontenttype": "application/json",
        "data": {
            "scale_set_id": key.scale_set_id,
            "state": key.state,
            "since": format_time(key.start),
            "until": None if said.end is None else format_time(said.end),
            "first_id": said.first,
            "real": [one for one in instances if one["verdict"] in COUNTED][:_MOST],
            "excused": [one for one in instances if one["verdict"] not in COUNTED][:_MOST],
            "explain": f"trueup explain --data {quote(root)} --scale-set {quote(key.scale_set_id)} --at {format_time(key.start)}",
        },
    }


def _evidence(root: str, alarms: Sequence[Alarm], now: int) -> pa.Table:
    ids = {alarm.key.scale_set_id for alarm in alarms}
    days = days_until(min((alarm.key.start for alarm in alarms), default=now) - SPAN, now)
    return Selection(root, ids=ids, within=days).table("attributions", days, _EVIDENCE)


def _overlapping(told: pa.Table, key: AlarmKey, until: int) -> list[dict[str, Any]]:
    """The instances' rows of a scale set in a bad time, the earliest first; of an overrun the part that counts lies in it."""
    ours = pc.equal(told.column("scale_set_id").cast(pa.string()), key.scale_set_id)
    own = pc.and_(ours, pc.is_valid(told.column("instance_id")))
    starts, ends = (told.column(name).cast(pa.int64()) for name in ("start", "end"))
    overran = pc.equal(told.column("verdict").cast(pa.string()), "overrun")
    counts = pc.if_else(overran, told.column("limit").cast(pa.int64()), starts)
    inside = pc.and_(pc.less(counts, until), pc.greater(pc.fill_null(ends, NEVER), key.start))
    kept = told.filter(pc.and_(own, inside)).sort_by("start")
    plain = [column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in kept.columns]
    rows: list[dict[str, Any]] = pa.table(plain, kept.column_names).to_pylist()
    return rows


def _told(row: dict[str, Any]) -> dict[str, Any]:
    operation = None
    if row["verb"] is not None:
        names = ("operation_key", "verb", "initiator")
        operation = {**{name: row[name] for name in names}, **{name: _time(row[name]) for name in ("operation_start", "limit")}}
    return {
        "instance_id": row["instance_id"],
        "worst_state": row["worst_state"],
        "since": _time(row["onset"]),
        "verdict": row["verdict"],
        "operation": operation,
    }


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_time(moment)
